// What of the wasm a page loads, and when; and what becomes of a page that cannot load a part of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

/** The background compacts a tail of so many commits at the latest. */
const COMMITS_UNTIL_DUE = 520;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

/** Opens a page of a browser of its own. Gives it, and the names of the modules that it has loaded. */
async function withPage(open, test) {
  const profile = makeProfile();
  const browser = await open(profile.path);
  try {
    const page = await browser.openPage(server.url + BARE_PAGE);
    await test(page, () => page.run(modules));
  } finally {
    await browser.close();
    profile.remove();
  }
}

/** The names of the modules that the page has asked for, without those that it could not have. */
function modules() {
  const loaded = performance.getEntriesByType("resource").filter(({ name, responseStatus }) => name.endsWith(".wasm") && responseStatus === 200);
  return loaded.map(({ name }) => /everfold_(.*)\.wasm$/.exec(name)[1]);
}

/** The names of the scripts of the package that the page has asked for. */
function scripts() {
  return performance.getEntriesByType("resource").flatMap(({ name }) => /\/dist\/(.*)\.js$/.exec(name)?.[1] ?? []);
}

/** What every page does. */
async function appendAndRead() {
  globalThis.store = await everfold.EventStore.open("shop");
  await store.append("cart-1", [{ type: "Added", data: { count: 1 } }, { type: "Added", data: { count: 2 } }]);
  await store.appendAll([{ stream: "cart-2", events: [{ type: "Added", data: { count: 3 } }] }], { condition: { failIfEventsMatch: { types: ["Gone"] } } });
  const heard = [];
  const subscription = store.subscribe({ after: 0 }, (event) => void heard.push(event.position));
  const read = await store.read("cart-1").toArray();
  const all = await store.readAll({ query: { types: ["Added"] } }).toArray();
  await store.truncate("cart-1", { before: 1 });
  const replayed = [];
  await store.replay({}, (event) => void replayed.push(event.position));
  subscription.stop();
  return [read.length, all.length, replayed];
}

/** What needs more, and the module that it needs. */
const MORE = {
  compaction: async () => (await store.compact()).units,
  inquiries: () => store.count(),
  folding: async () => {
    const Cart = everfold.defineAggregate({ name: "cart", initial: () => ({ count: 0 }), evolve: { Added: { $inc: { count: "$data.count" } } }, snapshotEvery: false });
    return (await store.load(Cart, "cart-2")).state;
  },
  projections: async () => {
    const Carts = everfold.defineProjection({ name: "carts", on: { Added: (_, { data }) => data }, key: ({ stream }) => stream });
    globalThis.carts ??= await store.project(Carts);
    await carts.waitFor(store.position);
    return carts.get("cart-2");
  },
  memory: async () => {
    const memory = await everfold.EventStore.open("fleeting", { storage: "memory" });
    await memory.append("s", { type: "A" });
    await memory.close();
  },
  consumers: () => store.consumers(),
};

/** What applications define before they open a store, and what modules and scripts they load then along with the first ones. */
const DEFINED = [
  ["functions without snapshots", () => everfold.defineAggregate({ name: "a", initial: () => ({}), evolve: {}, snapshotEvery: false }), [], ["folds"]],
  ["functions", () => everfold.defineAggregate({ name: "a", initial: () => ({}), evolve: {} }), ["inquiries"], ["folds"]],
  ["commands", () => everfold.defineAggregate({ name: "a", initial: () => ({}), evolve: {}, decide: () => [], snapshotEvery: false }), [], ["commands", "folds"]],
  ["a document", () => everfold.defineAggregate({ name: "a", initial: () => ({}), evolve: { A: { $inc: { count: 1 } } }, snapshotEvery: false }), ["folding"], ["folds"]],
  ["a projection", () => everfold.defineProjection({ name: "p", on: { A: () => 1 }, key: ({ stream }) => stream }), ["projections"], ["projections"]],
];
const PARTS = ["commands", "consuming", "folds", "inquiries", "live-fold", "projections"];

