// Aggregates in Rust, by the wasm of `examples/rust-aggregate`, which this process uses in place of everfold's own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { EventStore, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { rustAggregate, useWasm } from "../../dist/rust.js";
import { given } from "../../dist/testing.js";
import * as glue from "../../examples/rust-aggregate/pkg/bank_domain_bg.js";

const url = new URL("../../examples/rust-aggregate/pkg/bank_domain_bg.wasm", import.meta.url);
const Account = rustAggregate({ name: "account", category: "account" });

/** The same in JavaScript: what it has to come to. */
const Mirror = defineAggregate({
  name: "mirror",
  category: "account",
  initial: () => ({ owner: "", balance: 0, notes: 0 }),
  evolve: {
    AccountOpened: (state, { data }) => ({ ...state, owner: data.owner }),
    MoneyDeposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
    MoneyWithdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
    NoteAdded: (state) => ({ ...state, notes: state.notes + 1 }),
  },
});

let count = 0;
/** Runs with a store of its own. */
async function withStore(run, options = {}) {
  const store = await EventStore.open(`rust-${(count += 1)}`, { storage: "memory", ...options });
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}

const opened = { type: "AccountOpened", data: { owner: "Ada" } };
const deposited = (amount) => ({ type: "MoneyDeposited", data: { amount } });
const withdrawn = (amount) => ({ type: "MoneyWithdrawn", data: { amount } });

before(() => useWasm({ glue, url }));

test("before a store is open, nothing is known of the wasm, which is said", () => {
  for (const use of [() => Account.initial(), () => Account.version, () => Account.decide({ type: "Open", owner: "" }, {}, {})]) {
    assert.throws(use, { code: "INVALID_ARGUMENT", path: "aggregate.name", message: /not loaded yet: open a store first/ });
  }
});

test("loads now, at any moment, of a query and of all streams come to what functions come to", () =>
  withStore(async (store) => {
    for (let account = 0; account < 20; account += 1) {
      await store.append(`account-${account}`, [opened, deposited(account), { type: "Other" }, withdrawn(0.1), { type: "NoteAdded", data: {} }]);
    }
    await store.delete("account-3");
    for (const compacted of [false, true]) {
      if (compacted) await store.compact();
      for (const moment of [{}, { revision: 0 }, { revision: 2 }, { position: 1 }, { position: 9 }, { time: Date.now() - 60_000 }]) {
        for (const stream of ["account-1", "account-3", "account-99"]) {
          assert.deepEqual(await store.load(Account, stream, moment), await store.load(Mirror, stream, moment));
        }
      }
      const query = { types: ["MoneyDeposited"] };
      assert.deepEqual(await store.load(Account, { query }), await store.load(Mirror, { query }));
      const [all, mirrored] = [await store.loadAll(Account), await store.loadAll(Mirror)];
      assert.equal(all.size, 19);
      assert.deepEqual(all, mirrored);
    }
    const steps = async (aggregate) => Array.fromAsync?.(store.history(aggregate, "account-1", { diff: true })) ?? [];
    assert.deepEqual(await steps(Account), await steps(Mirror));
  }));

test("a live state by Rust follows what is appended and hidden, as one by functions does", () =>
  withStore(async (store) => {
    const sources = ["account-1", { query: { types: ["MoneyDeposited"] } }];
    const [lives, mirrors] = [Account, Mirror].map((aggregate) => sources.map((source) => store.live(aggregate, source)));
    const stops = [...lives, ...mirrors].map((live) => live.subscribe(() => {}));
    const same = async (balance) => {
      for (const [place, live] of lives.entries()) {
        while (live.get().value?.state.balance !== balance || mirrors[place].get().value?.state.balance !== balance) await new Promise((resolve) => setImmediate(resolve));
        const { position: _, ...loaded } = await store.load(Mirror, sources[place]);
        for (const { value } of [live.get(), mirrors[place].get()]) assert.deepEqual({ ...value, position: undefined }, { ...loaded, position: undefined });
      }
    };
    await same(0);
    await store.append("account-1", [opened, deposited(5)]);
    await store.append("account-1", [{ type: "NoteAdded", data: {} }, deposited(7)]);
    await same(12);
    await store.truncate("account-1", { before: 3 });
    await same(7);
    await store.delete("account-1");
    await same(0);
    await store.append("account-1", deposited(3));
    await same(3);
    for (const stop of stops) stop();
  }));

