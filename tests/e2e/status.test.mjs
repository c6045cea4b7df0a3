// What a store says it can do, when its database is destroyed, cleared, out of reach, full, damaged or ahead of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const BROWSERS = { Chromium: openChromium, Firefox: openFirefox };
const opened = {};
let server;

before(async () => {
  server = await serveTests();
  for (const [name, open] of Object.entries(BROWSERS)) {
    const profile = makeProfile();
    opened[name] = { profile, browser: await open(profile.path) };
  }
});

after(async () => {
  for (const { browser, profile } of Object.values(opened)) {
    await browser.close();
    profile.remove();
  }
  await server?.close();
});

/** Runs with tabs of a browser: the first has a store open, and records what becomes of it. */
async function inTabs(browserName, database, count, body) {
  const { browser } = opened[browserName];
  const tabs = [];
  for (let place = 0; place < count; place += 1) tabs.push(await browser.openPage(server.url + BARE_PAGE));
  // They stay open: Firefox ends with its last one.
  await tabs[0].run(openAndListen, database);
  return body(...tabs);
}

/** Opens a store with four events, and records each status. */
async function openAndListen(database) {
  const store = await everfold.EventStore.open(database);
  for (let number = 1; number <= 4; number += 1) await store.append("a", { type: "Noted", data: { number } });
  const states = [];
  store.onStatus(({ state, cause }) => states.push([state, cause?.code ?? null]));
  Object.assign(globalThis, { store, states });
}

