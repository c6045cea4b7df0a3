import assert from "node:assert/strict";
import { test } from "node:test";
import { passed } from "../../dist/fold-pages.js";
import { EventStore, defineAggregate } from "../../dist/index.js";
import { Account, SEED, bank, deposited, naive, opened, randomCommits, seeded, withdrawn } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";

const NOTHING = naive([]);
const five = [opened(), deposited(1), deposited(2), withdrawn(1), deposited(4)];

// What is done to a stream, and what is loaded of it afterwards. The head of the log is where the position is not given.
const LOADS = [
  ["never written", async () => {}, { state: NOTHING, exists: false, revision: undefined, position: 0, expected: "noStream" }],
  ["of five events", (store) => store.append("account-1", five), { state: naive(five), exists: true, revision: 4, position: 5, expected: 4 }],
  [
    "behind which others were written",
    async (store) => {
      await store.append("account-1", five);
      await store.append("account-2", five);
    },
    { state: naive(five), exists: true, revision: 4, position: 10, expected: 4 },
  ],
  [
    "deleted",
    async (store) => {
      await store.append("account-1", five);
      await store.delete("account-1");
    },
    { state: NOTHING, exists: false, revision: undefined, position: 6, expected: "noStream" },
  ],
  [
    "deleted and written again",
    async (store) => {
      await store.append("account-1", five);
      await store.delete("account-1");
      await store.append("account-1", deposited(9));
    },
    { state: naive([deposited(9)]), exists: true, revision: 5, position: 7, expected: 5 },
  ],
  [
    "tombstoned",
    async (store) => {
      await store.append("account-1", five);
      await store.tombstone("account-1");
    },
    { state: NOTHING, exists: false, revision: undefined, position: 6, expected: "noStream" },
  ],
  [
    "truncated",
    async (store) => {
      await store.append("account-1", five);
      await store.truncate("account-1", { before: 2 });
    },
    { state: naive(five.slice(2)), exists: true, revision: 4, position: 6, expected: 4 },
  ],
  [
    "of which everything is truncated",
    async (store) => {
      await store.append("account-1", five);
      await store.truncate("account-1", { before: 5 });
    },
    { state: NOTHING, exists: true, revision: 4, position: 6, expected: 4 },
  ],
];
for (const [what, prepare, expected] of LOADS) {
  test(`a stream ${what} loads as what is seen of it, and may be written as expected`, () =>
    withStore(async (store) => {
      await prepare(store);
      const loaded = await store.load(Account, "account-1");
      assert.deepEqual(loaded, expected);
      assert.deepEqual(await store.load(Account, "account-1", { revision: 99 }), expected);
      assert.deepEqual(await store.load(Account, "account-1", { position: 99 }), expected);
      if (what === "tombstoned") return;
      await store.append("account-1", deposited(1), { expected: loaded.expected });
    }));
}

// A log of deposits, each of another amount, with their times: the moment, and what the stream was then.
const DEPOSITS = [["account-1", 1, 100], ["account-2", 2, 200], ["account-1", 4, 300], ["account-1", 8, 400], ["account-2", 16, 700], ["account-1", 32, 650]];
const MOMENTS = [
  [{ revision: 0 }, { balance: 1, revision: 0, position: 1 }],
  [{ revision: 2 }, { balance: 13, revision: 2, position: 4 }],
  [{ revision: 3 }, { balance: 45, revision: 3, position: 6 }],
  [{ revision: 4 }, { balance: 45, revision: 3, position: 6 }],
  [{ position: 0 }, { balance: 0, revision: undefined, position: 0 }],
  [{ position: 2 }, { balance: 1, revision: 0, position: 2 }],
  [{ position: 3 }, { balance: 5, revision: 1, position: 3 }],
  [{ position: 7 }, { balance: 45, revision: 3, position: 6 }],
  [{ time: 50 }, { balance: 0, revision: undefined, position: 0 }],
  [{ time: 100 }, { balance: 1, revision: 0, position: 1 }],
  [{ time: 399 }, { balance: 5, revision: 1, position: 3 }],
  // The event at position 5 is later, and ends the prefix before the one at 6, which is not.
  [{ time: 650 }, { balance: 13, revision: 2, position: 4 }],
  [{ time: new Date(700) }, { balance: 45, revision: 3, position: 6 }],
  [{ time: "2099-01-01T00:00:00Z" }, { balance: 45, revision: 3, position: 6 }],
];
for (const [moment, expected] of MOMENTS) {
  test(`as of ${JSON.stringify(moment)} a stream is what it was then`, () =>
    withStore(async (store) => {
      for (const [stream, amount, time] of DEPOSITS) await store.append(stream, { ...deposited(amount), time });
      const { state, exists, revision, position } = await store.load(Account, "account-1", moment);
      assert.deepEqual({ balance: state.balance, revision, position }, expected);
      assert.equal(exists, expected.revision !== undefined);
    }));
}

