// Documents of a projection in IndexedDB: the same in every tab, carried on by one, and by another one when that is gone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

/** After so long another tab has to have taken over. */
const TAKEOVER_MS_MAX = 5_000;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

/** Opens the documents in a tab, and keeps them there. */
async function open({ name, version }) {
  const { EventStore, defineProjection } = everfold;
  globalThis.handled = 0;
  globalThis.heard = [];
  const Orders = defineProjection({
    name: "orders",
    version,
    on: {
      Placed: (order, { data }) => ((globalThis.handled += 1), { count: (order?.count ?? 0) + 1, status: data.status, tags: data.tags }),
      Gone: () => undefined,
    },
    indexes: { byStatus: ["status", "count"], byTag: { path: "tags", each: true } },
  });
  globalThis.store = await EventStore.open(name);
  globalThis.orders = await store.project(Orders);
  orders.subscribe((keys) => heard.push(...(keys ?? ["all"])));
}

/** Appends events of many orders, and waits until they are in the documents. */
async function place({ first, count, status }) {
  const appends = Array.from({ length: count }, (_, place) =>
    store.append(`order-${first + place}`, { type: "Placed", data: { status, tags: [`tag ${(first + place) % 3}`] } }),
  );
  const { lastPosition } = (await Promise.all(appends)).at(-1);
  const began = performance.now();
  await orders.waitFor(lastPosition);
  return Math.round(performance.now() - began);
}

