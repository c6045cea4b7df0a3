// What callers get wrong with folds, commands, upcasters and schemas, and what they are told of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { EventStore, defineAggregate, defineEvents, defineProjection, eventType } from "../../dist/index.js";
import { given, openTestStore } from "../../dist/testing.js";
import { Account, bank, deposited } from "./bank.mjs";
import { refused, withStore } from "./check.mjs";

const { stream: _stream, ...definition } = Account;
const deposit = (amount) => ({ type: "Deposit", amount });
const changed = (changes) => defineAggregate({ ...definition, ...changes });

/** All ways to fold a stream, each with the store and the aggregate. */
const FOLDS = {
  load: (store, aggregate) => store.load(aggregate, "account-1"),
  "load of a query": (store, aggregate) => store.load(aggregate, { query: {} }),
  loadAll: (store, aggregate) => store.loadAll(aggregate),
  history: (store, aggregate) => store.history(aggregate, "account-1").toArray(),
  execute: (store, aggregate) => store.execute(aggregate, "account-1", deposit(1)),
  transact: (store, aggregate) => store.transact((tx) => tx.load(aggregate, "account-1")),
  given: async (_store, aggregate) => given(aggregate, deposited(1)),
};
const rejecting = async () => { throw new Error("late"); };
for (const [how, fold] of Object.entries(FOLDS)) {
  test(`${how} refuses a state that has to be waited for, be it the first or a later one`, () =>
    withStore(async (store) => {
      await store.append("account-1", deposited(1));
      await refused(() => fold(store, changed({ initial: rejecting })), "INVALID_ARGUMENT", { path: "aggregate.initial" });
      const error = await refused(() => fold(store, changed({ evolve: rejecting })), "REDUCER_FAILED", { aggregate: "account", revision: 0 });
      assert.match(error.message, /evolve must be synchronous/);
    }));
}

for (const [how, fold] of Object.entries(FOLDS)) {
  test(`${how} refuses an evolve that forgets to return the state`, () =>
    withStore(async (store) => {
      await store.append("account-1", deposited(1));
      const error = await refused(() => fold(store, changed({ evolve: () => {} })), "REDUCER_FAILED", { aggregate: "account", revision: 0 });
      assert.match(error.message, /evolve must return the next state/);
      assert.equal(error.name, "EverfoldError");
    }));
}

test("a document refuses a first state that has to be waited for", () =>
  withStore(async (store) => {
    const Documented = changed({ initial: rejecting, evolve: { MoneyDeposited: { $inc: { balance: "$data.amount" } } } });
    await refused(() => store.load(Documented, "account-1"), "INVALID_ARGUMENT", { path: "aggregate.initial" });
  }));

test("a state may be undefined", () =>
  withStore(async (store) => {
    const Perhaps = changed({ initial: () => undefined, evolve: (_state, { data }) => (data.amount === 0 ? undefined : data.amount) });
    await store.append("account-1", deposited(3));
    assert.equal((await store.execute(Perhaps, "account-1", deposit(0))).state, undefined);
    assert.equal((await store.load(Perhaps, "account-2")).state, undefined);
  }));

for (const revision of [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]) {
  test(`the state after revision ${revision} is the newest`, () =>
    withStore(async (store) => {
      await store.append("account-1", [deposited(1), deposited(2)]);
      assert.deepEqual(await store.load(Account, "account-1", { revision }), await store.load(Account, "account-1"));
    }));
}

for (const value of [{}, { evolve: null, initial: () => 0, stream: () => "" }, { evolve: () => 0, initial: 0, stream: () => "" }, { evolve: () => 0, initial: () => 0, stream: 0 }]) {
  test(`an aggregate by hand, ${Object.entries(value)}, is refused`, () =>
    withStore((store) => refused(() => store.load(value, "account-1"), "INVALID_ARGUMENT", { path: "aggregate" })));
}