const HIDINGS = {
  delete: (store) => store.delete("account-1"),
  tombstone: (store) => store.tombstone("account-1"),
  truncate: (store) => store.truncate("account-1", { before: 2 }),
};
for (const [name, hide] of Object.entries(HIDINGS)) {
  test(`before a ${name} a stream is what it was, by revision, by position and by time`, () =>
    withStore(async (store) => {
      await store.append("account-1", { ...deposited(1), time: 100 });
      await store.append("account-1", { ...deposited(2), time: 200 });
      await hide(store);
      const balance = async (moment) => (await store.load(Account, "account-1", moment)).state.balance;
      assert.equal(await balance(), 0);
      assert.equal(await balance({ position: 2 }), 3);
      for (const revision of [0, 1]) assert.deepEqual(await store.load(Account, "account-1", { revision }), await store.load(Account, "account-1", { position: revision + 1 }));
      assert.equal(await balance({ revision: 1 }), 3);
      assert.deepEqual(await store.load(Account, "account-1", { revision: 2 }), await store.load(Account, "account-1"));
      assert.equal(await balance({ time: 200 }), 3);
      // What is hidden by now was later than this, too.
      assert.equal(await balance({ time: 150 }), 1);
      assert.equal(await balance({ time: 50 }), 0);
      assert.equal(await balance({ time: Date.now() + 1_000 }), 0);
    }));
}

// What is erased, of a stream of four events, and what becomes of its second revision: there is nothing to fold, and yet it was there.
const ERASINGS = [
  ["truncated in part", (store) => store.truncate("account-1", { before: 3 }), { exists: true, revision: 1, expected: 1 }],
  ["truncated", (store) => store.truncate("account-1", { before: 4 }), { exists: true, revision: 1, expected: 1 }],
  ["deleted", (store) => store.delete("account-1"), { exists: false, revision: undefined, expected: "noStream" }],
  ["deleted and written again", async (store) => { await store.delete("account-1"); await store.append("account-1", deposited(9)); }, { exists: true, revision: 1, expected: 1 }],
];
for (const [what, act, expected] of ERASINGS) {
  test(`of a stream that was ${what}, a revision that is erased is what is left of it: nothing`, () =>
    withStore(async (store) => {
      await store.append("account-1", [1, 2, 4, 8].map(deposited));
      await act(store);
      assert.equal((await store.load(Account, "account-1", { revision: 1 })).state.balance, 3);
      await store.compact();
      const { position } = store;
      assert.deepEqual(await store.load(Account, "account-1", { revision: 1 }), { state: NOTHING, position, ...expected });
    }));
}

const Total = defineAggregate({
  name: "total",
  events: bank,
  initial: () => 0,
  evolve: { MoneyDeposited: (sum, event) => sum + event.data.amount, "*": () => assert.fail("no such event was asked for") },
});
test("a query is folded over all streams, now and at another moment", () =>
  withStore(async (store) => {
    for (const [stream, amount, time] of DEPOSITS) await store.append(stream, [opened(), { ...deposited(amount), time }]);
    await store.delete("account-2");
    const source = { query: { types: ["MoneyDeposited"], categories: ["account"] } };
    const none = { revision: undefined, expected: "noStream" };
    assert.deepEqual(await store.load(Total, source), { state: 45, exists: true, position: 13, ...none });
    assert.deepEqual(await store.load(Total, source, { position: 8 }), { state: 15, exists: true, position: 8, ...none });
    assert.deepEqual(await store.load(Total, { query: { types: ["MoneyDeposited"], tags: ["none"] } }), { state: 0, exists: false, position: 13, ...none });
  }));

test("facts of the store are not handed to reducers", () =>
  withStore(async (store) => {
    await store.append("account-1", five);
    await store.delete("account-1");
    const Types = defineAggregate({ name: "types", initial: () => [], evolve: (types, { type }) => [...types, type] });
    const { state } = await store.load(Types, { query: [{ types: ["$deleted"] }, { types: ["AccountOpened"] }] });
    assert.deepEqual(state, []);
    await store.append("account-2", five);
    await store.delete("account-3");
    const query = [{ types: ["$deleted"] }, { types: ["AccountOpened"] }];
    const Document = defineAggregate({ name: "document", initial: () => ({ n: 0 }), evolve: { "*": { $inc: { n: 1 } } } });
    assert.deepEqual((await store.load(Types, { query })).state, ["AccountOpened"]);
    assert.deepEqual((await store.load(Document, { query })).state, { n: 1 });
    const fact = { type: "$deleted", revision: undefined, position: 9 };
    const start = { count: 2, revision: 1, lastPosition: 7 };
    assert.deepEqual(passed(start, [fact]), start);
    assert.deepEqual(passed(start, [{ revision: 2, position: 8 }, fact]), { count: 3, revision: 2, lastPosition: 8 });
  }));

