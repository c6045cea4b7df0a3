import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { numbered, refused, withStore } from "./check.mjs";

const ID = "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e";
const OTHER_ID = "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5f";

test("an append says where its events stand", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    assert.deepEqual(await store.append("b", numbered(3)), {
      stream: "b",
      firstRevision: 0,
      lastRevision: 2,
      firstPosition: 3,
      lastPosition: 5,
      durability: "memory",
      duplicate: false,
    });
    assert.equal(store.position, 5);
  }));

test("an append of no events changes nothing, and its expectation is checked all the same", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const result = await store.append("a", [], { expected: 1 });
    const { firstRevision, lastRevision, firstPosition, lastPosition } = result;
    assert.deepEqual([firstRevision, lastRevision, firstPosition, lastPosition], [undefined, 1, undefined, 2]);
    assert.equal((await store.append("none", [])).lastRevision, undefined);
    await refused(() => store.append("a", [], { expected: 0 }), "WRONG_EXPECTED_REVISION");
  }));

// Rows: what is expected of a stream; columns: whether that holds of one that never existed, one whose last revision
// is 1, and one that was deleted at revision 1.
const MATRIX = [
  ["any", true, true, true],
  ["noStream", true, false, true],
  ["streamExists", false, true, false],
  [0, false, false, false],
  [1, false, true, true],
  [2, false, false, false],
];
const STATES = [
  ["never existed", "noStream", async () => {}],
  ["is at revision 1", 1, (store) => store.append("s", numbered(2))],
  ["was deleted", "deleted", (store) => store.append("s", numbered(2)).then(() => store.delete("s"))],
];
for (const [expected, ...holds] of MATRIX) {
  STATES.forEach(([state, actual, prepare], index) => {
    test(`${expected} ${holds[index] ? "holds" : "does not hold"} of a stream that ${state}`, () =>
      withStore(async (store) => {
        await prepare(store);
        const act = () => store.append("s", numbered(1), { expected });
        if (holds[index]) {
          assert.equal((await act()).firstRevision, actual === "noStream" ? 0 : 2);
        } else {
          await refused(act, "WRONG_EXPECTED_REVISION", { violations: [{ stream: "s", expected, actual }], retryable: true });
        }
      }));
  });
}

for (const expected of ["any", "noStream", "streamExists", 1]) {
  test(`a tombstoned stream is never written again, ${expected} or not`, () =>
    withStore(async (store) => {
      await store.append("s", numbered(2));
      await store.tombstone("s");
      const fields = { stream: "s", streams: ["s"], retryable: false };
      await refused(() => store.append("s", numbered(1), { expected }), "STREAM_DELETED", fields);
    }));
}

test("a commit over several streams is stored whole, in its order", () =>
  withStore(async (store) => {
    await store.append("limits", numbered(1));
    const result = await store.appendAll([
      { stream: "a", events: numbered(2), expected: "noStream" },
      { stream: "b", events: { type: "One" } },
      { stream: "limits", expected: 0 },
    ]);
    assert.deepEqual(
      result.writes.map(({ stream, firstPosition, lastPosition }) => [stream, firstPosition, lastPosition]),
      [["a", 2, 3], ["b", 4, 4], ["limits", undefined, 4]],
    );
    assert.deepEqual([result.lastPosition, result.durability, result.duplicate], [4, "memory", false]);
  }));

test("a commit over several streams of which one is elsewhere writes nothing, and names all that are", () =>
  withStore(async (store) => {
    const act = () =>
      store.appendAll([
        { stream: "a", events: numbered(1) },
        { stream: "b", events: numbered(1), expected: 3 },
        { stream: "c", expected: "streamExists" },
      ]);
    await refused(act, "WRONG_EXPECTED_REVISION", {
      violations: [
        { stream: "b", expected: 3, actual: "noStream" },
        { stream: "c", expected: "streamExists", actual: "noStream" },
      ],
    });
    assert.equal(await store.count(), 0);
  }));