for (const [what, define, modules, parts] of DEFINED) {
  test(`Chromium: a page that defines ${what} first loads what that needs along with the first module`, () =>
    withPage(openChromium, async (page, loaded) => {
      await page.run(define);
      await page.run(async () => void (await everfold.EventStore.open("shop")));
      await page.page.waitForLoadState("networkidle");
      assert.deepEqual(new Set(await loaded()), new Set(["bg", ...modules]));
      const scriptsLoaded = await page.run(scripts);
      assert.deepEqual(PARTS.filter((part) => scriptsLoaded.includes(part)), parts);
    }));
}

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${name}: a page that opens, appends, reads and listens loads the first module alone, and the others when it needs them`, () =>
    withPage(open, async (page, loaded) => {
      assert.deepEqual(await page.run(appendAndRead), [2, 3, [2, 3]]);
      assert.deepEqual(await loaded(), ["bg"]);
      const before = new Set(["bg"]);
      for (const [module, use] of Object.entries(MORE)) {
        await page.run(use);
        before.add(module);
        assert.deepEqual(new Set(await loaded()), before, `after ${module}`);
        await page.run(use);
        assert.deepEqual((await loaded()).filter((other) => other === module).length, 1, `${module} again`);
      }
    }));
}

for (const [module, use] of Object.entries(MORE)) {
  test(`without the module for ${module} the call says so, and works when it can be had`, () =>
    withPage(openChromium, async ({ page, run }) => {
      await run(appendAndRead);
      const file = `**/everfold_${module}.wasm`;
      await page.route(file, (route) => route.abort());
      const refused = await run(use).then(() => assert.fail("it was not refused"), (error) => error);
      assert.deepEqual([refused.code, refused.supplement, refused.retryable], ["SUPPLEMENT_UNAVAILABLE", module, true], refused.message);
      await run(() => store.append("cart-1", [{ type: "Added", data: { count: 1 } }]).then(() => undefined));
      await page.unroute(file);
      await run(use);
    }));
}

/** What needs a script that the page has not loaded yet, and the script. */
const SCRIPTS = {
  folds: async () => {
    const Cart = everfold.defineAggregate({ name: "cart", initial: () => 0, evolve: (sum, { data }) => sum + data.count, snapshotEvery: false });
    return (await store.load(Cart, "cart-2")).state;
  },
  commands: async () => {
    const Cart = everfold.defineAggregate({ name: "cart", initial: () => 0, evolve: (sum) => sum, decide: () => ({ type: "Added", data: { count: 4 } }), snapshotEvery: false });
    return (await store.execute(Cart, "cart-3", "add")).attempts;
  },
  projections: MORE.projections,
  consuming: async () => (await store.consumers()).length,
  inquiries: async () => (await store.replay({}, () => {})).events,
};

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${name}: a page that opens, appends, reads and listens loads no script that it does not need`, () =>
    withPage(open, async ({ run }) => {
      await run(async () => {
        globalThis.store = await everfold.EventStore.open("shop");
        await store.append("cart-2", [{ type: "Added", data: { count: 3 } }]);
        store.subscribe({}, () => {}).stop();
        await store.read("cart-2").toArray();
      });
      for (const [script, use] of Object.entries({ "live-fold": useLive, ...SCRIPTS })) {
        assert.ok(!(await run(scripts)).includes(script), `${script} is loaded early`);
        await run(use);
        assert.ok((await run(scripts)).includes(script), `${script} is not loaded`);
      }
    }));
}

for (const [script, use] of Object.entries(SCRIPTS)) {
  test(`without the script ${script} the call says so, and works when it can be had`, () =>
    withPage(openChromium, async ({ page, run }) => {
      await run(async () => {
        globalThis.store = await everfold.EventStore.open("shop");
        await store.append("cart-2", [{ type: "Added", data: { count: 3 } }]);
      });
      const file = `**/dist/${script}.js`;
      await page.route(file, (route) => route.abort());
      const refused = await run(use).then(() => assert.fail("it was not refused"), (error) => error);
      assert.deepEqual([refused.code, refused.supplement, refused.retryable], ["SUPPLEMENT_UNAVAILABLE", `${script}.js`, true], refused.message);
      await run(() => store.append("cart-1", [{ type: "Added", data: { count: 1 } }]).then(() => undefined));
      await page.unroute(file);
      await run(use);
    }));
}

