// The testing kit, as a test that uses it sees it: what holds passes, and what does not throws and says why.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { given, openTestStore, testClock, testIds } from "../../dist/testing.js";
import { DocumentRehearsal } from "../../dist/test-document.js";
import { Account, deposited, opened, withdrawn } from "./bank.mjs";
import { refused } from "./check.mjs";

const deposit = { type: "Deposit", amount: 5 };
const split = { type: "Split", amount: 5 };
const withdraw = (amount) => ({ type: "Withdraw", amount });
const rich = () => given(Account, [opened(), deposited(10)]);

/** An account of which new events cannot be folded. */
const Broken = defineAggregate({ name: "broken", initial: () => ({}), evolve: () => assert.fail("broken"), decide: () => deposited(1) });

// What holds of a command.
const HOLDS = {
  "one event": () => rich().when(deposit).thenEvents(deposited(5)),
  "several events, and the state after them": () => rich().when(split).thenEvents([deposited(5), deposited(5)]).thenState({ balance: 20 }),
  "the whole state": () => rich().when(deposit).thenState({ owner: "Ada", balance: 15, events: 3 }),
  "the state before any command": () => rich().thenState({ balance: 10 }).when(deposit).thenState({ balance: 15 }),
  "nothing": () => rich().when({ type: "Ignore" }).thenNothing().thenState({ balance: 10 }),
  "a refusal": () => rich().when(withdraw(11)).thenThrows(),
  "a refusal by its message": () => rich().when(withdraw(11)).thenThrows(/insufficient/),
  "a refusal by a part of its message": () => rich().when(withdraw(11)).thenThrows("funds"),
  "a refusal by its class": () => rich().when(withdraw(11)).thenThrows(Error),
  "events that cannot be folded, by name": () => given(Broken).when({}).thenThrows(/^evolve of the aggregate broken failed/),
  "a beginning without events": () => given(Account).when(deposit).thenState({ balance: 5 }),
  "a beginning with one event": () => given(Account, deposited(1)).thenState({ balance: 1 }),
};
for (const [what, hold] of Object.entries(HOLDS)) test(`${what} may be expected`, () => void hold());

// What does not hold, and how it is said.
const FAILS = {
  "a refusal where the events could not be folded": [() => given(Broken).when({}).thenThrows(), /^the command was not refused by its decision\nfound    .*evolve of the aggregate broken failed/],
  "another event": [() => rich().when(deposit).thenEvents(deposited(6)), /^the command led to other events\nfound    .*"amount":5.*\nexpected .*"amount":6/],
  "another type": [() => rich().when(deposit).thenEvents(withdrawn(5)), /other events/],
  "an event too few": [() => rich().when(split).thenEvents(deposited(5)), /other events/],
  "an event too many": [() => rich().when(deposit).thenEvents([deposited(5), deposited(5)]), /other events/],
  "nothing where there is something": [() => rich().when(deposit).thenNothing(), /other events/],
  "another state": [() => rich().when(deposit).thenState({ balance: 16 }), /^the state is another\nfound .*"balance":15/],
  "a property that is not there": [() => rich().thenState({ balanced: 1 }), /the state is another/],
  "a refusal that does not come": [() => rich().when(deposit).thenThrows(), /was not refused/],
  "a refusal of another message": [() => rich().when(withdraw(11)).thenThrows(/closed/), /for another reason\nfound    Error: insufficient funds/],
  "a refusal of another class": [() => rich().when(withdraw(11)).thenThrows(TypeError), /for another reason/],
  "events of what is refused": [() => rich().when(withdraw(11)).thenEvents([]), /^the command was refused\nfound    Error: insufficient/],
  "a state of what is refused": [() => rich().when(withdraw(11)).thenState({}), /^the command was refused/],
};
for (const [what, [fail, message]] of Object.entries(FAILS)) {
  test(`${what} is told`, () => {
    assert.throws(fail, (error) => {
      assert.equal(error.name, "AssertionError");
      assert.match(error.message, message);
      assert.ok("actual" in error && "expected" in error);
      return true;
    });
  });
}