/** Waits until the store is in a state, and gives all that were told. */
async function reached(wanted) {
  const end = performance.now() + 15_000;
  while (store.status.state !== wanted && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  return states;
}

/** What becomes of an append. */
async function append() {
  return store.append("a", { type: "Noted", data: { number: 5 } }).then(
    ({ lastRevision }) => lastRevision,
    ({ code }) => code,
  );
}

for (const name of Object.keys(BROWSERS)) {
  test(`${name}: a store that another tab destroys is closed`, () =>
    inTabs(name, "destroyed", 2, async (tab, other) => {
      await other.run((database) => everfold.EventStore.destroy(database), "destroyed");
      const began_ms = Date.now();
      assert.deepEqual(await tab.run(reached, "closed"), [["closed", "CLOSED"]]);
      assert.ok(Date.now() - began_ms < 2_000);
      assert.equal(await tab.run(append), "CLOSED");
    }));

  test(`${name}: a store whose database something else deletes is cleared, and can be opened anew`, () =>
    inTabs(name, "deleted", 2, async (tab, other) => {
      await other.run(async (database) => {
        const request = indexedDB.deleteDatabase(database);
        await new Promise((resolve, reject) => Object.assign(request, { onsuccess: resolve, onerror: reject }));
      }, "everfold:deleted");
      assert.deepEqual(await tab.run(reached, "cleared"), [["cleared", "CLOSED"]]);
      assert.deepEqual(await tab.run(openAnew, "deleted"), ["open", 0]);
    }));

  test(`${name}: a database that does not open for a while is waited for, and nothing is lost`, () =>
    inTabs(name, "away", 1, async (tab) => {
      await tab.run(showCount);
      await tab.run(loseConnections);
      assert.equal(await tab.run(append), "STORAGE_UNAVAILABLE");
      assert.deepEqual(await tab.run(reached, "blocked"), [["blocked", "STORAGE_UNAVAILABLE"]]);
      await tab.run(async () => globalThis.giveBack());
      assert.deepEqual(await tab.run(reached, "open"), [["blocked", "STORAGE_UNAVAILABLE"], ["open", null]]);
      assert.deepEqual([await tab.run(append), await tab.run(async () => store.count())], [4, 5]);
      // What followed the log follows it still.
      assert.equal(await tab.run(async () => globalThis.shows(5)), true);
    }));

  test(`${name}: connections that are lost and opened again are no change`, () =>
    inTabs(name, "lost", 1, async (tab) => {
      await tab.run(loseConnectionsOnce);
      assert.deepEqual([await tab.run(append), await tab.run(append), await tab.run(reached, "open")], [4, 5, []]);
      assert.equal(await tab.run(async () => globalThis.lostCount), 1);
    }));

  test(`${name}: a tab that is too old for what another wrote reads, and so do the others, which did not append`, () =>
    inTabs(name, "newer", 2, async (tab, other) => {
      await other.run(openSecond, "newer");
      await tab.run(raiseWriter, "everfold:newer");
      assert.equal(await tab.run(append), "VERSION_TOO_NEW");
      for (const each of [tab, other]) assert.deepEqual(await each.run(reached, "readOnly"), [["readOnly", "VERSION_TOO_NEW"]]);
      assert.equal(await other.run(async () => store.count()), 4);
      // Who opens it now is told as soon as he asks.
      assert.deepEqual(await other.run(openThird, "newer"), ["readOnly", "VERSION_TOO_NEW"]);
    }));

  test(`${name}: a store with a damaged record is damaged, and reads what is whole`, () =>
    inTabs(name, "damaged", 2, async (tab, other) => {
      await tab.run(async () => store.close());
      await tab.run(damage, "everfold:damaged");
      await other.run(openSecond, "damaged");
      assert.deepEqual(await other.run(reached, "damaged"), [["damaged", "CORRUPT_DATA"]]);
      assert.equal(await other.run(append), "CORRUPT_DATA");
    }));
}

test("Chromium: a store whose site data its user clears is cleared", () =>
  inTabs("Chromium", "wiped", 1, async (tab) => {
    const session = await opened.Chromium.browser.context.newCDPSession(tab.page);
    await session.send("Storage.clearDataForOrigin", { origin: new URL(server.url).origin, storageTypes: "indexeddb" });
    assert.deepEqual(await tab.run(reached, "cleared"), [["cleared", "CLOSED"]]);
    assert.deepEqual(await tab.run(openAnew, "wiped"), ["open", 0]);
  }));

test("Chromium: of a store whose site data its user clears no tab goes on with what another one begins anew", () =>
  inTabs("Chromium", "begun anew", 2, async (tab, other) => {
    // It only has it open: nobody asks it for anything until there is another one.
    await other.run(async (name) => void (globalThis.store = await everfold.EventStore.open(name)), "begun anew");
    await other.run(append);
    const session = await opened.Chromium.browser.context.newCDPSession(tab.page);
    await session.send("Storage.clearDataForOrigin", { origin: new URL(server.url).origin, storageTypes: "indexeddb" });
    assert.deepEqual(await tab.run(reached, "cleared"), [["cleared", "CLOSED"]]);
    assert.deepEqual(await tab.run(openAnew, "begun anew"), ["open", 0]);
    await tab.run(append);
    assert.equal(await other.run(append), "CLOSED");
  }));

test("Chromium: a store without room says so, until there is some", async () => {
  // A browser of its own: Chromium asks for the room of an origin now and then, not for each write.
  const profile = makeProfile();
  const browser = await openChromium(profile.path);
  try {
    const tab = await browser.openPage(server.url + BARE_PAGE);
    const session = await browser.context.newCDPSession(tab.page);
    const origin = new URL(server.url).origin;
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 3_000_000 });
    await tab.run(openAndListen, "full");
    await tab.run(fill);
    assert.deepEqual(await tab.run(reached, "quotaExceeded"), [["quotaExceeded", "QUOTA_EXCEEDED"]]);
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    await tab.run(append);
    assert.deepEqual(await tab.run(reached, "open"), [["quotaExceeded", "QUOTA_EXCEEDED"], ["open", null]]);
  } finally {
    await browser.close();
    profile.remove();
  }
});

async function openAnew(database) {
  const store = await everfold.EventStore.open(database);
  try {
    return [store.status.state, await store.count()];
  } finally {
    await store.close();
  }
}

async function openSecond(database) {
  const store = await everfold.EventStore.open(database);
  const states = [];
  store.onStatus(({ state, cause }) => states.push([state, cause?.code ?? null]));
  Object.assign(globalThis, { store, states });
}

/** Opens a store that no tab has open, and gives the first status that is told. */
async function openThird(database) {
  await store.close();
  const third = await everfold.EventStore.open(database);
  const status = await new Promise((resolve) => third.onStatus(resolve));
  await third.close();
  return [status.state, status.cause.code];
}