// What a schema gives, and what it comes to: a code, and the issues where it found some.
const unclear = [{ message: "is not valid", path: [] }];
const VERDICTS = [
  ["an empty object", {}, undefined],
  ["undefined", undefined, "INVALID_ARGUMENT"],
  ["null", null, "INVALID_ARGUMENT"],
  ["a number", 5, "INVALID_ARGUMENT"],
  ["true for issues", { issues: true }, "INVALID_ARGUMENT"],
  ["null for issues", { value: 1, issues: null }, "INVALID_ARGUMENT"],
  ["no issues in a list of them", { issues: [] }, "SCHEMA_FAILED", []],
  ["null for an issue", { issues: [null] }, "SCHEMA_FAILED", unclear],
  ["an issue without a message", { issues: [{}] }, "SCHEMA_FAILED", unclear],
  ["a text for a path", { issues: [{ message: "m", path: "a.b" }] }, "SCHEMA_FAILED", [{ message: "m", path: [] }]],
  ["null in a path", { issues: [{ message: "m", path: [null, { key: "k" }, 0] }] }, "SCHEMA_FAILED", [{ message: "m", path: ["", "k", 0] }]],
];
for (const [what, verdict, code, issues] of VERDICTS) {
  const events = defineEvents({ Noted: eventType({ schema: { "~standard": { version: 1, vendor: "test", validate: () => verdict } } }) });
  test(`a schema that gives ${what} ${code === undefined ? "lets the event pass" : `is ${code}`}`, () =>
    withStore(async (store) => {
      const act = () => store.append("s", { type: "Noted", data: {} });
      if (code === undefined) await act();
      else await refused(act, code, code === "SCHEMA_FAILED" ? { type: "Noted", issues } : { path: "events[0].data" });
      assert.equal(store.position, code === undefined ? 1 : 0);
    }, { events }));
}

for (const version of [20_240_101, Number.MAX_SAFE_INTEGER]) {
  test(`upcasters that leave out all but one of ${version} versions are refused at once`, () => {
    const begun_ms = performance.now();
    const path = "types.Noted.upcast";
    return refused(() => defineEvents({ Noted: eventType({ version, upcast: { 1: (data) => data } }) }), "INVALID_ARGUMENT", { path }).then(() => {
      assert.ok(performance.now() - begun_ms < 1_000);
    });
  });
}

/** A log of two old events, and a store that reads them with this upcaster. */
function withUpcaster(upcast, body) {
  return withStore(async (old) => {
    await old.append("s", [{ type: "Noted", data: { count: 1 } }, { type: "Noted", data: { count: 2 } }, { type: "Closed" }]);
    const events = defineEvents({ Noted: eventType({ version: 2, upcast: { 1: upcast } }), Closed: eventType({ version: 2, upcast: { 1: (data) => data } }) });
    const Sum = defineAggregate({ name: "sum", events, initial: () => 0, evolve: { Noted: (sum, { data }) => sum + data.count } });
    return withStore((store) => body(store, Sum), { events }, old.name);
  });
}

test("an upcaster that changes what it is given changes it once", () =>
  withUpcaster((data) => Object.assign(data, { count: data.count * 10 }), async (store, Sum) => {
    assert.equal((await store.load(Sum, "s")).state, 30);
    const steps = await store.history(Sum, "s").toArray();
    assert.deepEqual(steps.map(({ event, state }) => [event.data, state]), [[{ count: 10 }, 10], [{ count: 20 }, 30], [undefined, 30]]);
  }));

test("an upcaster that returns nothing for data is refused, and one that has none to return is not", () =>
  withUpcaster((data) => { data.count *= 10; }, async (store, Sum) => {
    const fields = { type: "Noted", position: 1 };
    await refused(() => store.read("s").toArray(), "UPCASTER_FAILED", fields);
    await refused(() => store.load(Sum, "s"), "UPCASTER_FAILED", fields);
    const [closed] = await store.read("s", { from: 2 }).toArray();
    assert.equal(closed.data, undefined);
  }));

for (const thrown of [Object.create(null), { toString: () => ({}) }, Symbol("thrown"), null]) {
  test(`what has ${typeof thrown === "object" && thrown !== null ? "no text" : `the text ${String(thrown)}`} may be thrown`, async () => {
    const act = () => { throw thrown; };
    await withUpcaster(act, async (store) => {
      assert.equal((await refused(() => store.read("s").toArray(), "UPCASTER_FAILED")).cause, thrown);
      assert.equal((await refused(() => store.load(defineAggregate({ name: "a", events: bank, initial: () => 0, evolve: act }), "s"), "REDUCER_FAILED")).cause, thrown);
    });
    given(changed({ decide: act })).when({}).thenThrows();
  });
}

test("a transaction that goes on without an append that was refused is executed once all the same", () =>
  withStore(async (store) => {
    const run = (amount) => (tx) => {
      assert.throws(() => tx.append("account-1", [deposited(amount), deposited(NaN)]));
      tx.append("account-1", deposited(amount));
    };
    const first = await store.transact(run(1), { commandId: "c" });
    assert.deepEqual(await store.transact(run(2), { commandId: "c" }), { ...first, duplicate: true });
    assert.equal(store.position, 1);
  }));

