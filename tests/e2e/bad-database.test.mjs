// Databases that are not what a store left behind, and browsers that give none: each is said with a code, nothing
// is written to them, and what is whole can be read.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

let server;
let profile;
let browser;
let page;

before(async () => {
  server = await serveTests();
  profile = makeProfile();
  browser = await openChromium(profile.path);
  page = await browser.openPage(server.url + BARE_PAGE);
  await page.run(defineRaw);
});

after(async () => {
  await browser?.close();
  profile?.remove();
  await server?.close();
});

/** Gives the page functions on raw IndexedDB, in the global `raw`. */
async function defineRaw() {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const completed = (transaction) =>
    new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  const open = (name, version, stores = []) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => stores.forEach((store) => request.result.createObjectStore(store));
    return settled(request);
  };
  const text = (value) => {
    const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
    return bytes instanceof Uint8Array ? `bytes ${[...bytes]}` : JSON.stringify(value);
  };
  globalThis.raw = {
    /** Makes a database with these object stores, and a record in the first. */
    async make({ name, version, stores }) {
      const database = await open(name, version, stores);
      const transaction = database.transaction(stores[0], "readwrite");
      transaction.objectStore(stores[0]).put({ of: "another program" }, "key");
      await completed(transaction);
      database.close();
    },
    /** Everything that is in a database, as text. */
    async dump(name) {
      const database = await open(name);
      const content = { version: database.version };
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        const [keys, values] = await Promise.all([settled(objects.getAllKeys()), settled(objects.getAll())]);
        content[store] = keys.map((key, index) => `${text(key)} = ${text(values[index])}`);
      }
      database.close();
      return content;
    },
    /** Puts other bytes in the place of a record of `meta`. */
    async replaceMeta({ name, key, bytes }) {
      const database = await open(name);
      const transaction = database.transaction("meta", "readwrite");
      const meta = transaction.objectStore("meta");
      const binaryKey = new TextEncoder().encode(key);
      if ((await settled(meta.count(binaryKey))) !== 1) throw new Error(`there is no record ${key}`);
      meta.put(new Uint8Array(bytes), binaryKey);
      await completed(transaction);
      database.close();
    },
    /** Flips, truncates or deletes the record of the log that begins at a position. */
    async damage({ name, position, how }) {
      const database = await open(name);
      const transaction = database.transaction("log", "readwrite");
      const log = transaction.objectStore("log");
      if (how === "missing") {
        log.delete(position);
      } else {
        const value = await settled(log.get(position));
        if (value === undefined) throw new Error(`there is no record at ${position}`);
        const bytes = new Uint8Array(value.slice(0));
        if (how === "flipped") bytes[bytes.length >> 1] ^= 0x10;
        const changed = how === "truncated" ? bytes.slice(0, bytes.length >> 1) : bytes;
        log.put(value instanceof ArrayBuffer ? changed.buffer : changed, position);
      }
      await completed(transaction);
      database.close();
    },
  };
}

/** A store of four records: positions 1, 2 to 3, 4 and 5. */
async function writeFourRecords(name) {
  const store = await everfold.EventStore.open(name);
  const event = (number) => ({ type: "Noted", data: { number } });
  await store.append("a", event(1));
  await store.append("b", [event(2), event(3)]);
  await store.append("a", event(4));
  await store.append("b", event(5));
  await store.close();
}

/** What opening gives, and an append; each by its outcome. */
async function openAndAppend({ name, storage }) {
  const told = ({ code, message, retryable, position, segment, version }) => ({ code, message, retryable, position, segment, version });
  try {
    const store = await everfold.EventStore.open(name, { storage });
    try {
      const { lastPosition } = await store.append("a", { type: "Noted", data: { number: 6 } });
      return { storage: store.storage, lastPosition };
    } finally {
      await store.close();
    }
  } catch (error) {
    return { error: told(error) };
  }
}