// States, a part that is expected of them, and whether that holds.
const STATES = [
  [{ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } }, true],
  [{ a: 1, b: { c: 2, d: 3 } }, { b: { c: 3 } }, false],
  [{ list: [1, 2] }, { list: [1] }, false],
  [{ list: [{ a: 1, b: 2 }] }, { list: [{ a: 1 }] }, true],
  [{ list: [1] }, { list: [1, 2] }, false],
  [{ list: [1] }, { list: { 0: 1 } }, false],
  [{ map: new Map([["a", 1]]) }, { map: new Map([["a", 1]]) }, true],
  [{ map: new Map([["a", 1]]) }, { map: new Map([["a", 2]]) }, false],
  [{ map: new Map([["a", 1]]) }, { map: new Map() }, false],
  [{ at: new Date(1) }, { at: new Date(2) }, false],
  [{ at: new Date(1) }, { at: new Date(1) }, true],
  [{ a: null }, { a: {} }, false],
  [{ a: NaN }, { a: NaN }, true],
  [{ a: -0 }, { a: 0 }, true],
  [3, 3, true],
  [3, 4, false],
];
for (const [state, expected, holds] of STATES) {
  test(`of a state that ${holds ? "holds" : "does not hold"}: ${JSON.stringify([state, expected])}`, () => {
    const scenario = given(defineAggregate({ name: "state", initial: () => state, evolve: (same) => same }));
    if (holds) scenario.thenState(expected);
    else assert.throws(() => scenario.thenState(expected), { name: "AssertionError" });
  });
}

const events = defineEvents({
  Noted: eventType({
    schema: { "~standard": { version: 1, vendor: "test", validate: (value) => (value.by === "" ? { issues: [{ message: "nobody" }] } : { value }) } },
    tags: ({ by }) => [`by:${by}`],
  }),
});
const Notes = defineAggregate({
  name: "notes",
  category: "notes",
  events,
  initial: () => [],
  evolve: (all, event) => [...all, event],
  decide: ({ by }, _state, { now, newId, revision }) => ({ type: "Noted", data: { by, now: new Date(now), id: newId(), revision } }),
});

test("a decision is told the same time and ids in every run, or those that are given", () => {
  const data = { by: "ada", now: "2026-01-01T00:00:00.000Z", id: "00000000-0000-4000-8000-000000000001" };
  given(Notes).when({ by: "ada" }).thenEvents({ type: "Noted", data, tags: ["by:ada"] });
  const clock = testClock(0);
  clock.advance(5);
  const own = given(Notes, [], { clock, ids: () => "11111111-1111-4111-8111-111111111111", stream: "notes-7" });
  own.when({ by: "ada" }).thenEvents({ type: "Noted", data: { ...data, now: new Date(5), id: "11111111-1111-4111-8111-111111111111" }, time: 5 });
});

test("events that happened before are folded as a store would give them", () => {
  given(Notes, { type: "Noted", data: { by: "ada", at: new Date(0) }, metadata: { m: 1 } }, { stream: "notes-7" }).thenState([
    { stream: "notes-7", revision: 0, position: 1, data: { by: "ada", at: "1970-01-01T00:00:00.000Z" }, metadata: { m: 1 }, tags: ["by:ada"] },
  ]);
});

test("events are held to their schemas, and to what the domain knows", async () => {
  await refused(async () => given(Notes, { type: "Noted", data: { by: "" } }), "SCHEMA_FAILED");
  given(Notes).when({ by: "" }).thenThrows(/nobody/);
  await refused(async () => given(Notes, { type: "Other" }), "INVALID_ARGUMENT", { path: "events[0].type" });
  await refused(async () => given(Notes, { type: "Noted", data: { by: "ada" }, id: "1" }), "INVALID_ARGUMENT", { path: "events[0].id" });
  await refused(async () => given({}), "INVALID_ARGUMENT", { path: "aggregate" });
  await refused(async () => given(Notes, [], { now: 1 }), "INVALID_ARGUMENT", { path: "options.now" });
});

test("a store for a test is empty and of its own, and gives times and ids that are the same in every run", async () => {
  for (const _ of [1, 2]) {
    const clock = testClock("2026-01-01T00:00:00Z");
    const store = await openTestStore({ events, clock, ids: testIds() });
    await store.append("notes-1", { type: "Noted", data: { by: "ada" } });
    clock.advance(1_000);
    const { events: [second] } = await store.execute(Notes, "notes-1", { by: "eve" });
    const [first] = await store.read("notes-1").toArray();
    assert.deepEqual([first.id, first.time, first.position], ["00000000-0000-4000-8000-000000000001", Date.UTC(2026, 0, 1), 1]);
    // The second id was asked for by the decision.
    assert.deepEqual([second.id, second.time, second.data.id.at(-1)], ["00000000-0000-4000-8000-000000000003", first.time + 1_000, "2"]);
    assert.equal((await store.load(Notes, "notes-1", { time: first.time })).state.length, 1);
    assert.equal(store.storage, "memory");
    await store.close();
  }
});