test("a command is decided in Rust, on the newest state, and executed once under its id", () =>
  withStore(async (store) => {
    const stream = Account.stream("1");
    assert.equal(stream, "account-1");
    await store.execute(Account, stream, { type: "Open", owner: "Ada" });
    // Twenty at once, of which there is money for ten.
    await store.append(stream, deposited(10));
    const commands = Array.from({ length: 20 }, () => store.execute(Account, stream, { type: "Withdraw", amount: 1 }));
    const outcomes = await Promise.allSettled(commands);
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 10);
    assert.equal((await store.load(Account, stream)).state.balance, 0);

    for (const duplicate of [false, true]) {
      const result = await store.execute(Account, stream, { type: "Deposit", amount: 3 }, { commandId: "c1" });
      assert.deepEqual([result.duplicate, result.state, result.events.length], [duplicate, { owner: "Ada", balance: 3, notes: 0 }, 1]);
    }
  }));

test("what a rule refuses says why, for people and for programs, and nothing is written", () =>
  withStore(async (store) => {
    const refused = (command, error) => assert.rejects(store.execute(Account, "account-1", command), { name: "EverfoldError", aggregate: "account", retryable: false, ...error });
    await refused({ type: "Deposit", amount: 1 }, { code: "COMMAND_REFUSED", message: "the account is not open", cause: { type: "NotOpen" } });
    await store.execute(Account, "account-1", { type: "Open", owner: "Ada" });
    const cause = { type: "Overdrawn", missing: 2 };
    await refused({ type: "Withdraw", amount: 2 }, { code: "COMMAND_REFUSED", message: "the account lacks 2", cause });
    assert.equal(await store.count({}), 1);
  }));

test("a command that is none of its type is refused, and so is a state", () =>
  withStore(async (store) => {
    const check = (command, problem) =>
      assert.rejects(store.execute(Account, "account-1", command), { code: "INVALID_ARGUMENT", path: /^command/, problem });
    await check({ type: "Steal" }, /^is no command of the aggregate account: unknown variant `Steal`/);
    await check({ type: "Open" }, /missing field `owner`/);
    await check({ type: "Open", owner: 7 }, /invalid type/);
    for (const command of [null, 7, "Open", [], {}, { type: { type: "Open" } }, { type: "Deposit", amount: "1" }]) await check(command, /^is no command/);
    // What JSON cannot hold is refused where it is found.
    await check(undefined, /./);
    await check({ type: "Deposit", amount: NaN }, /./);
    await check({ type: "Deposit", amount: 10n }, /./);
    await check({ type: "Open", owner: () => {} }, /./);
    const cycle = { type: "Open" };
    cycle.owner = cycle;
    await check(cycle, /./);
    let deep = "x";
    for (let level = 0; level < 500; level += 1) deep = [deep];
    await check({ type: "Open", owner: deep }, /./);
    await check({ type: "Open", owner: "\ud800" }, /./);
    assert.equal(await store.count({}), 0);
    const context = { now: 0, revision: 0, newId: () => "" };
    assert.throws(() => Account.decide({ type: "Open", owner: "" }, { balance: "much" }, context), { code: "INVALID_ARGUMENT", path: "state" });
  }));

test("data that is not what its type says fails, and is not written by a command", () =>
  withStore(async (store) => {
    await store.append("account-1", [opened, deposited("much")]);
    const failed = { code: "REDUCER_FAILED", aggregate: "account", stream: "account-1", revision: 1, type: "MoneyDeposited" };
    await assert.rejects(store.load(Account, "account-1"), failed);
    await assert.rejects(store.loadAll(Account), failed);
    await assert.rejects(store.execute(Account, "account-1", { type: "Deposit", amount: 1 }), failed);
    assert.equal(await store.count({}), 2);
  }));

test("an aggregate that the wasm does not have is refused, with the names of those that it has", () =>
  withStore(async (store) => {
    const Acount = rustAggregate({ name: "acount", category: "account" });
    for (const use of [store.load(Acount, "account-1"), store.loadAll(Acount), store.execute(Acount, "account-1", {})]) {
      await assert.rejects(use, { code: "INVALID_ARGUMENT", path: "aggregate.name", message: /"acount".*it has account/ });
    }
  }));

