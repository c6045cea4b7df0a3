// Snapshots in IndexedDB: kept across openings and tabs, and ignored where they are not what they should be.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

/** Opens a store, loads an account of which the factor is a part of the reducer, and tells how many events were folded for it. */
async function load({ name, doubles, events }) {
  const folded = { count: 0 };
  const once = (state, { data }) => ((folded.count += 1), { balance: state.balance + data.amount });
  const twice = (state, { data }) => ((folded.count += 1), { balance: state.balance + data.amount * 2 });
  const { EventStore, defineAggregate } = everfold;
  const Account = defineAggregate({ name: "account", initial: () => ({ balance: 0 }), evolve: doubles ? twice : once, snapshotEvery: 50 });
  const store = await EventStore.open(name);
  for (let number = 0; number < events; number += 1) await store.append("account-1", { type: "Deposited", data: { amount: 1 } });
  const { state } = await store.load(Account, "account-1");
  // What is due is kept by the time that a store is closed.
  await store.close();
  const again = await EventStore.open(name);
  const { snapshots } = await again.stats();
  await again.close();
  return [folded.count, state.balance, snapshots];
}

/** Does something to all records of the object store of snapshots, as somebody might with the tools of a browser. */
async function spoil({ name, how }) {
  const request = indexedDB.open(`everfold:${name}`);
  const database = await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction("snapshots", "readwrite");
  let count = 0;
  transaction.objectStore("snapshots").openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (cursor === null) return;
    count += 1;
    const bytes = new Uint8Array(cursor.value).slice();
    if (how === "a bit") bytes[bytes.length >> 1] ^= 4;
    cursor.update(how === "no bytes" ? "not bytes" : how === "cut short" ? bytes.slice(0, -3) : bytes);
    cursor.continue();
  };
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  database.close();
  return count;
}

for (const [browserName, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${browserName}: a snapshot is kept, and one that is spoilt or of another reducer is ignored`, async () => {
    const profile = makeProfile();
    const browser = await open(profile.path);
    try {
      const page = await browser.openPage(server.url + BARE_PAGE);
      const name = "snapshots";
      assert.deepEqual(await page.run(load, { name, events: 60 }), [60, 60, 1]);
      assert.deepEqual(await page.run(load, { name, events: 5 }), [5, 65, 1]);
      // Another tab, and a reducer that was changed between two openings.
      const other = await browser.openPage(server.url + BARE_PAGE);
      assert.deepEqual(await other.run(load, { name, events: 0 }), [5, 65, 1]);
      assert.deepEqual(await other.run(load, { name, doubles: true, events: 0 }), [65, 130, 1]);
      assert.deepEqual(await page.run(load, { name, events: 0 }), [65, 65, 1]);
      for (const how of ["a bit", "cut short", "no bytes"]) {
        assert.equal(await page.run(spoil, { name, how }), 1);
        assert.deepEqual(await other.run(load, { name, events: 0 }), [65, 65, 1], how);
        assert.deepEqual(await page.run(load, { name, events: 0 }), [0, 65, 1], how);
      }
    } finally {
      await browser.close();
      profile.remove();
    }
  });
}
