import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { fingerprintOf } from "../../dist/fingerprint.js";
import { plainText } from "../../dist/plain-json.js";
import { SEED, deposited, seeded } from "./bank.mjs";
import { newName } from "./check.mjs";

const bank = defineEvents({ MoneyDeposited: eventType(), MoneyWithdrawn: eventType() });

/** An aggregate with a snapshot every ten events, and how many events it has folded. */
function counting(changes = {}) {
  const folded = { count: 0 };
  const evolve = (state, event) => {
    folded.count += 1;
    return { balance: state.balance + event.data.amount, amounts: [...state.amounts, event.data.amount] };
  };
  const definition = { name: "account", events: bank, initial: () => ({ balance: 0, amounts: [] }), evolve, snapshotEvery: 10, ...changes };
  return { folded, Counted: defineAggregate(definition) };
}

/** Runs a test on a store that stays while others come and go. What these keep in the background is kept once they are closed. */
async function onStore(body) {
  const name = newName();
  const store = await EventStore.open(name, { storage: "memory" });
  const visit = async (act) => {
    const visitor = await EventStore.open(name, { storage: "memory" });
    try {
      return await act(visitor);
    } finally {
      await visitor.close();
    }
  };
  try {
    await body(store, visit);
  } finally {
    await store.close();
  }
}

const deposits = (count, first = 1) => Array.from({ length: count }, (_, index) => deposited(first + index));
const sum = (count) => (count * (count + 1)) / 2;

/** Loads, and expects that so many events are folded for it. */
async function loads(visit, { Counted, folded }, count, balance, moment = {}) {
  folded.count = 0;
  const loaded = await visit((store) => store.load(Counted, "account-1", moment));
  assert.deepEqual([folded.count, loaded.state.balance], [count, balance], JSON.stringify(moment));
  return loaded;
}

test("a load folds what has come since its snapshot, and comes to the same", () =>
  onStore(async (store, visit) => {
    const account = counting();
    await store.append("account-1", deposits(9));
    await loads(visit, account, 9, sum(9));
    assert.equal((await store.stats()).snapshots, 0, "nine events are too few");
    await store.append("account-1", deposits(3, 10));
    const first = await loads(visit, account, 12, sum(12));
    assert.equal((await store.stats()).snapshots, 1);
    assert.deepEqual(await loads(visit, account, 0, sum(12)), first);
    await store.append("account-2", deposits(1));
    await store.append("account-1", deposits(9, 13));
    const later = await loads(visit, account, 9, sum(21));
    assert.deepEqual([later.revision, later.position, later.expected, later.exists], [20, 22, 20, true]);
    await loads(visit, account, 9, sum(21));
    await store.append("account-1", deposits(1, 22));
    await loads(visit, account, 10, sum(22));
    await loads(visit, account, 0, sum(22));
    assert.equal((await store.stats()).snapshots, 1);
  }));

test("what lies before a snapshot is folded from the beginning, and what lies behind it from there on", () =>
  onStore(async (store, visit) => {
    const account = counting();
    for (const deposit of deposits(12)) await store.append("account-1", { ...deposit, time: deposit.data.amount * 100 });
    await loads(visit, account, 12, sum(12));
    for (const deposit of deposits(5, 13)) await store.append("account-1", { ...deposit, time: deposit.data.amount * 100 });
    await loads(visit, account, 3, sum(15), { revision: 14 });
    await loads(visit, account, 0, sum(12), { revision: 11 });
    await loads(visit, account, 11, sum(11), { revision: 10 });
    await loads(visit, account, 1, sum(13), { position: 13 });
    await loads(visit, account, 0, sum(12), { position: 12 });
    await loads(visit, account, 4, sum(4), { position: 4 });
    await loads(visit, account, 2, sum(14), { time: 1_450 });
    await loads(visit, account, 9, sum(9), { time: 900 });
    await loads(visit, account, 5, sum(17), { revision: 99 });
  }));

test("an aggregate that wants no snapshots has none", () =>
  onStore(async (store, visit) => {
    const never = counting({ snapshotEvery: false });
    await store.append("account-1", deposits(30));
    await loads(visit, never, 30, sum(30));
    assert.equal((await store.stats()).snapshots, 0);
    await loads(visit, counting(), 30, sum(30));
    assert.equal((await store.stats()).snapshots, 1);
    await loads(visit, never, 30, sum(30));
  }));

