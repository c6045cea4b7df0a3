// A frozen tab in Chromium, where messages of other tabs come to it all the same, and the answers of its storage do not.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { FATES } from "./fates.mjs";
import { openHiddenChromium } from "./hidden-chromium.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const EVENTS = 50;
/** A fraction of the minute after which Chromium ends a transaction in which nothing happens. */
const APPENDED_MS_MAX = 10_000;

let server, profile, browser;
before(async () => {
  server = await serveTests();
  profile = makeProfile();
  browser = await openHiddenChromium(profile.path);
});
after(async () => {
  await browser.close();
  profile.remove();
  server.close();
});

/** What a tab does that hears of what others append, and looks at its storage then; and how many events it knows of by that. */
const LISTENING = {
  subscribes: () => {
    let count = 0;
    globalThis.known = () => count;
    void store.subscribe({ after: 0 }, () => void (count += 1));
  },
  "has a live value": () => {
    const Orders = everfold.defineAggregate({ name: "order", category: "order", initial: () => 0, evolve: { Placed: (count) => count + 1 } });
    const live = store.live(Orders, "order-1");
    globalThis.known = () => live.get().value?.state;
    live.subscribe(() => {});
  },
  "leads a consumer": () => {
    let count = 0;
    globalThis.known = () => count;
    store.consumer("mails", { after: 0 }, () => void (count += 1));
  },
};

/** Waits until so many events are known. */
async function knows(count) {
  while (known() !== count) await new Promise((resolve) => setTimeout(resolve, 10));
}

for (const [name, listen] of Object.entries(LISTENING)) {
  test(`a frozen tab that ${name} holds up nobody, and hears of everything when it wakes up`, { timeout: 60_000 }, async () => {
    const tabs = [await browser.openPage(server.url + BARE_PAGE), await browser.openPage(server.url + BARE_PAGE)];
    for (const tab of tabs) {
      await tab.run(async (name) => {
        globalThis.store = await everfold.EventStore.open(name);
      }, name);
    }
    const [sleeper, other] = tabs;
    await sleeper.run(listen);
    await sleeper.run(() => store.append("order-1", { type: "Placed" }));
    await sleeper.run(knows, 1);
    await FATES.frozen(sleeper, other, name);
    const took_ms = await other.run(async (count) => {
      const began_ms = performance.now();
      for (let number = 0; number < count; number += 1) await store.append("order-1", { type: "Placed" });
      return performance.now() - began_ms;
    }, EVENTS);
    assert.ok(took_ms < APPENDED_MS_MAX, `${EVENTS} appends took ${Math.round(took_ms)} ms`);
    await sleeper.thaw();
    await sleeper.run(knows, EVENTS + 1);
    for (const tab of tabs) await tab.close();
  });
}

test("a tab that was frozen goes on where it was", { timeout: 60_000 }, async () => {
  const name = "resumed";
  const [sleeper, other] = [await browser.openPage(server.url + BARE_PAGE), await browser.openPage(server.url + BARE_PAGE)];
  await sleeper.run(async (name) => {
    globalThis.store = await everfold.EventStore.open(name);
    globalThis.saved = [];
    // What a page saves when it hears that it freezes is written once it has woken up.
    document.addEventListener("freeze", () => saved.push(store.append("order-1", { type: "Saved" })));
  }, name);
  await other.run(async (name) => void (globalThis.store = await everfold.EventStore.open(name)), name);
  for (let round = 0; round < 3; round += 1) {
    await FATES.frozen(sleeper, other, name);
    await other.run(() => store.append("order-1", { type: "Placed" }));
    await sleeper.thaw();
  }
  const { state, saved, types } = await sleeper.run(async () => {
    await Promise.all(globalThis.saved);
    const types = (await store.read("order-1").toArray()).map(({ type }) => type);
    return { state: store.status.state, saved: globalThis.saved.length, types };
  });
  assert.ok(3 <= saved, `it heard ${saved} times that it freezes`);
  assert.deepEqual([state, types.toSorted()], ["open", [...Array(3).fill("Placed"), ...Array(saved).fill("Saved")]]);
  for (const tab of [sleeper, other]) await tab.close();
});
