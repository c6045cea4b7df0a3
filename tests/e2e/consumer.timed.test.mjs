// Consumers in IndexedDB: one of several tabs handles what comes, and another one goes on within seconds when that tab is closed, killed or
// frozen. Handlers write what they handle into the log itself, so that it outlives their tabs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { BROWSERS, FATES } from "./fates.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

/** After so long another tab has to have taken over. */
const TAKEOVER_MS_MAX = 5_000;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

/** Consumes in a tab, which notes in the log what it has handled. */
async function consume({ name, tab }) {
  globalThis.store = await everfold.EventStore.open(name);
  globalThis.consumer = store.consumer("mails", { after: 0, query: { categories: ["order"] } }, async ({ position }) => {
    await store.append(`handled-${tab}`, { type: "Handled", data: { position, at_ms: Date.now() } });
  });
}

/** Appends what is to be handled, and says where it stands and when it was called for. */
async function place(count) {
  const called_ms = Date.now();
  const { firstPosition, lastPosition } = await store.append("order-1", Array.from({ length: count }, () => ({ type: "Placed" })));
  return { called_ms, firstPosition, lastPosition };
}

/** Waits until an event was handled, and says by whom, and when for the first time. */
async function handled(position) {
  for await (const { stream, data } of store.subscribe({ query: { categories: ["handled"] } })) {
    if (data.position === position) return { tab: Number(stream.slice("handled-".length)), at_ms: data.at_ms };
  }
}

/** All that was handled, in the order of the log, and all that was to be. */
async function account() {
  const placed = (await store.read("order-1").toArray()).map(({ position }) => position);
  const notes = await store.readAll({ query: { categories: ["handled"] } }).toArray();
  return { placed, notes: notes.map(({ stream, data }) => ({ tab: Number(stream.slice("handled-".length)), position: data.position })) };
}

for (const { name, openBrowser, open, fates } of BROWSERS) {
  for (const [fate, tabCount] of fates) {
    test(`${name}: of ${tabCount} tabs another one handles what comes when the leader is ${fate}, every event in order`, async () => {
      const profile = makeProfile();
      const browser = await openBrowser(profile.path);
      try {
        const database = `consumed-${fate}-${tabCount}`;
        const tabs = [];
        for (let tab = 0; tab < tabCount; tab += 1) {
          tabs.push(await open(browser, server.url + BARE_PAGE));
          await tabs[tab].run(consume, { name: database, tab });
          const { lastPosition } = await tabs[tab].run(place, 3);
          assert.equal((await tabs[tab].run(handled, lastPosition)).tab, 0);
        }
        const other = tabs[1];
        await FATES[fate](tabs[0], other, database);
        const { called_ms, firstPosition, lastPosition } = await other.run(place, 5);
        const { tab, at_ms } = await other.run(handled, firstPosition);
        console.log(`  handled ${at_ms - called_ms} ms after it was appended`);
        assert.notEqual(tab, 0);
        assert.ok(at_ms - called_ms <= TAKEOVER_MS_MAX, `it took ${at_ms - called_ms} ms`);
        await other.run(handled, lastPosition);
        if (fate === "frozen") {
          await tabs[0].thaw();
          const { lastPosition: last } = await other.run(place, 3);
          assert.equal((await other.run(handled, last)).tab, tab, "a leader that wakes up does not lead");
          await tabs[0].run(async () => {
            while (consumer.active) await new Promise((resolve) => setTimeout(resolve, 10));
          });
        }
        await check(other);
      } finally {
        await browser.close();
        profile.remove();
      }
    });
  }
}

/** Every event was handled at least once, and for the first time in its order. */
async function check(tab) {
  const { placed, notes } = await tab.run(account);
  const firsts = [];
  for (const { position } of notes) if (!firsts.includes(position)) firsts.push(position);
  assert.deepEqual(firsts, placed);
  assert.ok(notes.length <= placed.length + 1, `${notes.length - placed.length} events were handled twice`);
}

/** Consumes with a handler that waits until it is told that it need not. */
async function consumePatiently(name) {
  globalThis.store = await everfold.EventStore.open(name);
  await new Promise((begin) => {
    globalThis.consumer = store.consumer("patient", { after: 0 }, (_event, { signal }) => {
      begin();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => ((globalThis.told_ms = performance.now()), reject(signal.reason))));
    });
    store.append("order-1", { type: "Placed" });
  });
}

for (const [name, openBrowser] of [["Chromium", openChromium], ["Firefox", openFirefox]]) {
  test(`${name}: a handler is told that its store was destroyed in another tab`, { timeout: 60_000 }, async () => {
    const profile = makeProfile();
    const browser = await openBrowser(profile.path);
    try {
      const open = () => browser.openPage(server.url + BARE_PAGE);
      const [tab, other] = [await open(), await open()];
      await tab.run(consumePatiently, "gone");
      await other.run((gone) => everfold.EventStore.destroy(gone), "gone");
      const isActive = await tab.run(async () => {
        while (globalThis.told_ms === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
        await consumer.stop();
        return consumer.active;
      });
      assert.equal(isActive, false);
    } finally {
      await browser.close();
      profile.remove();
    }
  });
}