const CHANGES = {
  "another version": { version: 2 },
  "another initial state": { initial: () => ({ balance: 100, amounts: [] }) },
  "another name": { name: "accounts" },
  "another body of evolve": { evolve: (state, event) => ({ ...state, balance: state.balance + event.data.amount * 2 }) },
  "functions by type": { evolve: { MoneyDeposited: (state, event) => ({ ...state, balance: state.balance + event.data.amount }) } },
  "another version of an event": {
    events: defineEvents({ MoneyDeposited: eventType({ version: 2, upcast: { 1: (data) => data } }), MoneyWithdrawn: eventType() }),
  },
  "an event more": { events: defineEvents({ MoneyDeposited: eventType(), MoneyWithdrawn: eventType(), AccountOpened: eventType() }) },
  "an event by a former name": { events: defineEvents({ MoneyDeposited: eventType(), MoneyWithdrawn: eventType({ formerly: ["Withdrawn"] }) }) },
};
for (const [what, changes] of Object.entries(CHANGES)) {
  test(`a reducer with ${what} never sees the snapshot of another`, () =>
    onStore(async (store, visit) => {
      await store.append("account-1", deposits(20));
      await visit((visitor) => visitor.load(counting().Counted, "account-1"));
      const changed = defineAggregate({ ...definitionOf(counting().Counted), ...changes, snapshotEvery: 10 });
      const plain = defineAggregate({ ...definitionOf(changed), snapshotEvery: false });
      const { state } = await visit((visitor) => visitor.load(changed, "account-1"));
      assert.deepEqual(state, (await store.load(plain, "account-1")).state);
      assert.notDeepEqual(fingerprintOf(changed, undefined), fingerprintOf(counting().Counted, undefined));
    }));
}

function definitionOf({ name, version, category, events, initial, evolve, snapshotEvery }) {
  return { name, version, category, events, initial, evolve, snapshotEvery };
}

test("an upcaster that was changed never sees what the one before it made", () =>
  onStore(async (store, visit) => {
    const withUpcast = (upcast) => counting({ events: defineEvents({ MoneyDeposited: eventType({ version: 2, upcast: { 1: upcast } }) }) });
    await store.append("account-1", deposits(20));
    await loads(visit, withUpcast((data) => ({ amount: data.amount * 10 })), 20, sum(20) * 10);
    await loads(visit, withUpcast((data) => ({ amount: data.amount * 100 })), 20, sum(20) * 100);
  }));

test("the same definition in another run has the same fingerprint, and what hides its source has none", () => {
  const [one, other] = [counting().Counted, counting().Counted];
  assert.deepEqual(fingerprintOf(one, undefined), fingerprintOf(other, undefined));
  assert.ok(fingerprintOf(one, undefined).every((half) => Number.isInteger(half) && 0 <= half && half < 2 ** 32));
  const bound = ((state) => state).bind(undefined);
  assert.equal(fingerprintOf(counting({ evolve: bound }).Counted, undefined), undefined);
  assert.equal(fingerprintOf(counting({ evolve: { "*": bound } }).Counted, undefined), undefined);
  assert.equal(fingerprintOf(counting({ initial: () => ({ at: new Date(0) }) }).Counted, undefined), undefined);
});

// Documents that differ in nothing but their shape.
const SHAPES = [
  [{ $set: { last: [] } }, { $set: { last: {} } }],
  [{ $set: { last: ["a"] } }, { $set: { last: { 0: "a" } } }],
  [{ $set: { last: [["a", 1]] } }, { $set: { last: { a: 1 } } }],
  [{ $set: { last: "object" } }, { $set: { last: ["object"] } }],
];
for (const shapes of SHAPES) {
  test(`documents of other shapes never see the snapshots of one another: ${shapes.map((step) => JSON.stringify(step)).join(" and ")}`, () =>
    onStore(async (store, visit) => {
      await store.append("account-1", deposits(20));
      const ofShape = (step) => defineAggregate({ name: "shape", initial: () => ({ last: null }), evolve: { MoneyDeposited: step }, snapshotEvery: 10 });
      for (const step of [...shapes, ...shapes]) assert.deepEqual((await visit((visitor) => visitor.load(ofShape(step), "account-1"))).state, { last: step.$set.last });
      assert.notDeepEqual(...shapes.map((step) => fingerprintOf(ofShape(step), undefined)));
    }));
}

