import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore } from "../../dist/index.js";
import { newName, numbered, refused } from "./check.mjs";

const memory = { storage: "memory" };

test("stores of one name share one log, whoever opened them first", async () => {
  const name = newName();
  const [one, other] = await Promise.all([EventStore.open(name, memory), EventStore.open(name, { storage: "auto" })]);
  await one.append("s", numbered(2));
  assert.equal(other.position, 2);
  assert.equal(other.storage, "memory");
  assert.equal((await other.read("s").toArray()).length, 2);
  await Promise.all([one.close(), other.close()]);
});

test("appends through several handles are made in the order of the calls", async () => {
  const name = newName();
  const [one, other] = await Promise.all([EventStore.open(name, memory), EventStore.open(name, memory)]);
  await Promise.all([
    one.append("s", { type: "1" }, { expected: "noStream" }),
    other.append("s", { type: "2" }, { expected: 0 }),
    one.append("s", { type: "3" }, { expected: 1 }),
  ]);
  await Promise.all([one.close(), other.close()]);
});

test("the last handle that closes ends a store in memory, and no other does", async () => {
  const name = newName();
  const one = await EventStore.open(name, memory);
  const other = await EventStore.open(name, memory);
  await one.append("s", numbered(1));
  await one.close();
  await one.close();
  assert.equal((await other.append("s", numbered(1))).lastRevision, 1);
  assert.equal(await EventStore.exists(name), true);
  await other.close();
  const fresh = await EventStore.open(name, memory);
  assert.equal(await fresh.count(), 0);
  await fresh.close();
});

test("a store that is open in memory is not opened elsewhere under the same name", async () => {
  const name = newName();
  const one = await EventStore.open(name, memory);
  await refused(() => EventStore.open(name, { storage: "indexeddb" }), "INVALID_ARGUMENT", { path: "options.storage" });
  await one.append("s", numbered(1));
  await one.close();
});

const CALLS = [
  ["append", (store) => store.append("s", { type: "A" })],
  ["appendAll", (store) => store.appendAll([])],
  ["read", (store) => store.read("s").toArray()],
  ["readAll", (store) => store.readAll().toArray()],
  ["replay", (store) => store.replay({}, () => {})],
  ["event", (store) => store.event("0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e")],
  ["streamInfo", (store) => store.streamInfo("s")],
  ["streams", (store) => store.streams().toArray()],
  ["count", (store) => store.count()],
  ["delete", (store) => store.delete("s")],
  ["tombstone", (store) => store.tombstone("s")],
  ["truncate", (store) => store.truncate("s", { before: 1 })],
  ["stats", (store) => store.stats()],
  ["compact", (store) => store.compact()],
  ["requestPersistence", (store) => store.requestPersistence()],
];
for (const [name, call] of CALLS) {
  test(`${name} of a closed store is refused, though another handle is open`, async () => {
    const storeName = newName();
    const [one, other] = await Promise.all([EventStore.open(storeName, memory), EventStore.open(storeName, memory)]);
    await one.append("s", numbered(1));
    await one.close();
    await refused(() => call(one), "CLOSED", { retryable: false });
    assert.equal(one.position, 1);
    await call(other);
    await other.close();
  });
}

test("closing waits for the writes under way", async () => {
  const store = await EventStore.open(newName(), memory);
  const appends = Array.from({ length: 100 }, () => store.append("s", numbered(1)));
  const deleted = store.delete("s");
  await store.close();
  assert.equal((await Promise.all(appends)).at(-1).lastRevision, 99);
  assert.equal((await deleted).position, 101);
  assert.equal(store.position, 101);
});

test("a store is closed by its asynchronous disposal", async () => {
  const store = await EventStore.open(newName(), memory);
  await store[Symbol.asyncDispose]();
  await refused(() => store.count(), "CLOSED");
});

test("a store that is destroyed is closed under its handles, after their appends", async () => {
  const name = newName();
  const store = await EventStore.open(name, memory);
  const append = store.append("s", numbered(1));
  await EventStore.destroy(name);
  assert.equal((await append).lastRevision, 0);
  await refused(() => store.count(), "CLOSED");
  await store.close();
  const fresh = await EventStore.open(name, memory);
  assert.equal(await fresh.count(), 0);
  await fresh.close();
});

test("where there is no IndexedDB, a store that is not open does not exist, and to destroy it is no error", async () => {
  assert.ok(!("indexedDB" in globalThis));
  const name = newName();
  await EventStore.destroy(name);
  assert.equal(await EventStore.exists(name), false);
});

test("a signal gives up opening, and what opens too late is let go", async () => {
  const name = newName();
  const reason = new Error("enough");
  await assert.rejects(EventStore.open(name, { ...memory, signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const opening = EventStore.open(name, { ...memory, signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(opening, reason);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const store = await EventStore.open(name, memory);
  await store.append("s", numbered(1));
  await store.close();
  const fresh = await EventStore.open(name, memory);
  assert.equal(await fresh.count(), 0);
  await fresh.close();
});

/** Opens where there is no IndexedDB, and counts the channels to other tabs that are open then: nobody can be heard by them. */
async function checkNoChannelLeft(storage, expectedKind) {
  const { BroadcastChannel } = globalThis;
  const left = new Set();
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
      super(name);
      left.add(this);
    }

    close() {
      left.delete(this);
      super.close();
    }
  };
  try {
    const store = await EventStore.open(newName(), { storage }).catch((error) => error);
    assert.equal(store.storage ?? store.code, expectedKind);
    assert.equal(left.size, 0);
    await store.close?.();
  } finally {
    globalThis.BroadcastChannel = BroadcastChannel;
    for (const channel of left) channel.close();
  }
}

for (const [storage, expectedKind] of [["indexeddb", "STORAGE_UNAVAILABLE"], ["auto", "memory"], ["memory", "memory"]]) {
  test(`where there is no IndexedDB, opening with "${storage}" leaves no channel to other tabs open`, async () => {
    await checkNoChannelLeft(storage, expectedKind);
  });
}

// A page that may keep nothing may not talk to other tabs either.
for (const [storage, expectedKind] of [["indexeddb", "STORAGE_UNAVAILABLE"], ["auto", "memory"], ["memory", "memory"]]) {
  test(`where channels between tabs are refused, opening with "${storage}" ends as it does without IndexedDB`, async () => {
    const { BroadcastChannel } = globalThis;
    globalThis.BroadcastChannel = class {
      constructor() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      }
    };
    try {
      const store = await EventStore.open(newName(), { storage }).catch((error) => error);
      assert.equal(store.storage ?? store.code, expectedKind);
      await store.close?.();
    } finally {
      globalThis.BroadcastChannel = BroadcastChannel;
    }
  });
}