test("a transaction may load thousands of streams, and is refused if one of them was hidden meanwhile", () =>
  withStore(async (store) => {
    const streams = Array.from({ length: 2_500 }, (_, index) => `account-${index}`);
    await store.appendAll(streams.slice(1).map((stream) => ({ stream, events: deposited(1) })));
    let runs = 0;
    const sum = async (tx) => {
      runs += 1;
      const loads = await Promise.all(streams.map((stream) => tx.load(Account, stream)));
      if (runs === 1) await store.delete("account-2400");
      tx.append("sum", deposited(loads.reduce((total, { state }) => total + state.balance, 0)));
    };
    assert.equal((await store.transact(sum)).attempts, 2);
    assert.deepEqual((await store.read("sum").toArray()).map(({ data }) => data.amount), [2_498]);
  }));

test("options count as they are when a decision begins, those that are inherited too", () =>
  withStore(async (store) => {
    const inherited = () => Object.create({ metadata: { user: "ada" }, commandId: "c" });
    const metadata = { user: "ada", commandId: "c" };
    const { events } = await store.execute(Account, "account-1", deposit(1), inherited());
    assert.deepEqual(events[0].metadata, metadata);
    await store.transact((tx) => tx.append("account-2", deposited(1)), inherited());
    assert.deepEqual((await store.read("account-2").toArray())[0].metadata, metadata);
    const options = { metadata: { user: "ada" } };
    let runs = 0;
    await store.transact(async (tx) => {
      runs += 1;
      options.metadata = { user: "eve" };
      await tx.load(Account, "account-3");
      if (runs === 1) await store.append("account-3", deposited(1));
      tx.append("account-3", deposited(2));
    }, options);
    assert.deepEqual((await store.read("account-3", { from: 1 }).toArray())[0].metadata, { user: "ada" });
  }));

for (const time of [1.5, NaN, "now"]) {
  test(`a test clock that says ${time} is refused`, async () => {
    const store = await openTestStore({ clock: () => time });
    await refused(() => store.append("s", deposited(1)), "INVALID_ARGUMENT", { path: "options.clock" });
    await store.close();
  });
}

test("a rule is tested without a store as with one: it leads to no fact of the store's own", () => {
  const Loose = defineAggregate({ name: "loose", initial: () => 0, evolve: (count) => count + 1, decide: (event) => event });
  given(Loose).when({ type: "$deleted" }).thenThrows(/"\$deleted"/);
  return withStore((store) => refused(() => store.execute(Loose, "s", { type: "$deleted" }), "INVALID_ARGUMENT", { path: "events[0].type" }));
});

test("a store that is closed within a transaction ends it", () =>
  withStore(async (store) => {
    const other = await EventStore.open(store.name, { storage: "memory", events: bank });
    const codes = [];
    await other.transact(async (tx) => {
      await tx.load(Account, "account-1");
      await EventStore.destroy(store.name);
      for (const stream of ["account-1", "account-2"]) await tx.load(Account, stream).catch(({ code }) => codes.push(code));
    });
    assert.deepEqual(codes, ["CLOSED"]);
    await other.close();
  }));

test("what is plain in another frame is plain here", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  const elsewhere = (code) => runInNewContext(`(${code})`);
  const Remote = defineAggregate({ name: "remote", events: undefined, initial: elsewhere("() => ({ seen: [] })"), evolve: elsewhere("{ Noted: ({ seen }) => ({ seen: [...seen, { more: 1 }] }) }"), snapshotEvery: 1 });
  await withStore(async (store) => {
    await store.append("s", { type: "Noted", data: {} });
    const { state } = await store.load(Remote, "s");
    assert.equal(JSON.stringify(state), '{"seen":[{"more":1}]}');
    assert.ok([state, state.seen, state.seen[0]].every(Object.isFrozen));
    assert.equal(warn.mock.callCount(), 0);
    const Document = defineProjection({ name: "remote", on: elsewhere("{ Noted: () => ({ list: [{}] }) }") });
    const model = await store.project(Document);
    await model.waitFor(store.position);
    assert.deepEqual(await model.get("s"), { list: [{}] });
  });
  await withUpcaster(elsewhere("({ count }) => ({ count: [count][0] * 10, list: [{}] })"), async (store, Sum) => assert.equal((await store.load(Sum, "s")).state, 30));
});

test("what is of a class is not plain, in whatever frame, nor is what only looks like an array of another", async () => {
  const strange = Object.setPrototypeOf([1], [2]);
  for (const data of [runInNewContext("new (class Money { count = 1 })()"), runInNewContext("new (class List extends Array {})()"), strange, Object.create(Object.create(null)), runInNewContext("new Map()")]) {
    await withUpcaster(() => data, (store) => refused(() => store.read("s").toArray(), "UPCASTER_FAILED"));
  }
  const evolve = runInNewContext("new (class Reducer { Noted(state) { return state; } })()");
  await refused(async () => changed({ evolve }), "INVALID_ARGUMENT", { path: "definition.evolve" });
});