test("a condition refuses what its query finds after its position, and nothing else", () =>
  withStore(async (store) => {
    await store.append("a", [{ type: "Seen", tags: ["seat:1"] }]);
    const query = { types: ["Seen"], tags: ["seat:1"] };
    const conditioned = (after) => store.append("b", numbered(1), { condition: { failIfEventsMatch: query, after } });
    await refused(() => conditioned(0), "APPEND_CONDITION_FAILED", { matched: { position: 1, stream: "a", type: "Seen" } });
    await refused(() => conditioned(undefined), "APPEND_CONDITION_FAILED");
    assert.equal((await conditioned(1)).lastPosition, 2);
  }));

test("appending again what stands there is a success that writes nothing", () =>
  withStore(async (store) => {
    const events = [{ type: "A", id: ID, data: { a: 1, b: 2 } }, { type: "B", id: OTHER_ID.toUpperCase() }];
    const first = await store.append("s", events, { expected: "noStream" });
    const again = [{ type: "A", id: ID, data: { b: 2, a: 1 } }, { type: "B", id: OTHER_ID }];
    const second = await store.append("s", again, { expected: "noStream" });
    assert.deepEqual(second, { ...first, duplicate: true });
    assert.equal(await store.count(), 2);
    assert.equal((await store.event(OTHER_ID)).id, OTHER_ID);
  }));

const CONFLICTS = [
  ["other data", [{ type: "A", id: ID, data: 2 }]],
  ["another type", [{ type: "B", id: ID, data: 1 }]],
  ["an unknown event behind it", [{ type: "A", id: ID, data: 1 }, { type: "B", id: OTHER_ID }]],
  ["itself a second time", [{ type: "C", id: OTHER_ID }, { type: "C", id: OTHER_ID }]],
];
for (const [what, events] of CONFLICTS) {
  test(`an id that comes again with ${what} is refused`, () =>
    withStore(async (store) => {
      await store.append("s", { type: "A", id: ID, data: 1 });
      await refused(() => store.append("s", events), "ID_CONFLICT", { stream: "s", retryable: false });
      assert.equal(await store.count(), 1);
    }));
}