/** What the documents say. */
async function ask() {
  await orders.waitFor(store.position);
  const { rows } = await orders.find({ index: "byStatus", equals: ["open"], limit: 1_000 });
  const pages = [];
  let cursor;
  do {
    const page = await orders.find({ index: "byTag", equals: ["tag 1"], limit: 40, cursor });
    pages.push(page.rows.length);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return { all: await orders.count(), open: rows.length, first: (await orders.get("order-1")) ?? null, tagged: pages.reduce((sum, count) => sum + count, 0) };
}

/** Opens the same documents by a document that the core folds. */
async function openDeclared({ name }) {
  const { EventStore, defineProjection, documentType } = everfold;
  const Declared = defineProjection({
    name: "declared orders",
    document: documentType(),
    on: {
      Placed: { $inc: { count: 1 }, $set: { status: "$data.status", tags: "$data.tags" } },
      Gone: { $remove: true },
    },
    indexes: { byStatus: ["status", "count"], byTag: { path: "tags", each: true } },
  });
  globalThis.heard = [];
  globalThis.store = await EventStore.open(name);
  globalThis.orders = await store.project(Declared);
  orders.subscribe((keys) => heard.push(...(keys ?? ["all"])));
}

/** All documents, as one text: of what functions made, too, where they are folded in this tab. */
async function allOf() {
  await orders.waitFor(store.position);
  const { rows } = await orders.find({ limit: 10_000 });
  return JSON.stringify(rows.map(({ key, doc: { count, status, tags } }) => [key, count, status, tags]));
}

/** Turns a bit over in a stored record of documents, by its number. Says whether there is such a record. */
async function damage({ name, number }) {
  const done = (request) => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
  const connection = await done(indexedDB.open(`everfold:${name}`));
  const transaction = connection.transaction("documents", "readwrite", { durability: "strict" });
  const documents = transaction.objectStore("documents");
  const key = (await done(documents.getAllKeys()))[number];
  if (key !== undefined) {
    const bytes = await done(documents.get(key));
    bytes[bytes.length >> 1] ^= 1;
    documents.put(bytes, key);
    await new Promise((resolve) => (transaction.oncomplete = resolve));
  }
  connection.close();
  return key !== undefined;
}

test("Chromium: whatever record of documents is damaged, they are made anew, and nobody is told what is wrong", async () => {
  const profile = makeProfile();
  const browser = await openChromium(profile.path);
  try {
    for (const [name, openModel] of [["damaged", open], ["damaged declared", openDeclared]]) {
      const first = await browser.openPage(server.url + BARE_PAGE);
      await first.run(openModel, { name, version: 1 });
      await first.run(place, { first: 0, count: 300, status: "open" });
      const expected = await first.run(ask);
      assert.equal(expected.all, 300);
      let number = 0;
      for (; ; number += 1) {
        // One has pages at hand, and carries the documents on; another one meets what is damaged.
        const tab = await browser.openPage(server.url + BARE_PAGE);
        if (!(await tab.run(damage, { name, number }))) break;
        await tab.run(openModel, { name, version: 1 });
        const began = performance.now();
        await tab.run(place, { first: 1, count: 1, status: "open" });
        expected.first.count += 1;
        assert.deepEqual(await tab.run(ask), expected, `record ${number} of ${name}`);
        console.log(`  record ${number} of ${name} was mended in ${Math.round(performance.now() - began)} ms`);
        assert.equal(await tab.run(() => store.status.state), "open");
        assert.deepEqual(await first.run(ask), expected);
        await tab.close();
      }
      assert.ok(4 <= number, `there were ${number} records`);
      await first.close();
    }
  } finally {
    await browser.close();
    profile.remove();
  }
});

for (const [browserName, openBrowser] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${browserName}: all tabs have the same documents, and another one carries them on when a tab is gone`, async () => {
    const profile = makeProfile();
    const browser = await openBrowser(profile.path);
    try {
      const name = "projected";
      const one = await browser.openPage(server.url + BARE_PAGE);
      await one.run(open, { name, version: 1 });
      await one.run(place, { first: 0, count: 300, status: "open" });
      const other = await browser.openPage(server.url + BARE_PAGE);
      await other.run(open, { name, version: 1 });
      const first = { count: 1, status: "open", tags: ["tag 1"] };
      const expected = { all: 300, open: 300, first, tagged: 100 };
      assert.deepEqual(await one.run(ask), expected);
      assert.deepEqual(await other.run(ask), expected);
      assert.equal(await other.run(() => handled), 0, "what was folded once is not folded again");

      // Either tab appends: each event is in the documents once.
      const waits = [];
      for (const page of [one, other, one, other]) waits.push(await page.run(place, { first: 0, count: 2, status: "paid" }));
      const changed = { all: 300, open: 298, first: { count: 5, status: "paid", tags: ["tag 1"] }, tagged: 100 };
      assert.deepEqual(await one.run(ask), changed);
      assert.deepEqual(await other.run(ask), changed);
      for (const page of [one, other]) assert.ok((await page.run(() => heard)).includes("order-1"), "a tab did not hear of a change");

      // The tab that opened last does the work. It goes, and the other one notices when there is something to do.
      await other.run(() => store.close());
      await one.run(place, { first: 300, count: 10, status: "open" });
      const third = await browser.openPage(server.url + BARE_PAGE);
      await third.run(open, { name, version: 1 });
      await third.run(ask);
      await third.close();
      const takeover_ms = await one.run(place, { first: 310, count: 10, status: "open" });
      console.log(`  a change was waited for ${waits.join(", ")} ms; a tab that was closed was missed for ${takeover_ms} ms`);
      assert.ok(takeover_ms <= TAKEOVER_MS_MAX, `another tab took ${takeover_ms} ms to carry on`);
      assert.deepEqual(await one.run(ask), { all: 320, open: 318, first: changed.first, tagged: 107 });

      // A new version is made beside the old one.
      const newer = await browser.openPage(server.url + BARE_PAGE);
      await newer.run(open, { name, version: 2 });
      await newer.run(place, { first: 320, count: 1, status: "open" });
      assert.deepEqual(await newer.run(ask), { all: 321, open: 319, first: changed.first, tagged: 107 });
      assert.deepEqual(await one.run(ask), await newer.run(ask));
    } finally {
      await browser.close();
      profile.remove();
    }
  });

  test(`${browserName}: a document comes to the same as functions, in one tab after another`, async () => {
    const profile = makeProfile();
    const browser = await openBrowser(profile.path);
    try {
      const name = "declared";
      const one = await browser.openPage(server.url + BARE_PAGE);
      await one.run(openDeclared, { name });
      await one.run(place, { first: 0, count: 300, status: "open" });
      const other = await browser.openPage(server.url + BARE_PAGE);
      await other.run(openDeclared, { name });
      const waits = [];
      for (const page of [one, other, one, other]) waits.push(await page.run(place, { first: 0, count: 3, status: "paid" }));
      await one.run(() => store.append("order-7", { type: "Gone" }));
      await one.run(() => store.delete("order-8"));
      const expected = { all: 298, open: 295, first: { count: 5, status: "paid", tags: ["tag 1"] }, tagged: 99 };
      assert.deepEqual(await one.run(ask), expected);
      assert.deepEqual(await other.run(ask), expected);
      for (const page of [one, other]) assert.ok((await page.run(() => heard)).includes("order-1"), "a tab did not hear of a change");

      // Another one carries on, and after all tabs were gone a new one does.
      await other.run(() => store.close());
      const takeover_ms = await one.run(place, { first: 300, count: 10, status: "open" });
      console.log(`  a change was waited for ${waits.join(", ")} ms; a tab that was closed was missed for ${takeover_ms} ms`);
      assert.ok(takeover_ms <= TAKEOVER_MS_MAX, `another tab took ${takeover_ms} ms to carry on`);
      await one.run(() => store.close());
      const third = await browser.openPage(server.url + BARE_PAGE);
      await third.run(openDeclared, { name });
      const declared = await third.run(allOf);
      await third.run(async () => (await orders.rebuild(), undefined));
      assert.deepEqual(await third.run(ask), { ...expected, all: 308, open: 305, tagged: 102 });
      await third.run(() => store.close());
      const byFunctions = await browser.openPage(server.url + BARE_PAGE);
      await byFunctions.run(open, { name, version: 1 });
      assert.equal(await byFunctions.run(allOf), declared);
    } finally {
      await browser.close();
      profile.remove();
    }
  });
}