/** Opening is refused with a code, and the database stays as it was. */
async function checkForeign({ name, version, stores }) {
  const database = `everfold:${name}`;
  await page.run((argument) => raw.make(argument), { name: database, version, stores });
  const before = await page.run((asked) => raw.dump(asked), database);
  // Memory would only hide that nothing can be kept under this name.
  for (const storage of ["indexeddb", "auto"]) {
    const { error } = await page.run(openAndAppend, { name, storage });
    assert.equal(error?.code, "STORAGE_UNAVAILABLE", `with storage "${storage}"`);
    assert.equal(error.retryable, false);
    assert.match(error.message, /not everfold's|version/);
  }
  assert.deepEqual(await page.run((asked) => raw.dump(asked), database), before);
}

test("a database of another program under the name of a store is refused and left alone", () =>
  checkForeign({ name: "foreign", version: 1, stores: ["customers"] }));

test("a database of another version is refused and left alone", () =>
  checkForeign({ name: "later", version: 7, stores: ["log", "meta"] }));

/** Its format record asks for readers and writers of format 65,535: see FORMAT.md, "The format record". */
const LATER_FORMAT = [255, 255, 0, 0, 255, 255, 0, 0, 242, 147, 145, 12, 225, 103, 255, 34];

test("a database that a newer everfold wrote is left alone, even where anything will do", async () => {
  const name = "newer";
  await page.run(writeFourRecords, name);
  await page.run((argument) => raw.replaceMeta(argument), { name: `everfold:${name}`, key: "format", bytes: LATER_FORMAT });
  const before = await page.run((asked) => raw.dump(asked), `everfold:${name}`);
  for (const storage of ["indexeddb", "auto"]) {
    const { error } = await page.run(openAndAppend, { name, storage });
    assert.equal(error?.code, "VERSION_TOO_NEW", `with storage "${storage}"`);
    assert.equal(error.version, 65_535);
  }
  assert.deepEqual(await page.run((asked) => raw.dump(asked), `everfold:${name}`), before);
});

/** Every read that needs the damaged record says so, every other works, appends are refused, and nothing is changed. */
async function checkDamage(how) {
  const name = `damaged-${how}`;
  await page.run(writeFourRecords, name);
  await page.run((argument) => raw.damage(argument), { name: `everfold:${name}`, position: 2, how });
  const before = await page.run((asked) => raw.dump(asked), `everfold:${name}`);
  const found = await page.run(async (name) => {
    const store = await everfold.EventStore.open(name);
    const numbers = async (reading) => (await reading.toArray()).map((event) => event.data.number);
    const refused = (promise) => promise.then(() => "no error", ({ code, position, segment, retryable }) => ({ code, position, segment, retryable }));
    const outcome = {
      append: await refused(store.append("c", { type: "Noted" })),
      whole: await refused(numbers(store.readAll())),
      before: await numbers(store.readAll({ before: 2 })),
      after: await numbers(store.readAll({ after: 3 })),
      stream: await numbers(store.read("a")),
      broken: await refused(numbers(store.read("b"))),
      end: await numbers(store.read("b", { from: 2 })),
      // The store goes on: the same questions again have the same answers.
      again: [await refused(store.append("c", { type: "Noted" })), await numbers(store.read("a"))],
    };
    await store.close();
    return outcome;
  }, name);
  const damage = { code: "CORRUPT_DATA", position: 2, segment: "log/2", retryable: false };
  assert.deepEqual(found, {
    append: damage,
    whole: damage,
    before: [1],
    after: [4, 5],
    stream: [1, 4],
    broken: damage,
    end: [5],
    again: [damage, [1, 4]],
  });
  assert.deepEqual(await page.run((asked) => raw.dump(asked), `everfold:${name}`), before);
}

for (const how of ["flipped", "truncated", "missing"]) {
  test(`a ${how} record is named by all that needs it, and the rest can be read`, () => checkDamage(how));
}

test("a database that does not open for now is not hidden by a store in memory", { timeout: 60_000 }, async () => {
  const name = "held";
  await page.run(writeFourRecords, name);
  // Another tab lets go of nothing, and a third one would delete it.
  await page.run(async (database) => {
    const opening = indexedDB.open(database);
    await new Promise((resolve) => (opening.onsuccess = resolve));
    globalThis.held = opening.result;
    const deleting = indexedDB.deleteDatabase(database);
    await new Promise((resolve) => (deleting.onblocked = resolve));
    globalThis.deleted = new Promise((resolve) => (deleting.onsuccess = resolve));
  }, `everfold:${name}`);
  const { error } = await page.run(openAndAppend, { name, storage: "auto" });
  assert.equal(error?.code, "STORAGE_UNAVAILABLE");
  assert.equal(error.retryable, true);
  await page.run(async () => {
    globalThis.held.close();
    await globalThis.deleted;
  });
});

/** A browser that refuses IndexedDB: a clear code where it was asked for, memory where anything will do. */
async function checkRefused(refuse, retryable = true) {
  const tab = await browser.context.newPage();
  try {
    await tab.addInitScript(refuse);
    await tab.goto(server.url + BARE_PAGE);
    const ask = (storage) => tab.evaluate(`(${openAndAppend})(${JSON.stringify({ name: "refused", storage })})`);
    const { error } = await ask("indexeddb");
    assert.equal(error?.code, "STORAGE_UNAVAILABLE");
    assert.equal(error.retryable, retryable);
    assert.deepEqual(await ask("auto"), { storage: "memory", lastPosition: 1 });
    assert.deepEqual(await ask("memory"), { storage: "memory", lastPosition: 1 });
  } finally {
    await tab.close();
  }
  assert.equal(await page.run((name) => everfold.EventStore.exists(name), "refused"), false);
}

test("without IndexedDB a store that needs it is refused, and one that does not is in memory", () =>
  checkRefused(() => Object.defineProperty(globalThis, "indexedDB", { value: undefined }), false));

test("where IndexedDB may not be touched it is the same", () =>
  checkRefused(() =>
    Object.defineProperty(globalThis, "indexedDB", {
      get() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    }),
  ));

test("where IndexedDB opens nothing it is the same", () =>
  checkRefused(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("A mutation operation was attempted on a database that did not allow it.", "InvalidStateError");
    };
  }));
