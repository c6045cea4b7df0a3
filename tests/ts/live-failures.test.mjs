// What becomes of live values where a reducer, an upcaster or the storage fails, and where a store is closed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, EverfoldError, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { openTestTabs } from "../../dist/testing.js";
import { newName, numbered, refused, until, withStore } from "./check.mjs";
import { listening, ready } from "./live.mjs";

const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1 });

test("an initial state that is none is an error, and no listener is left behind", () =>
  withStore(async (store) => {
    const Wrong = defineAggregate({ name: "wrong", initial: () => ({ sum: NaN }), evolve: { Numbered: { $inc: { sum: "$data.number" } } } });
    const live = store.live(Wrong, "a");
    const { states, stop } = listening(live);
    assert.deepEqual([live.get().status, live.get().error.code, live.get().error.path], ["error", "INVALID_ARGUMENT", "initial.sum"]);
    stop();
    assert.equal(states.length, 1);
  }));

test("a reducer that throws is an error, of which a deletion or a truncation takes the cause away", () =>
  withStore(async (store) => {
    const Strict = defineAggregate({
      name: "strict",
      initial: () => 0,
      evolve: (count, { data }) => {
        if (data.number === 7) throw new Error("not 7");
        return count + 1;
      },
    });
    const live = store.live(Strict, "a");
    const beside = store.live(Strict, "b");
    const { states, stop } = listening(live);
    const stopBeside = beside.subscribe(() => {});
    await ready(live);
    const seven = { type: "Numbered", data: { number: 7 } };
    await store.append("a", [...numbered(2), seven, ...numbered(1)]);
    await until(() => live.get().status === "error");
    const { error } = live.get();
    assert.deepEqual([error.code, error.aggregate, error.stream, error.revision], ["REDUCER_FAILED", "strict", "a", 2]);
    const failed = live.get();
    await store.append("a", numbered(1));
    await store.append("b", numbered(1));
    await ready(beside, ({ revision }) => revision === 0);
    assert.equal(live.get(), failed);
    await store.truncate("a", { before: 3 });
    await ready(live, ({ state }) => state === 2);
    await store.append("a", [seven]);
    await until(() => live.get().status === "error");
    await store.delete("a");
    await ready(live, ({ exists }) => !exists);
    await store.append("a", numbered(1));
    await ready(live, ({ state, revision }) => state === 1 && revision === 6);
    assert.deepEqual([...new Set(states.map(({ status }) => status))], ["ready", "error"]);
    stop();
    stopBeside();
  }));

test("upcasters and former names count, each value has events of its own, and those that are too new are an error", async () => {
  const name = newName();
  const inPlace = (data) => {
    data.amount *= 100;
    return data;
  };
  const yesterday = defineEvents({ Deposited: eventType() });
  const today = defineEvents({ MoneyDeposited: eventType({ version: 2, formerly: ["Deposited"], upcast: { 1: inPlace } }) });
  const tomorrow = defineEvents({ MoneyDeposited: eventType({ version: 3, upcast: { 1: inPlace, 2: (data) => data } }) });
  const open = (events) => EventStore.open(name, { storage: "memory", events });
  const [old, store, next] = [await open(yesterday), await open(today), await open(tomorrow)];
  const define = (aggregate, evolve) => defineAggregate({ name: aggregate, initial: () => ({ sum: 0 }), evolve: { MoneyDeposited: evolve } });
  const add = ({ sum }, { data }) => ({ sum: sum + data.amount });
  const lives = [
    store.live(define("one", add), "a"),
    store.live(define("two", add), "a"),
    store.live(define("three", add), { query: { types: ["MoneyDeposited"] } }),
    store.live(define("four", { $inc: { sum: "$data.amount" } }), "a"),
  ];
  const stops = lives.map((live) => live.subscribe(() => {}));
  for (const [amount, sum] of [
    [1, 100],
    [2, 300],
  ]) {
    await old.append("a", { type: "Deposited", data: { amount } });
    for (const live of lives) await ready(live, ({ state }) => state.sum === sum);
  }
  await next.append("a", { type: "MoneyDeposited", data: { amount: 1 } });
  for (const live of lives) {
    await until(() => live.get().status === "error");
    assert.equal(live.get().error.code, "SCHEMA_TOO_NEW");
  }
  for (const stop of stops) stop();
  for (const each of [old, store, next]) await each.close();
});