/** Closes all connections of this tab, and has none opened until they are given back. */
async function loseConnections() {
  const { open } = IDBFactory.prototype;
  const { transaction } = IDBDatabase.prototype;
  // The store is asked for a connection that it has, which is then no more.
  IDBDatabase.prototype.transaction = function (...given) {
    this.close();
    return transaction.apply(this, given);
  };
  IDBFactory.prototype.open = () => {
    throw new DOMException("a test has it away", "UnknownError");
  };
  globalThis.giveBack = () => {
    IDBFactory.prototype.open = open;
    IDBDatabase.prototype.transaction = transaction;
  };
}

/** As that, but for what is opened then. */
async function loseConnectionsOnce() {
  const { transaction } = IDBDatabase.prototype;
  globalThis.lostCount = 0;
  const lost = new WeakSet();
  IDBDatabase.prototype.transaction = function (...given) {
    if (globalThis.lostCount === 0 || lost.has(this)) {
      lost.add(this);
      globalThis.lostCount = 1;
      this.close();
    }
    return transaction.apply(this, given);
  };
}

/** Follows the number of events, and has a way to wait for it. */
async function showCount() {
  const Count = everfold.defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1 });
  const live = store.live(Count, "a");
  live.subscribe(() => {});
  globalThis.shows = async (count) => {
    const end = performance.now() + 10_000;
    while (live.get().value?.state !== count && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    return live.get().value?.state === count;
  };
  await globalThis.shows(4);
}

/** Has the head ask for a newer writer, as a newer everfold does that writes another format: see FORMAT.md, "The head". */
async function raiseWriter(database) {
  const settled = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: reject }));
  /** XXH64 of 28 bytes: three lanes of eight and one of four. */
  const checksumOf = (bytes) => {
    const [one, two, three, four, five] = [11400714785074694791n, 14029467366897019727n, 1609587929392839161n, 9650029242287828579n, 2870177450012600261n];
    const fit = (value) => BigInt.asUintN(64, value);
    const rotated = (value, count) => fit((value << count) | (value >> (64n - count)));
    const view = new DataView(bytes.buffer);
    let hash = fit(five + 28n);
    for (const place of [0, 8, 16]) hash = fit(rotated(hash ^ fit(rotated(fit(view.getBigUint64(place, true) * two), 31n) * one), 27n) * one + four);
    hash = fit(rotated(hash ^ fit(BigInt(view.getUint32(24, true)) * one), 23n) * two + three);
    hash = fit((hash ^ (hash >> 33n)) * two);
    hash = fit((hash ^ (hash >> 29n)) * three);
    return hash ^ (hash >> 32n);
  };
  const opened = await settled(indexedDB.open(database));
  const transaction = opened.transaction("meta", "readwrite");
  const meta = transaction.objectStore("meta");
  const key = new TextEncoder().encode("head");
  const stored = await settled(meta.get(key));
  const bytes = new Uint8Array(stored instanceof ArrayBuffer ? stored.slice(0) : stored);
  const before = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(28, true);
  if (checksumOf(bytes.slice(0, 28)) !== before) throw new Error("the checksum of the head is another one");
  bytes[3] = 255;
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(28, checksumOf(bytes.slice(0, 28)), true);
  meta.put(stored instanceof ArrayBuffer ? bytes.buffer : bytes, key);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  opened.close();
}

/** Takes a record out of the middle of the log. */
async function damage(database) {
  const request = indexedDB.open(database);
  const opened = await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const transaction = opened.transaction("log", "readwrite");
  transaction.objectStore("log").delete(2);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  opened.close();
}

/** Appends large events until there is no room. */
async function fill() {
  const filling = () => Array.from(crypto.getRandomValues(new Uint8Array(40_000)), (byte) => String.fromCharCode(33 + (byte % 90))).join("");
  for (let count = 0; count < 500 && store.status.state === "open"; count += 1) {
    await store.append("filled", { type: "Filled", data: { filling: filling() } }).catch(() => {});
  }
}
