// The tab that makes documents is closed, killed or frozen in the middle of it: another one carries on where it was, and the documents are what a
// naive fold of the log makes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { BROWSERS, FATES } from "./fates.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const EVENTS = 20_000;
/** So many of them the tab has folded when it goes. */
const FOLDED = 1_000;
/** So long the tabs are busy with every hundredth event, until it is gone: that is longer than it takes to open them. */
const BUSY_MS = 60;
/** After so long all is in the documents, although the tab that made them is gone: several times what it takes on a machine that has nothing else to do. */
const TAKEOVER_MS_MAX = 20_000;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

async function openStore(name) {
  globalThis.store = await everfold.EventStore.open(name);
}

/** Appends events of 500 orders, some of which are cancelled, and some deleted. */
async function fill(count) {
  const batch = 1_000;
  for (let first = 0; first < count; first += batch) {
    const writes = Array.from({ length: batch }, (_, place) => {
      const number = (first + place) % 500;
      const type = (first + place) % 1_777 === 0 ? "Cancelled" : "Placed";
      return store.append(`order-${number}`, { type, data: { status: (first + place) % 3 === 0 ? "paid" : "open" } });
    });
    await Promise.all(writes);
    if (first % 5_000 === 0) await store.delete(`order-${first / 1_000}`);
  }
}

/** Opens the documents, and is busy for so long with every hundredth event. */
async function project(busy_ms) {
  globalThis.handled = 0;
  globalThis.busy_ms = busy_ms;
  const Orders = everfold.defineProjection({
    name: "orders",
    on: {
      Placed: (order, { data }) => {
        globalThis.handled += 1;
        if (globalThis.handled % 100 === 0) for (const end = performance.now() + globalThis.busy_ms; performance.now() < end; );
        return { count: (order?.count ?? 0) + 1, status: data.status };
      },
      Cancelled: () => undefined,
    },
    indexes: { byStatus: ["status", "count"] },
  });
  globalThis.orders = await store.project(Orders);
}

async function hasFolded(count) {
  while (globalThis.handled < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Waits until all is in the documents, and says how long that took. */
async function settle() {
  const began_ms = performance.now();
  await orders.waitFor(store.position);
  return Math.round(performance.now() - began_ms);
}

/** The documents as they are found, by their keys and by the index, and as a loop over the log makes them. */
async function account() {
  const naive = new Map();
  for await (const event of store.readAll({ query: [{ types: ["Placed", "Cancelled"] }, { types: ["$deleted"] }] })) {
    if (event.type !== "Placed") naive.delete(event.stream);
    else naive.set(event.stream, { count: (naive.get(event.stream)?.count ?? 0) + 1, status: event.data.status });
  }
  const all = async (range) => {
    const rows = [];
    let cursor;
    do {
      const page = await orders.find({ ...range, limit: 100, cursor });
      rows.push(...page.rows.map(({ key, doc }) => [key, doc]));
      ({ cursor } = page);
    } while (cursor !== undefined);
    return rows.sort(([one], [other]) => (one < other ? -1 : 1));
  };
  const expected = [...naive].sort(([one], [other]) => (one < other ? -1 : 1));
  return { expected, found: await all({}), indexed: await all({ index: "byStatus" }), count: await orders.count() };
}

async function check(tab) {
  const { expected, found, indexed, count } = await tab.run(account);
  assert.ok(400 < expected.length);
  assert.deepEqual(found, expected);
  assert.deepEqual(indexed, expected);
  assert.equal(count, expected.length);
}

/** Has something happen to the tab that makes the documents, which is the one that opened them last, as long as there is much to do. */
async function strikeInTheMiddle(tabs, strike) {
  const worker = tabs.at(-1);
  await tabs[0].run(fill, EVENTS);
  for (const tab of tabs) await tab.run(project, BUSY_MS);
  await worker.run(hasFolded, FOLDED);
  await strike(worker);
  assert.ok(await tabs[0].run(() => orders.position < store.position), "it was done already");
  for (const tab of tabs.slice(0, -1)) await tab.run(() => void (globalThis.busy_ms = 0));
}

/** Freezes that tab where it waits, and has something to do come after that. */
async function freezeAtRest(tabs, database) {
  const worker = tabs.at(-1);
  for (const tab of tabs) await tab.run(project, 0);
  await tabs[0].run(fill, FOLDED);
  await worker.run(settle);
  await FATES.frozen(worker, tabs[0], database);
  await tabs[0].run(fill, EVENTS);
}

for (const { name, openBrowser, open, fates } of BROWSERS) {
  for (const [fate, tabCount] of fates) {
    test(`${name}: of ${tabCount} tabs another one makes the documents when the one that does is ${fate} in the middle of it`, async () => {
      const profile = makeProfile();
      const browser = await openBrowser(profile.path);
      try {
        const database = `made-${fate}-${tabCount}`;
        const tabs = [];
        for (let tab = 0; tab < tabCount; tab += 1) {
          tabs.push(await open(browser, server.url + BARE_PAGE));
          await tabs[tab].run(openStore, database);
        }
        const worker = tabs.at(-1);
        await (fate === "frozen" ? freezeAtRest(tabs, database) : strikeInTheMiddle(tabs, FATES[fate]));
        tabs.pop();
        const waited_ms = await tabs[0].run(settle);
        console.log(`  all documents were there ${waited_ms} ms after the tab was ${fate}`);
        assert.ok(waited_ms <= TAKEOVER_MS_MAX, `it took ${waited_ms} ms`);
        await check(tabs[0]);
        if (fate === "frozen") {
          await worker.thaw();
          await tabs[0].run(fill, 1_000);
          for (const tab of [...tabs, worker]) await tab.run(settle);
          await check(worker);
        }
        for (const tab of tabs) await check(tab);
      } finally {
        await browser.close();
        profile.remove();
      }
    });
  }
}
