// What a store can do at the moment, and who hears of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, EverfoldError } from "../../dist/index.js";
import { openTestTabs } from "../../dist/testing.js";
import { newName, numbered, refused, until, withStore } from "./check.mjs";

/** Listens, and records each state that was told. */
function told(store) {
  const states = [];
  const stop = store.onStatus((status) => {
    assert.equal(store.status, status);
    states.push(status.state);
  });
  return { states, stop };
}

/** Has methods of a store's engine fail as they would with these codes, until they are mended. */
function failing(store, error) {
  const { engine } = store.handle.session;
  const { append } = engine;
  // Appends carry their errors with them.
  const { code, message, retryable, ...fields } = error;
  engine.append = async () => ({ numbers: Float64Array.of(0), errors: [{ code, message, retryable, ...fields }] });
  return () => (engine.append = append);
}

const lost = (code = "STORAGE_FAILED") => new EverfoldError("the storage is not there: a test", { code, retryable: true });

test("a store is open, and then closed, each since a moment", async () => {
  const before = Date.now();
  const store = await EventStore.open(newName(), { storage: "memory" });
  const { status } = store;
  assert.deepEqual([status.state, status.cause], ["open", undefined]);
  assert.ok(before <= status.since && status.since <= Date.now());
  assert.equal(store.status, status);
  const { states } = told(store);
  await store.close();
  assert.deepEqual([store.status.state, states], ["closed", ["closed"]]);
  assert.ok(status.since <= store.status.since);
});

test("one handle that is closed is closed by itself, and hears nothing any more", async () => {
  const name = newName();
  const [one, other] = [await EventStore.open(name, { storage: "memory" }), await EventStore.open(name, { storage: "memory" })];
  const [ofOne, ofOther] = [told(one), told(other)];
  await one.close();
  assert.deepEqual([one.status.state, other.status.state], ["closed", "open"]);
  await EventStore.destroy(name);
  assert.deepEqual([ofOne.states, ofOther.states], [["closed"], ["closed"]]);
});

for (const [code, state] of [
  ["STORAGE_FAILED", "reconnecting"],
  ["STORAGE_UNAVAILABLE", "blocked"],
]) {
  test(`after ${code} a store is ${state}, until the storage answers, without anybody's doing`, () =>
    withStore(async (store) => {
      const { states, stop } = told(store);
      const mend = failing(store, lost(code));
      await refused(() => store.append("a", numbered(1)), code);
      assert.equal(store.status.state, state);
      assert.equal(store.status.cause.code, code);
      const { status } = store;
      await refused(() => store.append("a", numbered(1)), code);
      assert.equal(store.status, status);
      mend();
      await until(() => store.status.state === "open");
      assert.deepEqual(states, [state, "open"]);
      stop();
    }));
}

test("nobody need listen for a storage to be found working again", () =>
  withStore(async (store) => {
    const mend = failing(store, lost());
    await refused(() => store.append("a", numbered(1)), "STORAGE_FAILED");
    mend();
    await until(() => store.status.state === "open");
  }));

test("an append that succeeds is an answer of the storage", () =>
  withStore(async (store) => {
    const mend = failing(store, lost());
    await refused(() => store.append("a", numbered(1)), "STORAGE_FAILED");
    mend();
    await store.append("a", numbered(1));
    assert.equal(store.status.state, "open");
  }));

test("of a read that fails the same is told", () =>
  withStore(async (store) => {
    const { engine } = store.handle.session;
    const { states, stop } = told(store);
    engine.onFailure(lost());
    engine.onFailure(new EverfoldError("no", { code: "INVALID_ARGUMENT", path: "a", problem: "no" }));
    assert.equal(store.status.state, "reconnecting");
    await until(() => store.status.state === "open");
    assert.deepEqual(states, ["reconnecting", "open"]);
    stop();
  }));

test("a tab without room is so until an append finds some, and the others are not", async () => {
  const tabs = await openTestTabs(2);
  const [one, two] = tabs;
  const { states, stop } = told(one.store);
  one.fail("quota");
  await refused(() => one.store.append("a", numbered(1)), "QUOTA_EXCEEDED");
  assert.equal(one.store.status.cause.code, "QUOTA_EXCEEDED");
  one.recover();
  await one.store.append("a", numbered(1));
  assert.deepEqual([states, two.store.status.state], [["quotaExceeded", "open"], "open"]);
  stop();
  await tabs.close();
});

test("a tab that is killed is closed", async () => {
  const tabs = await openTestTabs(1);
  const [{ store }] = tabs;
  const { states } = told(store);
  tabs[0].kill();
  await until(() => store.status.state === "closed");
  assert.deepEqual(states, ["closed"]);
  await tabs.close();
});

for (const [code, state] of [
  ["VERSION_TOO_NEW", "readOnly"],
  ["CORRUPT_DATA", "damaged"],
]) {
  test(`what refuses appends with ${code} lasts: ${state}, whatever else passes`, () =>
    withStore(async (store) => {
      const { states, stop } = told(store);
      const mend = failing(store, new EverfoldError("a test", { code, version: 9, supported: 1 }));
      await refused(() => store.append("a", numbered(1)), code);
      mend();
      store.handle.session.engine.onFailure(lost());
      assert.equal(store.status.state, "reconnecting");
      await until(() => store.status.state !== "reconnecting");
      assert.deepEqual([store.status.cause.code, states], [code, [state, "reconnecting", state]]);
      stop();
    }));
}

test("listeners hear of the same state, each until it stops, and one that throws keeps no other from it", async () => {
  const reported = [];
  const report = (error) => void reported.push(error.message);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", report);
  try {
    const store = await EventStore.open(newName(), { storage: "memory" });
    const heard = [];
    const stops = [
      store.onStatus(() => {
        throw new Error("thrown");
      }),
      store.onStatus(({ state }) => heard.push(`one ${state}`)),
      store.onStatus(({ state }) => heard.push(`other ${state}`)),
    ];
    stops[1]();
    stops[1]();
    await store.close();
    await until(() => reported.length === 1);
    assert.deepEqual([heard, reported], [["other closed"], ["thrown"]]);
  } finally {
    process.off("uncaughtException", report);
    for (const other of others) process.on("uncaughtException", other);
  }
});

test("what is no listener is refused", () => withStore((store) => refused(() => store.onStatus({}), "INVALID_ARGUMENT", { path: "listener" })));