const MARKS = {
  deleted: (store) => store.delete("account-1"),
  tombstoned: (store) => store.tombstone("account-1"),
  truncated: (store) => store.truncate("account-1", { before: 15 }),
};
for (const [what, mark] of Object.entries(MARKS)) {
  for (const isCompacted of [false, true]) {
    test(`a stream that was ${what} is what is seen of it, ${isCompacted ? "compacted" : "as it was appended"}`, () =>
      onStore(async (store, visit) => {
        const account = counting();
        await store.append("account-1", deposits(20));
        await loads(visit, account, 20, sum(20));
        await mark(store);
        if (isCompacted) {
          await store.compact();
          assert.equal((await store.stats()).snapshots, 0, "what is erased is in no snapshot");
        }
        const count = what === "truncated" ? 5 : 0;
        await loads(visit, account, count, count === 0 ? 0 : sum(20) - sum(15));
        if (!isCompacted) await loads(visit, account, 0, sum(20), { position: 20 });
        if (what !== "deleted") return;
        await store.append("account-1", deposits(12));
        await loads(visit, account, 12, sum(12));
        await loads(visit, account, 0, sum(12));
      }));
  }
}

test("execute and transact begin with snapshots, and keep them", () =>
  onStore(async (store, visit) => {
    const decide = ({ amount }, state) => {
      if (state.balance < -amount) throw new Error("insufficient funds");
      return deposited(amount);
    };
    const account = counting({ decide });
    const { Counted, folded } = account;
    const folds = async (count, act) => {
      folded.count = 0;
      const result = await visit(act);
      assert.equal(folded.count, count);
      return result;
    };
    await store.append("account-1", deposits(19));
    // What is new is folded twice: before it is written, and as it was written.
    await folds(19 + 2, (visitor) => visitor.execute(Counted, "account-1", { amount: 20 }));
    const { state } = await folds(2, (visitor) => visitor.execute(Counted, "account-1", { amount: 21 }));
    assert.deepEqual(state, { balance: sum(21), amounts: deposits(21).map(({ data }) => data.amount) });
    await store.append("account-1", deposits(9, 22));
    await folds(10, (visitor) => visitor.execute(Counted, "account-1", { amount: -9_999 }).catch(() => {}));
    await folds(0, (visitor) => visitor.execute(Counted, "account-1", { amount: -9_999 }).catch(() => {}));
    await store.append("account-2", deposits(12));
    const both = async (tx) => {
      const balances = [];
      for (const stream of ["account-1", "account-2"]) balances.push((await tx.load(Counted, stream)).state.balance);
      return balances;
    };
    assert.deepEqual((await folds(12, (visitor) => visitor.transact(both))).value, [sum(30), sum(12)]);
    assert.deepEqual((await folds(0, (visitor) => visitor.transact(both))).value, [sum(30), sum(12)]);
  }));

test("what was hidden between the load of a command and its append is in no snapshot", () =>
  onStore(async (store, visit) => {
    let hiding;
    const decide = () => {
      // It comes before what is decided, and leaves the revision as it is.
      hiding ??= store.truncate("account-1", { before: 5 });
      return deposited(100);
    };
    const { Counted } = counting({ decide });
    await store.append("account-1", deposits(20));
    const { state } = await visit((visitor) => visitor.execute(Counted, "account-1", {}));
    assert.equal((await hiding).position, 21);
    assert.equal(state.balance, sum(20) - sum(5) + 100);
    assert.deepEqual((await store.load(Counted, "account-1")).state, state);
  }));

test("a reducer that is a document begins with snapshots too, and a document that was changed does not", () =>
  onStore(async (store, visit) => {
    const documented = (evolve, snapshotEvery = 10) =>
      defineAggregate({ name: "account", initial: () => ({ balance: 0, last: null }), evolve: { MoneyDeposited: evolve }, snapshotEvery });
    const adds = { $inc: { balance: "$data.amount" }, $set: { last: "$data.amount" } };
    for (let round = 0; round < 8; round += 1) {
      await store.append("account-1", deposits(4, 4 * round + 1));
      for (const moment of [{}, { revision: 11 }, { revision: 14 }, { position: 3 }]) {
        const [kept, plain] = await visit(async (visitor) => [
          await visitor.load(documented(adds), "account-1", moment),
          await visitor.load(documented(adds, false), "account-1", moment),
        ]);
        assert.deepEqual(kept, plain, `${round}: ${JSON.stringify(moment)}`);
      }
    }
    assert.equal((await store.stats()).snapshots, 1);
    const changed = await visit((visitor) => visitor.load(documented({ $inc: { balance: 1 } }), "account-1"));
    assert.deepEqual(changed.state, { balance: 32, last: null });
  }));

test("a state from a snapshot is frozen like any other", () =>
  onStore(async (store, visit) => {
    const account = counting();
    await store.append("account-1", deposits(10));
    await loads(visit, account, 10, sum(10));
    const { state } = await loads(visit, account, 0, sum(10));
    assert.ok(Object.isFrozen(state) && Object.isFrozen(state.amounts));
  }));