test("events of former versions and names are made those of today before Rust sees them", () =>
  withStore(async (store) => {
    for (let account = 0; account < 5; account += 1) {
      await store.append(`account-${account}`, [opened, { type: "Deposited", data: { sum: 3 } }, { type: "MoneyWithdrawn", data: { amount: 1 } }, { type: "NoteAdded", data: {} }]);
    }
    const events = defineEvents({
      AccountOpened: eventType(),
      MoneyDeposited: eventType({ version: 2, formerly: ["Deposited"], upcast: { 1: ({ sum }) => ({ amount: sum * 100 }) } }),
      MoneyWithdrawn: eventType({ version: 2, upcast: { 1: ({ amount }) => ({ amount: amount * 100 }) } }),
      NoteAdded: eventType({ version: 2, upcast: { 1: () => null } }),
    });
    const options = { category: "account", events };
    const [Today, MirrorToday] = [rustAggregate({ name: "account", ...options }), defineAggregate({ ...options, name: "mirror", initial: Mirror.initial, evolve: Mirror.evolve })];
    for (const compacted of [false, true]) {
      if (compacted) await store.compact();
      assert.deepEqual((await store.load(Today, "account-1")).state, { owner: "Ada", balance: 200, notes: 0 });
      assert.deepEqual(await store.load(Today, "account-1", { revision: 1 }), await store.load(MirrorToday, "account-1", { revision: 1 }));
      assert.deepEqual(await store.loadAll(Today), await store.loadAll(MirrorToday));
    }
    const { state, events: written } = await store.execute(Today, "account-1", { type: "Withdraw", amount: 50 });
    assert.equal(state.balance, 150);
    assert.equal(written[0].metadata.schemaVersion, 2);
  }));

test("a transaction holds to what it loaded", () =>
  withStore(async (store) => {
    await store.append("account-1", [opened, deposited(10)]);
    let runs = 0;
    const { attempts } = await store.transact(async (tx) => {
      const { state } = await tx.load(Account, "account-1");
      if ((runs += 1) === 1) await store.append("account-1", deposited(5));
      tx.append("account-1", withdrawn(state.balance));
    });
    assert.equal(attempts, 2);
    assert.equal((await store.load(Account, "account-1")).state.balance, 0);
  }));

test("snapshots are kept where they are asked for, and loads come to the same", () =>
  withStore(async (store) => {
    const Kept = rustAggregate({ name: "account", category: "account", snapshotEvery: 5 });
    await store.append("account-1", [opened, ...Array.from({ length: 20 }, () => deposited(1))]);
    for (const aggregate of [Account, Kept]) await store.load(aggregate, "account-1");
    while ((await store.stats()).snapshots === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await store.append("account-1", withdrawn(1));
    assert.deepEqual(await store.load(Kept, "account-1"), await store.load(Mirror, "account-1"));
    assert.equal((await store.stats()).snapshots, 1);
  }));

test("documents and functions are folded by the same wasm", () =>
  withStore(async (store) => {
    await store.append("account-1", [opened, deposited(10)]);
    const Document = defineAggregate({ name: "document", initial: () => ({ balance: 0 }), evolve: { MoneyDeposited: { $inc: { balance: "$data.amount" } } } });
    assert.deepEqual((await store.load(Document, "account-1")).state, { balance: 10 });
  }));

test("states are frozen, and each fold has its own", () =>
  withStore(async (store) => {
    const { state } = await store.load(Account, "account-1");
    assert.ok(Object.isFrozen(state));
    assert.notEqual((await store.load(Account, "account-2")).state, state);
  }));

test("a rule in Rust is not for given(), which says where it is tested", () => {
  assert.throws(() => given(Account, []), { code: "INVALID_ARGUMENT", path: "aggregate.evolve" });
});

test("what names an aggregate is checked", () => {
  const check = (definition, path) => assert.throws(() => rustAggregate(definition), { code: "INVALID_ARGUMENT", path });
  check({}, "definition.name");
  check({ name: "" }, "definition.name");
  check({ name: "account", categories: "a" }, "definition.categories");
  check({ name: "account", category: "a-b" }, "definition.category");
  check({ name: "account", events: 7 }, "definition.events");
  check({ name: "account", snapshotEvery: 0 }, "definition.snapshotEvery");
  assert.throws(() => rustAggregate({ name: "account" }).stream("1"), { code: "INVALID_ARGUMENT", path: "category" });
});

test("a wasm is named once, before it is needed, and the same one as often as one likes", () => {
  useWasm({ glue, url });
  const check = (wasm, path) => assert.throws(() => useWasm(wasm), { code: "INVALID_ARGUMENT", path });
  check({ glue: { ...glue }, url }, "wasm");
  check({ glue: {}, url }, "wasm.glue");
  check({ glue: undefined, url }, "wasm.glue");
  check({ glue, url: String(url) }, "wasm.url");
  check({ glue, url, name: "bank" }, "wasm.name");
});