/** The state that a live value comes to at last, and those that it had before. */
async function useLive() {
  const Cart = everfold.defineAggregate({ name: "live", initial: () => 0, evolve: (sum, { data }) => sum + data.count, snapshotEvery: false });
  const live = store.live(Cart, "cart-2");
  const codes = [];
  const state = await new Promise((resolve) => {
    const stop = live.subscribe(() => {
      const now = live.get();
      if (now.status === "error") codes.push(now.error.code);
      if (now.status === "ready") resolve((stop(), now.value.state));
    });
  });
  return { state, codes };
}

test("what follows a state is loaded again and again, until it can be had; so is what consumes", () =>
  withPage(openChromium, async ({ page, run }) => {
    await run(async () => {
      globalThis.store = await everfold.EventStore.open("shop");
      await store.append("cart-2", [{ type: "Added", data: { count: 3 } }]);
    });
    const files = /\/dist\/(live-fold|consuming)\.js$/;
    let askedCount = 0;
    await page.route(files, (route) => ((askedCount += 1), askedCount < 5 ? route.abort() : route.continue()));
    const { state, codes } = await run(useLive);
    assert.equal(state, 3);
    assert.ok(codes.every((code) => code === "SUPPLEMENT_UNAVAILABLE") && 0 < codes.length, `${codes}`);
    askedCount = 0;
    const handled = await run(() => new Promise((resolve) => (globalThis.consumer = store.consumer("mails", { after: 0 }, (event) => resolve(event.stream)))));
    assert.equal(handled, "cart-2");
    await run(() => consumer.stop());
  }));

test("a store that is closed while code is loaded for it follows nothing, and waits for its commands", () =>
  withPage(openChromium, async ({ page, run }) => {
    await page.route(/\/dist\/(live-fold|consuming|commands|projections)\.js$/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    const outcome = await run(async () => {
      const Cart = everfold.defineAggregate({ name: "cart", initial: () => 0, evolve: (sum) => sum, decide: () => ({ type: "Added" }), snapshotEvery: false });
      const Carts = everfold.defineProjection({ name: "carts", on: { Added: () => ({}) } });
      const [store, other] = [await everfold.EventStore.open("shop"), await everfold.EventStore.open("shop")];
      const handled = [];
      const states = [];
      const executing = store.execute(Cart, "cart-1", "add");
      const projecting = store.project(Carts).then(() => "opened", ({ code }) => code);
      store.consumer("mails", { after: 0 }, (event) => void handled.push(event.position));
      const live = store.live(Cart, "cart-1");
      live.subscribe(() => states.push(live.get()));
      await store.close();
      const { attempts } = await executing;
      await other.append("cart-1", { type: "Added" });
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const outcome = { attempts, projecting: await projecting, handled, states: states.map(({ status, error }) => error?.code ?? status), count: await other.count() };
      await other.close();
      return outcome;
    });
    assert.deepEqual(outcome, { attempts: 1, projecting: "CLOSED", handled: [], states: ["CLOSED"], count: 2 });
  }));

test("appends go on while what is due cannot be compacted, and it is compacted later", () =>
  withPage(openChromium, async ({ page, run }, loaded) => {
    const asked = [];
    await page.route("**/everfold_compaction.wasm", (route) => (asked.push(route.request().url()), route.fulfill({ status: 503 })));
    await run(async (count) => {
      globalThis.store = await everfold.EventStore.open("long");
      for (let commit = 0; commit < count; commit += 1) await store.append(`s-${commit % 9}`, [{ type: "A", data: "x".repeat(40) }]);
    }, COMMITS_UNTIL_DUE);
    await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("everfold_compaction.wasm")));
    assert.ok(0 < asked.length, "nothing was due");
    assert.ok(!(await loaded()).includes("compaction"));
    await page.unroute("**/everfold_compaction.wasm");
    const segments = await run(async () => {
      const { segments: before } = await store.stats();
      const end = performance.now() + 20_000;
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await store.append("s-0", [{ type: "A" }]);
        const { segments } = await store.stats();
        if (segments < before || end < performance.now()) return [before, segments];
      }
    });
    assert.ok(segments[1] < segments[0], `it was not compacted: ${segments}`);
  }));