test("all accounts of a category are loaded in one pass", () =>
  withStore(async (store) => {
    await store.append("account-1", five);
    await store.append("other-1", five);
    await store.append("account-2", deposited(7));
    await store.append("account-3", deposited(7));
    await store.delete("account-3");
    const progress = [];
    const all = await store.loadAll(Account, { onProgress: (step) => progress.push(step) });
    assert.deepEqual([...all.keys()].sort(), ["account-1", "account-2"]);
    for (const [stream, loaded] of all) assert.deepEqual(loaded, await store.load(Account, stream));
    assert.deepEqual(progress.at(-1), { done: 13, total: 13, phase: "loadAll" });
    const Everything = defineAggregate({ name: "everything", initial: () => 0, evolve: (count) => count + 1 });
    assert.deepEqual([...(await store.loadAll(Everything)).keys()].sort(), ["account-1", "account-2", "other-1"]);
  }));

test(`all of 10,000 random events fold as a plain loop does, and any of 50 prefixes (seed ${SEED})`, { timeout: 120_000 }, () =>
  withStore(async (store) => {
    const random = seeded(SEED + 1);
    for (const writes of randomCommits(SEED, 10_000, 100)) await store.appendAll(writes);
    const events = await store.readAll().toArray();
    assert.equal(events.length, 10_000);
    const all = await store.loadAll(Account);
    const streams = new Set(events.map(({ stream }) => stream));
    assert.deepEqual(new Set(all.keys()), streams);
    for (const stream of streams) {
      const own = events.filter((event) => event.stream === stream);
      assert.deepEqual(all.get(stream).state, naive(own));
      assert.equal(all.get(stream).revision, own.length - 1);
    }
    for (let round = 0; round < 50; round += 1) {
      const { stream, position, revision } = events[Math.floor(random() * events.length)];
      const prefix = events.filter((event) => event.stream === stream && event.position <= position);
      for (const moment of [{ position }, { revision }]) {
        const loaded = await store.load(Account, stream, moment);
        assert.deepEqual(loaded, { state: naive(prefix), exists: true, revision, position, expected: revision });
      }
    }
  }));

test("a state is frozen, with everything in it, and so cannot be changed in place", () =>
  withStore(async (store) => {
    await store.append("account-1", [deposited(1), deposited(2)]);
    const map = new Map([["kept", {}]]);
    const Deep = defineAggregate({
      name: "deep",
      initial: () => ({ lines: [{ amounts: [] }], map }),
      evolve: (state, { data }) => ({ ...state, lines: [...state.lines, { amounts: [data.amount] }] }),
    });
    const { state } = await store.load(Deep, "account-1");
    for (const change of [() => { state.a = 1; }, () => { state.lines.push(1); }, () => { state.lines[1].amounts[0] = 2; }]) {
      assert.throws(change, TypeError);
    }
    state.map.get("kept").a = 1;
    // What its maker froze by itself is looked into all the same, and however deep it is.
    let inner = { list: [] };
    const innermost = inner;
    for (let level = 0; level < 20_000; level += 1) inner = Object.freeze({ inner });
    const Frozen = defineAggregate({ name: "frozen", initial: () => inner, evolve: (same) => same });
    await store.load(Frozen, "account-1");
    assert.throws(() => { innermost.list.push(1); }, TypeError);
    const InPlace = defineAggregate({ name: "in-place", initial: () => ({ sum: 0 }), evolve: (state, { data }) => { state.sum += data.amount; return state; } });
    const error = await refused(() => store.load(InPlace, "account-1"), "REDUCER_FAILED", { aggregate: "in-place", revision: 0 });
    assert.ok(error.cause instanceof TypeError);
  }));

test("a reducer that throws is told by its aggregate, stream, revision and type", () =>
  withStore(async (store) => {
    await store.append("account-1", [opened(), deposited(1), deposited(13)]);
    const cause = new Error("unlucky");
    const evolve = (sum, { type, data }) => {
      if (data.amount === 13) throw cause;
      return sum;
    };
    for (const reducer of [evolve, { MoneyDeposited: evolve }]) {
      const Unlucky = defineAggregate({ name: "unlucky", category: "account", initial: () => 0, evolve: reducer });
      const fields = { aggregate: "unlucky", stream: "account-1", revision: 2, type: "MoneyDeposited", cause, retryable: false };
      await refused(() => store.load(Unlucky, "account-1"), "REDUCER_FAILED", fields);
      await refused(() => store.loadAll(Unlucky), "REDUCER_FAILED", fields);
      await refused(() => store.history(Unlucky, "account-1").toArray(), "REDUCER_FAILED", fields);
      assert.equal((await store.load(Unlucky, "account-1", { revision: 1 })).state, 0);
    }
  }));