test("in a store for a test a command that is always overtaken does not wait", async () => {
  const store = await openTestStore();
  const Rival = defineAggregate({ name: "rival", initial: () => 0, evolve: (count) => count + 1, decide: () => { store.append("s", { type: "A" }); return { type: "B" }; } });
  await refused(() => store.execute(Rival, "s", {}, { retries: 30 }), "WRONG_EXPECTED_REVISION");
  await store.close();
});

test("a clock for a test cannot be moved to nowhere", async () => {
  await refused(async () => testClock("yesterday"), "INVALID_ARGUMENT", { path: "start" });
  await refused(async () => testClock().advance(NaN), "INVALID_ARGUMENT", { path: "duration_ms" });
  await refused(() => openTestStore({ clock: 5 }), "INVALID_ARGUMENT", { path: "options.clock" });
});

const VECTORS = ["reducers.json", "reducers-random.json"].flatMap((name) => JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8")));

test("a document is folded without a store to what the core folds it to, or fails as it does", () => {
  const counts = { states: 0, failures: 0 };
  for (const { name, initial, evolve, events, state, error } of VECTORS) {
    if (Object.keys(evolve).length === 0 || error?.code === "INVALID_ARGUMENT") continue;
    const recorded = events.map((event, index) => ({ stream: "s", revision: index, position: 0, time: 0, metadata: {}, ...event }));
    const fold = () => {
      const rehearsal = new DocumentRehearsal(defineAggregate({ name: "vector", initial: () => initial, evolve }), undefined);
      return rehearsal.fold(undefined, rehearsal.start(), recorded, 0).state;
    };
    if (error === undefined) assert.equal(JSON.stringify(fold()), JSON.stringify(state), name);
    else assert.throws(fold, { code: "REDUCER_FAILED" }, name);
    counts[error === undefined ? "states" : "failures"] += 1;
  }
  assert.ok(200 <= counts.states && 20 <= counts.failures, JSON.stringify(counts));
});

test("rules over a document are tested like any others", () => {
  const Counter = defineAggregate({
    name: "counter",
    initial: () => ({ count: 0 }),
    evolve: { Counted: { $inc: { count: "$data.by" } } },
    decide: ({ by }, { count }) => { if (10 < count + by) throw new Error("too much"); return { type: "Counted", data: { by } }; },
  });
  const four = given(Counter, { type: "Counted", data: { by: 4 } });
  four.when({ by: 6 }).thenEvents({ type: "Counted", data: { by: 6 } }).thenState({ count: 10 });
  four.when({ by: 7 }).thenThrows(/too much/);
  four.thenState({ count: 4 });
  assert.throws(() => given(Counter, { type: "Counted", data: { by: "4" } }), { code: "REDUCER_FAILED", aggregate: "counter", type: "Counted", revision: 0 });
});

const DOUBLING = {
  "a list in a list": { evolve: { $push: { list: "$state.list" } }, initial: { list: [] } },
  "a value twice": { evolve: { $set: { a: ["$state.a", "$state.a"] } }, initial: { a: "x" } },
  "a text twice": { evolve: { $set: { a: { $concat: ["$state.a", "$state.a"] } } }, initial: { a: "xxxx" } },
  "each item once more": { evolve: { $for: { item: "$state.list" }, $push: { list: "$item" } }, initial: { list: [1] } },
};
for (const [what, { evolve, initial }] of Object.entries(DOUBLING)) {
  test(`a state that doubles with each event, by ${what}, fails in a test where it does in a store`, { timeout: 60_000 }, async () => {
    const Doubling = defineAggregate({ name: "doubling", initial: () => initial, evolve: { Doubled: evolve } });
    const events = Array.from({ length: 40 }, () => ({ type: "Doubled" }));
    let found;
    assert.throws(() => given(Doubling, events), (error) => ((found = error), error.code === "REDUCER_FAILED"));
    const store = await openTestStore();
    await store.append("s", events);
    const { revision } = await store.load(Doubling, "s").catch((error) => error);
    assert.ok(Math.abs(found.revision - revision) <= 1, `${found.revision}, and ${revision} in a store`);
    await store.close();
  });
}
