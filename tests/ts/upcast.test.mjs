import assert from "node:assert/strict";
import { test } from "node:test";
import { Upcaster } from "../../dist/upcast.js";
import { EventStore, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { SEED, bank, naive, randomCommits } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";

/** Runs `body` with stores of the same log: each sees it with the events of another release of an app. */
async function withReleases(releases, body) {
  const name = newName();
  const stores = await Promise.all(releases.map((events) => EventStore.open(name, { storage: "memory", events })));
  try {
    return await body(...stores);
  } finally {
    for (const store of stores) await store.close();
  }
}

const first = defineEvents({ Deposited: eventType(), Noted: eventType() });
const second = defineEvents({
  MoneyDeposited: eventType({
    version: 3,
    formerly: ["Deposited", "Paid"],
    upcast: { 1: (data) => ({ ...data, currency: "EUR" }), 2: ({ amount, currency }) => ({ cents: amount * 100, currency }) },
    tags: ({ currency }) => [`currency:${currency}`],
  }),
  Noted: eventType({ version: 2, upcast: { 1: (data, { metadata }) => (data.text === "" ? null : { ...data, by: metadata.user ?? "nobody" }) } }),
});
const Cents = defineAggregate({
  name: "cents",
  category: "account",
  events: second,
  initial: () => ({ cents: 0, notes: [] }),
  evolve: {
    MoneyDeposited: (state, { data }) => ({ ...state, cents: state.cents + data.cents }),
    Noted: (state, { data }) => ({ ...state, notes: [...state.notes, `${data.text} by ${data.by}`] }),
  },
  decide: ({ cents }) => ({ type: "MoneyDeposited", data: { cents, currency: "USD" } }),
});

/** A log of the first release, and one event of the second. */
function withTwoReleases(body) {
  return withReleases([first, second, undefined], async (old, current, plain) => {
    await old.append("account-1", [
      { type: "Deposited", data: { amount: 1 } },
      { type: "Noted", data: { text: "a" }, metadata: { user: "ada" } },
      { type: "Noted", data: { text: "" } },
      { type: "Deposited", data: { amount: 2 } },
    ]);
    await current.append("account-1", { type: "MoneyDeposited", data: { cents: 4, currency: "USD" } });
    return body(old, current, plain);
  });
}

test("old events read as those of today, and those that an upcaster drops are not there", () =>
  withTwoReleases(async (_old, current, plain) => {
    const seen = (events) => events.map(({ revision, type, data }) => [revision, type, data]);
    const today = [
      [0, "MoneyDeposited", { cents: 100, currency: "EUR" }],
      [1, "Noted", { text: "a", by: "ada" }],
      [3, "MoneyDeposited", { cents: 200, currency: "EUR" }],
      [4, "MoneyDeposited", { cents: 4, currency: "USD" }],
    ];
    assert.deepEqual(seen(await current.read("account-1").toArray()), today);
    assert.deepEqual(seen(await current.read("account-1", { direction: "backwards" }).toArray()), today.toReversed());
    assert.deepEqual(seen(await current.readAll().toArray()), today);
    const replayed = [];
    await current.replay({}, (event) => replayed.push(event));
    assert.deepEqual(seen(replayed), today);
    // What is stored never changes.
    const stored = await plain.read("account-1").toArray();
    assert.deepEqual(seen(stored).map(([, type]) => type), ["Deposited", "Noted", "Noted", "Deposited", "MoneyDeposited"]);
    assert.deepEqual(stored.map(({ data }) => data)[0], { amount: 1 });
    assert.deepEqual(stored.map(({ metadata }) => metadata.schemaVersion), [undefined, undefined, undefined, undefined, 3]);
    assert.deepEqual((await current.event(stored[3].id)).data, { cents: 200, currency: "EUR" });
    assert.equal(await current.event(stored[2].id), undefined);
  }));

test("folds see the events of today, and count those that were dropped", () =>
  withTwoReleases(async (_old, current, plain) => {
    const expected = { state: { cents: 304, notes: ["a by ada"] }, exists: true, revision: 4, position: 5, expected: 4 };
    // The events are those of the aggregate, whatever the store was opened with.
    for (const store of [current, plain]) {
      assert.deepEqual(await store.load(Cents, "account-1"), expected);
      assert.deepEqual((await store.loadAll(Cents)).get("account-1"), expected);
      const steps = await store.history(Cents, "account-1", { from: 1, diff: true }).toArray();
      assert.deepEqual(steps.map(({ revision, event, state }) => [revision, event.type, state.cents]), [[1, "Noted", 100], [3, "MoneyDeposited", 300], [4, "MoneyDeposited", 304]]);
    }
    const { state, events } = await plain.execute(Cents, "account-1", { cents: 6 });
    assert.deepEqual([state.cents, events[0].metadata, events[0].tags], [310, { schemaVersion: 3 }, ["currency:USD"]]);
  }));

test("a stream of which every event was dropped is there, and may be written as expected", () =>
  withReleases([first, second], async (old, current) => {
    await old.append("account-1", { type: "Noted", data: { text: "" } });
    const loaded = await current.load(Cents, "account-1");
    assert.deepEqual(loaded, { state: { cents: 0, notes: [] }, exists: true, revision: 0, position: 1, expected: 0 });
    assert.equal((await current.execute(Cents, "account-1", { cents: 1 })).firstRevision, 1);
  }));

test("a limit counts the events that are given, in both directions and over pages", () =>
  withReleases([first, second], async (old, current) => {
    const text = (index) => (index % 3 === 0 ? `${index}` : "");
    await old.append("s", Array.from({ length: 9_000 }, (_, index) => ({ type: "Noted", data: { text: text(index) } })));
    for (const read of [(options) => current.read("s", options), (options) => current.readAll(options)]) {
      for (const limit of [1, 2, 7, 2_999, 3_000, 4_000]) {
        for (const direction of ["forwards", "backwards"]) {
          const revisions = (await read({ limit, direction }).toArray()).map(({ revision }) => revision);
          const all = Array.from({ length: 3_000 }, (_, index) => 3 * index);
          assert.deepEqual(revisions, (direction === "forwards" ? all : all.toReversed()).slice(0, limit));
        }
      }
    }
  }));

test("who asks for a type asks for its former names: in reads, counts, conditions and folds", () =>
  withTwoReleases(async (old, current) => {
    const query = { types: ["MoneyDeposited"] };
    assert.equal((await current.readAll({ query }).toArray()).length, 3);
    assert.equal(await current.count(query), 3);
    assert.deepEqual(await current.count({}, { by: "type" }), { MoneyDeposited: 3, Noted: 2 });
    assert.equal((await current.load(Cents, { query })).state.cents, 304);
    assert.equal(await old.count({ types: ["Deposited"] }), 2);
    const condition = { failIfEventsMatch: { types: ["MoneyDeposited"], streams: ["account-2"] } };
    await old.append("account-2", { type: "Deposited", data: { amount: 1 } });
    await refused(() => current.append("s", { type: "Noted", data: { text: "b" } }, { condition }), "APPEND_CONDITION_FAILED");
  }));

test("events of an old and of a new release fold as if all were new, one by one and all at once", { timeout: 60_000 }, () => {
  const { MoneyWithdrawn: _, ...kept } = bank;
  const events = defineEvents({
    ...kept,
    MoneyDeposited: eventType(),
    AccountOpened: eventType({ version: 2, upcast: { 1: ({ owner }) => ({ name: owner }) } }),
    MoneyTaken: eventType({ formerly: ["MoneyWithdrawn"] }),
  });
  const Renamed = defineAggregate({
    name: "renamed",
    category: "account",
    events,
    initial: () => naive([]),
    evolve: (state, { type, data }) => ({
      owner: type === "AccountOpened" ? data.name : state.owner,
      balance: state.balance + (type === "MoneyDeposited" ? data.amount : type === "MoneyTaken" ? -data.amount : 0),
      events: state.events + 1,
    }),
  });
  return withStore(async (store) => {
    for (const writes of randomCommits(SEED, 2_000, 20)) await store.appendAll(writes);
    const stored = await store.readAll().toArray();
    const all = await store.loadAll(Renamed);
    for (const [stream, { state }] of all) {
      const expected = naive(stored.filter((event) => event.stream === stream));
      assert.deepEqual(state, expected, `seed ${SEED}`);
      assert.deepEqual((await store.load(Renamed, stream)).state, expected);
    }
    assert.equal(all.size, 20);
  });
});

test("an event that is newer than this tab knows is read as it is stored, and folded by nobody", () =>
  withReleases([first, second, defineEvents({ MoneyDeposited: eventType({ version: 2 }) })], async (_old, current, behind) => {
    await current.append("account-1", { type: "MoneyDeposited", data: { cents: 4, currency: "USD" } });
    const [event] = await behind.read("account-1").toArray();
    assert.deepEqual([event.data, event.metadata], [{ cents: 4, currency: "USD" }, { schemaVersion: 3 }]);
    const Behind = defineAggregate({ name: "behind", category: "account", initial: () => 0, evolve: (count) => count + 1, decide: () => undefined });
    const fields = { type: "MoneyDeposited", version: 3, retryable: false };
    await refused(() => behind.load(Behind, "account-1"), "SCHEMA_TOO_NEW", fields);
    await refused(() => behind.loadAll(Behind), "SCHEMA_TOO_NEW", fields);
    await refused(() => behind.execute(Behind, "account-1", {}), "SCHEMA_TOO_NEW", fields);
    await refused(() => behind.history(Behind, "account-1").toArray(), "SCHEMA_TOO_NEW", fields);
    await refused(() => behind.transact((tx) => tx.load(Behind, "account-1")), "SCHEMA_TOO_NEW", fields);
  }));

// Upcasters that fail, and what is said of it.
const cause = new Error("no amount");
const FAILING = [
  [{ version: 2, upcast: { 1: () => { throw cause; } } }, cause],
  [{ version: 2, upcast: { 1: async () => { throw cause; } } }, "the upcaster from version 1 of Deposited gave a promise; it must be synchronous"],
  [{ version: 3, upcast: { 2: (data) => data } }, "there is no upcaster from version 1 of Deposited"],
  [{ version: 2 }, "there is no upcaster from version 1 of Deposited"],
];
for (const [options, found] of FAILING) {
  test(`an upcaster that fails is told by the type and the position: ${String(found)}`, () =>
    withReleases([first, defineEvents({ Deposited: eventType(options) })], async (old, current) => {
      await old.append("account-1", [{ type: "Noted" }, { type: "Deposited", data: {} }]);
      const Any = defineAggregate({ name: "any", initial: () => 0, evolve: (count) => count + 1 });
      const fields = { type: "Deposited", position: 2, cause: found, retryable: false };
      await refused(() => current.read("account-1").toArray(), "UPCASTER_FAILED", fields);
      await refused(() => current.load(Any, "account-1"), "UPCASTER_FAILED", fields);
      assert.equal((await current.load(Any, "account-1", { revision: 0 })).state, 1);
    }));
}

// What an upcaster gives that JSON does not keep, and what is said of it.
const NO_JSON = [
  [{ cents: 1n }, "data.cents is of the type bigint"],
  [{ lines: [{ cents: NaN }] }, "data.lines[0].cents is NaN"],
  [{ at: new Date(0) }, "data.at is of the kind Date, not a plain object"],
  [new Map(), "data is of the kind Map, not a plain object"],
  [{ list: [undefined] }, "data.list[0] is of the type undefined"],
  [{ call() {} }, "data.call is of the type function"],
];
const FOLDING = { "a function": (count) => count + 1, "a document": { "*": { $set: { last: "$data" } } } };
for (const [what, evolve] of Object.entries(FOLDING)) {
  for (const [data, problem] of NO_JSON) {
    test(`for ${what}, an upcaster that gives what JSON does not keep has failed: ${problem}`, () =>
      withReleases([first, defineEvents({ Deposited: eventType({ version: 2, upcast: { 1: () => data } }) })], async (old, current) => {
        await old.append("account-1", { type: "Deposited", data: {} });
        const Any = defineAggregate({ name: "any", initial: () => ({ last: null }), evolve });
        const fields = { type: "Deposited", position: 1, cause: `the upcaster from version 1 of Deposited gave what JSON does not keep: ${problem}` };
        await refused(() => current.load(Any, "account-1"), "UPCASTER_FAILED", fields);
        await refused(() => current.loadAll(Any), "UPCASTER_FAILED", fields);
        await refused(() => current.read("account-1").toArray(), "UPCASTER_FAILED", fields);
      }));
  }

  test(`for ${what}, an upcaster may leave properties undefined`, () =>
    withReleases([first, defineEvents({ Deposited: eventType({ version: 2, upcast: { 1: (data) => ({ ...data, amount: undefined, list: [null, -0] }) } }) })], async (old, current) => {
      await old.append("account-1", { type: "Deposited", data: { amount: 1, by: "ada" } });
      const Last = defineAggregate({ name: "last", initial: () => ({ last: null }), evolve: what === "a document" ? evolve : (_, { data }) => ({ last: JSON.parse(JSON.stringify(data)) }) });
      assert.deepEqual((await current.load(Last, "account-1")).state, { last: { by: "ada", list: [null, 0] } });
    }));
}

for (const [what, evolve] of Object.entries(FOLDING)) {
  test(`for ${what}, a version of more than 32 bits is none of fewer`, () =>
    withReleases([first, defineEvents({ Deposited: eventType({ version: 2 ** 32 + 1, upcast: { [2 ** 32]: (data) => data } }) })], async (old, current) => {
      await old.append("account-1", { type: "Deposited", data: {} });
      const Any = defineAggregate({ name: "any", initial: () => ({ last: null }), evolve });
      await refused(() => current.load(Any, "account-1"), "UPCASTER_FAILED", { cause: "there is no upcaster from version 1 of Deposited" });
    }));
}

test("a version that is none is folded by nobody, and read as it is stored", async () => {
  const upcaster = new Upcaster(defineEvents({ Deposited: eventType({ version: 2, upcast: { 1: (data) => data } }) }));
  for (const schemaVersion of ["2", "1", 0, 1.5, -1, null, {}]) {
    const event = { type: "Deposited", position: 7, revision: 0, data: {}, metadata: { schemaVersion } };
    assert.deepEqual(upcaster.current([event], "asStored"), [event]);
    await refused(async () => upcaster.current([event], "refused"), "UPCASTER_FAILED", { type: "Deposited", position: 7 });
  }
});

// Declarations, and the path of what is wrong with them.
const step = (data) => data;
const BAD = [
  [() => eventType({ version: 0 }), "options.version"],
  [() => eventType({ version: "2" }), "options.version"],
  [() => eventType({ upcast: { 1: "no" } }), "options.upcast[1]"],
  [() => eventType({ formerly: "Old" }), "options.formerly"],
  [() => eventType({ formerly: [""] }), "options.formerly[0]"],
  [() => eventType({ schema: {} }), "options.schema"],
  [() => eventType({ versions: 1 }), "options.versions"],
  [() => defineEvents({ A: eventType({ version: 4, upcast: { 1: step, 3: step } }) }), "types.A.upcast"],
  [() => defineEvents({ A: eventType({ version: 3, upcast: { 1: step } }) }), "types.A.upcast"],
  [() => defineEvents({ A: eventType({ version: 2, upcast: { 1: step, 2: step } }) }), "types.A.upcast"],
  [() => defineEvents({ A: eventType({ upcast: { 1: step } }) }), "types.A.upcast"],
  [() => defineEvents({ A: eventType({ version: 2, upcast: { 0: step, 1: step } }) }), "types.A.upcast"],
  [() => defineEvents({ A: eventType({ version: 2, upcast: { one: step } }) }), "types.A.upcast"],
  [() => defineEvents({ A: eventType({ formerly: ["B"] }), B: eventType() }), "types.A.formerly"],
  [() => defineEvents({ A: eventType({ formerly: ["A"] }) }), "types.A.formerly"],
  [() => defineEvents({ A: eventType({ formerly: ["C"] }), B: eventType({ formerly: ["C"] }) }), "types.B.formerly"],
  [() => defineEvents({ A: eventType({ formerly: ["$deleted"] }) }), "types.A.formerly"],
];
for (const [declare, path] of BAD) {
  test(`a declaration that is wrong in ${path} is refused: ${String(declare).slice(6)}`, () => refused(async () => declare(), "INVALID_ARGUMENT", { path }));
}