test("a stream of many pages is folded whole, and a signal ends that", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 3; batch += 1) await store.append("account-1", Array.from({ length: 9_000 }, () => deposited(1)));
    const { state, revision } = await store.load(Account, "account-1");
    assert.deepEqual([state.balance, state.events, revision], [27_000, 27_000, 26_999]);
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(store.load(Account, "account-1", { signal }), reason);
    await assert.rejects(store.loadAll(Account, { signal }), reason);
  }));

test("a closed store folds nothing", () =>
  withStore(async (store) => {
    await store.close();
    await refused(() => store.load(Account, "account-1"), "CLOSED");
    await refused(() => store.loadAll(Account), "CLOSED");
    await refused(() => store.history(Account, "account-1").toArray(), "CLOSED");
    await refused(() => store.execute(Account, "account-1", {}), "CLOSED");
    await refused(() => store.transact(() => {}), "CLOSED");
  }));

// The arguments of a load, and the path of what is wrong with them.
const BAD = [
  [[{ name: "account" }, "account-1"], "aggregate"],
  [[Account, ""], "stream"],
  [[Account, null], "source"],
  [[Account, { query: [] }], "source.query"],
  [[Account, { types: ["A"] }], "source.types"],
  [[Account, "account-1", { revision: -1 }], "options.revision"],
  [[Account, "account-1", { position: 1.5 }], "options.position"],
  [[Account, "account-1", { time: "2026-01-01" }], "options.time"],
  [[Account, "account-1", { revision: 1, time: 1 }], "options.time"],
  [[Account, "account-1", { at: 1 }], "options.at"],
  [[Account, { query: {} }, { revision: 1 }], "options.revision"],
];
for (const [args, path] of BAD) {
  test(`a load that is wrong in ${path} is refused: ${JSON.stringify(args.slice(1))}`, () =>
    withStore((store) => refused(() => store.load(...args), "INVALID_ARGUMENT", { path })));
}

// Definitions, and the path of what is wrong with them.
const good = { name: "a", initial: () => 0, evolve: (state) => state };
const BAD_DEFINITIONS = [
  [undefined, "definition"],
  [{ ...good, name: "" }, "definition.name"],
  [{ ...good, version: -1 }, "definition.version"],
  [{ ...good, category: "a-b" }, "definition.category"],
  [{ ...good, events: {  A: {} } }, "definition.events.A"],
  [{ ...good, initial: 0 }, "definition.initial"],
  [{ ...good, evolve: undefined }, "definition.evolve"],
  [{ ...good, evolve: { A: 1 } }, "definition.evolve.A"],
  [{ ...good, evolve: { $deleted: (state) => state } }, "definition.evolve.$deleted"],
  [{ ...good, evolve: new (class { A(state) { return state; } })() }, "definition.evolve"],
  [{ ...good, evolve: new Map([["A", (state) => state]]) }, "definition.evolve"],
  [{ ...good, decide: {} }, "definition.decide"],
  [{ ...good, snapshotEvery: 0 }, "definition.snapshotEvery"],
  [{ ...good, snapshotEvery: true }, "definition.snapshotEvery"],
  [{ ...good, snapshot: 3 }, "definition.snapshot"],
];
for (const [definition, path] of BAD_DEFINITIONS) {
  test(`a definition that is wrong in ${path} is refused`, () => refused(async () => defineAggregate(definition), "INVALID_ARGUMENT", { path }));
}

test("an aggregate says what it was defined with, and what its streams are called", async () => {
  const { name, version, category, events, snapshotEvery } = defineAggregate({ ...good, category: "account", events: bank });
  assert.deepEqual([name, version, category, events, snapshotEvery], ["a", 1, "account", bank, 200]);
  assert.equal(Account.stream("1"), "account-1");
  await refused(async () => defineAggregate(good).stream("1"), "INVALID_ARGUMENT", { path: "category" });
  await refused(async () => Account.stream(""), "INVALID_ARGUMENT", { path: "id" });
});

test("another handle sees what was written by the first", async () => {
  const name = newName();
  await withStore(
    async (one) => {
      const other = await EventStore.open(name, { storage: "memory" });
      await one.append("account-1", deposited(3));
      assert.equal((await other.load(Account, "account-1")).state.balance, 3);
      await other.close();
    },
    {},
    name,
  );
});