test("appends that are not awaited are made in the order of the calls, each judged on its own", () =>
  withStore(async (store) => {
    const outcomes = await Promise.allSettled([
      store.append("s", { type: "First" }, { expected: "noStream" }),
      store.append("s", { type: "Late" }, { expected: "noStream" }),
      store.append("s", { type: "Second" }, { expected: 0 }),
      store.append("s", { type: "Wrong", data: () => {} }),
      store.append("s", { type: "Third" }, { expected: 1, signal: new AbortController().signal }),
      store.delete("s"),
      store.append("s", { type: "Fourth" }, { expected: "noStream" }),
    ]);
    assert.deepEqual(outcomes.map(({ status, reason }) => reason?.code ?? status), [
      "fulfilled",
      "WRONG_EXPECTED_REVISION",
      "fulfilled",
      "INVALID_ARGUMENT",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
    const events = await store.readAll({ query: [{}, { types: ["$deleted"] }] }).toArray();
    assert.deepEqual(events.map(({ type, position }) => [type, position]), [["$deleted", 4], ["Fourth", 5]]);
  }));

test("what a caller changes after the call is not what is stored", () =>
  withStore(async (store) => {
    const event = { type: "A", data: { list: [1] } };
    const appended = store.append("s", event);
    event.data.list.push(2);
    event.type = "B";
    await appended;
    const [stored] = await store.read("s").toArray();
    assert.deepEqual([stored.type, stored.data], ["A", { list: [1] }]);
  }));

test("ten thousand appends that are not awaited are all stored", () =>
  withStore(async (store) => {
    const appends = Array.from({ length: 10_000 }, (_, number) => store.append(`s-${number % 100}`, { type: "A", data: number }));
    const results = await Promise.all(appends);
    assert.ok(results.every(({ firstPosition }, index) => firstPosition === index + 1));
    const events = await store.readAll().toArray();
    assert.ok(events.every(({ data, position }) => data === position - 1));
  }));

test("a signal withdraws an append before it crosses, with its own reason", () =>
  withStore(async (store) => {
    const reason = new Error("enough");
    const early = AbortSignal.abort(reason);
    await assert.rejects(store.append("s", { type: "A" }, { signal: early }), reason);
    const controller = new AbortController();
    const first = store.append("s", { type: "First" });
    const withdrawn = store.append("s", { type: "Withdrawn" }, { signal: controller.signal });
    const last = store.append("s", { type: "Last" }, { expected: 0 });
    controller.abort(reason);
    await assert.rejects(withdrawn, reason);
    await Promise.all([first, last]);
    assert.deepEqual((await store.read("s").toArray()).map(({ type }) => type), ["First", "Last"]);
  }));

test("a signal withdraws an append that has crossed and is still queued", () =>
  withStore(async (store) => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const before = store.append("s", { type: "Before" });
    const withdrawn = store.append("s", { type: "Withdrawn" }, { signal: controller.signal });
    const after = store.append("s", { type: "After" });
    // In this turn the appends cross; the transaction begins in the next.
    await Promise.resolve();
    controller.abort(reason);
    await assert.rejects(withdrawn, reason);
    await Promise.all([before, after]);
    assert.deepEqual((await store.read("s").toArray()).map(({ type }) => type), ["Before", "After"]);
  }));

test("many appends share one signal, which withdraws those that wait, and nobody is warned of a leak", () =>
  withStore(async (store) => {
    const warnings = [];
    const note = (warning) => warnings.push(warning.name);
    process.on("warning", note);
    const controller = new AbortController();
    const appends = Array.from({ length: 50 }, () => store.append("s", numbered(1), { signal: controller.signal }));
    await appends[0];
    controller.abort(new Error("enough"));
    const outcomes = await Promise.allSettled(appends);
    const withdrawn = outcomes.filter(({ status }) => status === "rejected");
    assert.ok(withdrawn.every(({ reason }) => reason.message === "enough"));
    assert.equal((await store.read("s").toArray()).length, 50 - withdrawn.length);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    assert.deepEqual(warnings, []);
  }));

test("a signal that comes too late changes nothing", () =>
  withStore(async (store) => {
    const controller = new AbortController();
    await store.append("s", { type: "A" }, { signal: controller.signal });
    controller.abort();
    assert.equal(await store.count(), 1);
  }));

test("data and metadata may be objects of another realm, such as a frame or a test runner", () =>
  withStore(async (store) => {
    const event = runInNewContext('({ type: "A", data: { a: [1] }, metadata: { user: "ada" } })');
    await store.append("s", event);
    const [recorded] = await store.read("s").toArray();
    assert.deepEqual(recorded.data, { a: [1] });
    assert.deepEqual(recorded.metadata, { user: "ada" });
  }));

test("what caused an event is told in its metadata, over what all events of the commit and each on its own say", () =>
  withStore(async (store) => {
    await store.append("s", { type: "Cause" });
    const [cause] = await store.read("s").toArray();
    const metadata = { user: "ada", page: 1 };
    await store.append("s", [{ type: "A", metadata: { page: 2 } }, { type: "B" }], { causedBy: cause, metadata });
    const [, first, second] = await store.read("s").toArray();
    const chain = { correlationId: cause.id, causationId: cause.id };
    assert.deepEqual(first.metadata, { user: "ada", page: 2, ...chain });
    assert.deepEqual(second.metadata, { user: "ada", page: 1, ...chain });
    await store.append("s", { type: "C" }, { causedBy: second });
    const third = await store.read("s", { from: 3 }).toArray();
    assert.deepEqual(third[0].metadata, { correlationId: cause.id, causationId: second.id });
  }));

test("an append that is made while another is encoded comes before it, and each has its own result", () =>
  withStore(async (store) => {
    const before = store.append("before", numbered(1));
    let inner;
    const toJSON = () => {
      inner ??= store.append("inner", numbered(3));
      return { from: "outer" };
    };
    const outer = store.append("outer", [{ type: "A", data: { toJSON } }, { type: "B" }]);
    const results = await Promise.all([before, inner, outer]);
    assert.deepEqual(results.map(({ stream, firstPosition, lastPosition }) => [stream, firstPosition, lastPosition]), [
      ["before", 1, 1],
      ["inner", 2, 4],
      ["outer", 5, 6],
    ]);
    assert.deepEqual((await store.read("outer").toArray()).map(({ type, data }) => [type, data]), [
      ["A", { from: "outer" }],
      ["B", undefined],
    ]);
  }));
