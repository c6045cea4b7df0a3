import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { refused, withStore } from "./check.mjs";

/** A schema by hand: an amount that is a positive number. */
function amountSchema(validate = judge) {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

function judge(data) {
  if (typeof data?.amount !== "number") return { issues: [{ message: "is no number", path: ["amount"] }, { message: "see the manual" }] };
  return 0 < data.amount ? { value: { amount: data.amount, positive: true } } : { issues: [{ message: "is not positive", path: [{ key: "amount" }] }] };
}

const events = defineEvents({ Deposited: eventType({ schema: amountSchema() }), Noted: eventType() });
const Sum = defineAggregate({
  name: "sum",
  events,
  initial: () => 0,
  evolve: { Deposited: (sum, { data }) => sum + data.amount },
  decide: (amount) => ({ type: "Deposited", data: { amount } }),
});

test("a schema checks, and what is stored is what was given", () =>
  withStore(async (store) => {
    await store.append("s", { type: "Deposited", data: { amount: 1, note: "kept" } });
    assert.deepEqual((await store.read("s").toArray())[0].data, { amount: 1, note: "kept" });
  }, { events }));

test("a schema is given what a read will give, a copy of its own", () =>
  withStore(async (store) => {
    const data = { amount: { toJSON: () => 1 }, dropped: undefined };
    const seen = [];
    const watching = defineEvents({ A: eventType({ schema: amountSchema((value) => { seen.push({ ...value }); value.amount = 2; return { value }; }) }) });
    await withStore((other) => other.append("s", { type: "A", data }), { events: watching });
    assert.deepEqual(seen, [{ amount: 1 }]);
    assert.deepEqual(Object.keys(data), ["amount", "dropped"]);
    assert.equal(store.position, 0);
  }));

// Ways to append a wrong amount.
const WAYS = {
  append: (store) => store.append("s", [{ type: "Noted" }, { type: "Deposited", data: { amount: 0 } }]),
  appendAll: (store) => store.appendAll([{ stream: "r", events: { type: "Noted" } }, { stream: "s", events: { type: "Deposited", data: { amount: 0 } } }]),
  execute: (store) => store.execute(Sum, "s", 0),
  transact: (store) => store.transact((tx) => tx.append("s", { type: "Deposited", data: { amount: 0 } })),
};
for (const [way, act] of Object.entries(WAYS)) {
  test(`what a schema refuses is not written by ${way}`, () =>
    withStore(async (store) => {
      const issues = [{ message: "is not positive", path: ["amount"] }];
      const error = await refused(() => act(store), "SCHEMA_FAILED", { type: "Deposited", issues, retryable: false });
      assert.match(error.message, /events\[\d\]\.data\.amount: is not positive \(schema of Deposited\)$/);
      assert.equal(store.position, 0);
    }, { events }));
}

test("all that is wrong is said, with its place", () =>
  withStore(async (store) => {
    const issues = [{ message: "is no number", path: ["amount"] }, { message: "see the manual", path: [] }];
    await refused(() => store.append("s", { type: "Deposited" }), "SCHEMA_FAILED", { issues });
  }, { events }));

test("a command is checked by the events of its aggregate where the store has none", () =>
  withStore(async (store) => {
    await refused(() => store.execute(Sum, "s", -1), "SCHEMA_FAILED", { type: "Deposited" });
    assert.equal((await store.execute(Sum, "s", 3)).state, 3);
  }));

test("a schema that has to be waited for is refused, whatever it comes to", () => {
  const verdicts = [async (value) => ({ value }), async () => { throw new Error("late"); }];
  return Promise.all(verdicts.map((verdict) =>
    withStore(async (store) => {
      const error = await refused(() => store.append("s", { type: "A", data: 1 }), "INVALID_ARGUMENT", { path: "events[0].data" });
      assert.match(error.problem, /promise/);
      assert.equal(store.position, 0);
    }, { events: defineEvents({ A: eventType({ schema: amountSchema(verdict) }) }) })));
});

test("a schema may be a function, as some libraries have them", () =>
  withStore(async (store) => {
    await store.append("s", { type: "A", data: { amount: 1 } });
    await refused(() => store.append("s", { type: "A", data: {} }), "SCHEMA_FAILED");
  }, { events: defineEvents({ A: eventType({ schema: Object.assign(() => {}, amountSchema()) }) }) }));