/** Has a method of a store's engine fail for a while. */
function failing(store, method, error) {
  const { engine } = store.handle.session;
  const asked = engine[method].bind(engine);
  engine[method] = () => Promise.reject(error);
  return () => (engine[method] = asked);
}

const brokenDown = () => new EverfoldError("the storage failed: a test", { code: "STORAGE_FAILED", retryable: true, cause: "a test" });

test("a storage that fails while a value is loaded is an error, told once, until it works again", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    const live = store.live(Count, "a");
    const mend = failing(store, "readStream", brokenDown());
    const { states, stop } = listening(live);
    await until(() => live.get().status === "error");
    const { error } = live.get();
    assert.equal(error.code, "STORAGE_FAILED");
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(live.get().error, error);
    mend();
    assert.equal((await ready(live)).state, 3);
    assert.equal(states.length, 2);
    stop();
  }));

test("where nothing that comes can be read, values are an error, and then what they would be", () =>
  withStore(async (store) => {
    const lives = [store.live(Count, "a"), store.live(Count, { query: {} })];
    const stops = lives.map((live) => live.subscribe(() => {}));
    for (const live of lives) await ready(live);
    const mend = failing(store, "nextPage", new EverfoldError("what is stored is damaged", { code: "CORRUPT_DATA", position: 1, segment: "log 1", problem: "a test" }));
    await store.append("a", numbered(1));
    await store.append("a", numbered(1));
    for (const live of lives) await until(() => live.get().status === "error");
    const late = store.live(Count, "b");
    stops.push(late.subscribe(() => {}));
    await until(() => late.get().status === "error");
    assert.deepEqual([...lives, late].map((live) => live.get().error.code), ["CORRUPT_DATA", "CORRUPT_DATA", "CORRUPT_DATA"]);
    await store.append("b", numbered(1));
    mend();
    assert.deepEqual([(await ready(lives[0])).state, (await ready(lives[1])).state, (await ready(late)).state], [2, 3, 1]);
    await store.append("b", numbered(1));
    await ready(lives[1], ({ state }) => state === 4);
    await ready(late, ({ state }) => state === 2);
    for (const stop of stops) stop();
  }));

test("a store that is closed says so to those who listen, and gives no value", async () => {
  const store = await EventStore.open(newName(), { storage: "memory" });
  const live = store.live(Count, "a");
  const { states } = listening(live);
  await ready(live);
  await store.close();
  assert.deepEqual([live.get().status, live.get().error.code], ["error", "CLOSED"]);
  assert.equal(states.length, 2);
  await refused(() => store.live(Count, "a"), "CLOSED");
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  const late = live.subscribe(() => {});
  await until(() => live.get().status === "error");
  assert.equal(live.get().error.code, "CLOSED");
  late();
});

test("one handle that is closed ends its own values, and those of no other", async () => {
  const name = newName();
  const [one, other] = [await EventStore.open(name, { storage: "memory" }), await EventStore.open(name, { storage: "memory" })];
  const [live, stays] = [one.live(Count, "a"), other.live(Count, "a")];
  const stops = [live.subscribe(() => {}), stays.subscribe(() => {})];
  await ready(live);
  await ready(stays);
  await one.close();
  assert.equal(live.get().status, "error");
  for (const stop of stops) stop();
  assert.equal(live.get().status, "error");
  const again = live.subscribe(() => {});
  await until(() => live.get().status === "error");
  again();
  const stop = stays.subscribe(() => {});
  await other.append("a", numbered(1));
  await ready(stays, ({ revision }) => revision === 0);
  stop();
  await other.close();
});

test("live values are as those of a store that was killed: an error", async () => {
  const tabs = await openTestTabs(2);
  const [one, two] = tabs;
  const live = one.store.live(Count, "a");
  const stop = live.subscribe(() => {});
  await ready(live);
  await two.store.append("a", numbered(1));
  await ready(live, ({ revision }) => revision === 0);
  one.kill();
  await until(() => live.get().status === "error");
  assert.equal(live.get().error.code, "CLOSED");
  stop();
  await tabs.close();
});