const PLAIN = [{ a: [null, true, -0, 1.5, "x", { "b c": {} }] }, null, -0, "\ud800", { "": [] }, JSON.parse('{"__proto__":{"a":1}}')];
const NOT_PLAIN = [
  [new Map(), " is of the kind Map"],
  [{ at: new Date(0) }, ".at is of the kind Date"],
  [{ lines: [{ price: undefined }] }, ".lines[0].price is of the type undefined"],
  [{ "a b": [1, NaN] }, '["a b"][1] is NaN'],
  [{ call() {} }, ".call is of the type function"],
  [{ id: 1n }, ".id is of the type bigint"],
  [{ list: [1, , 2] }, ".list is an array"],
  [{ [Symbol("s")]: 1 }, " has properties that JSON does not see"],
  [{ of: Object.create(null) }, ".of is of the kind Object"],
  [{ of: new (class Money {})() }, ".of is of the kind Object"],
];

test("plain JSON comes back as it was", () => {
  for (const value of PLAIN) assert.deepStrictEqual(JSON.parse(plainText(value)), value);
});

for (const [state, problem] of NOT_PLAIN) {
  test(`of a state that${problem} no snapshot is kept, which is said once`, (t) =>
    onStore(async (store, visit) => {
      const said = t.mock.method(console, "warn", () => {});
      const Odd = defineAggregate({ name: "odd", initial: () => ({}), evolve: () => state, snapshotEvery: 10 });
      await store.append("odd-1", deposits(20));
      for (let time = 0; time < 3; time += 1) {
        assert.equal((await visit((visitor) => visitor.load(Odd, "odd-1"))).state, state);
      }
      assert.equal((await store.stats()).snapshots, 0);
      assert.equal(said.mock.callCount(), 1);
      const [message] = said.mock.calls[0].arguments;
      assert.ok(message.startsWith(`no snapshots are kept of the aggregate odd: state${problem}`), message);
    }));
}

test("of an initial state that is not plain no snapshot is kept, which is said once", (t) =>
  onStore(async (store, visit) => {
    const said = t.mock.method(console, "warn", () => {});
    const Odd = defineAggregate({ name: "odd", initial: () => ({ at: new Date(0) }), evolve: () => ({ at: 0 }), snapshotEvery: 10 });
    await store.append("odd-1", deposits(20));
    for (let time = 0; time < 3; time += 1) await visit((visitor) => visitor.load(Odd, "odd-1"));
    assert.equal((await store.stats()).snapshots, 0);
    assert.deepEqual(said.mock.calls.map(({ arguments: [message] }) => message), ["no snapshots are kept of the aggregate odd: initial().at is of the kind Date, not a plain object; only plain JSON can be kept"]);
  }));

test("a cycle is no plain JSON", () => {
  const state = {};
  state.self = state;
  assert.throws(() => plainText(state), /is nested more than 256 times/);
});

test("a state that is larger than an event may be is not kept", () =>
  onStore(async (store, visit) => {
    const Large = defineAggregate({ name: "large", initial: () => "", evolve: (state) => state + "x".repeat(200_000), snapshotEvery: 1 });
    await store.append("large-1", deposits(5));
    await visit((visitor) => visitor.load(Large, "large-1"));
    assert.equal((await store.stats()).snapshots, 1);
    await store.append("large-1", deposits(5));
    assert.equal((await visit((visitor) => visitor.load(Large, "large-1"))).state.length, 2_000_000);
    assert.equal((await visit((visitor) => visitor.load(Large, "large-1"))).state.length, 2_000_000);
  }));

test(`loads with and without snapshots are equal at random moments (EVERFOLD_SEED=${SEED})`, () =>
  onStore(async (store, visit) => {
    const random = seeded(SEED);
    const below = (bound) => Math.floor(random() * bound);
    const { Counted } = counting({ snapshotEvery: 5 });
    const Plain = defineAggregate({ ...definitionOf(Counted), snapshotEvery: false });
    const streams = ["account-1", "account-2", "account-3"];
    for (let round = 0; round < 300; round += 1) {
      const stream = streams[below(streams.length)];
      const kind = below(100);
      if (kind < 40) await store.append(stream, deposits(1 + below(6), round));
      else if (kind < 43) await store.delete(stream);
      else if (kind < 46) await store.truncate(stream, { before: below(40) });
      else if (kind < 49) await store.compact();
      else {
        const moment = [{}, {}, { revision: below(60) }, { position: below(400) }][below(4)];
        const [kept, plain] = await visit(async (visitor) => [
          await visitor.load(Counted, stream, moment),
          await visitor.load(Plain, stream, moment),
        ]);
        assert.deepEqual(kept, plain, `${stream} at ${JSON.stringify(moment)} in round ${round}`);
      }
    }
  }));
