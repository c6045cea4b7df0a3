// What crosses the seam, seen from an engine that only takes notes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { singleWrite } from "../../dist/append.js";
import { AppendQueue } from "../../dist/append-queue.js";
import { loadCore } from "../../dist/core.js";
import { EXPECTED } from "../../dist/engine.js";
// Says where the wasm is.
import "../../dist/index.js";
import { StatusWatch } from "../../dist/status.js";
import { eventPages } from "../../dist/reading.js";

const LIMITS = { jsonDepth: 64, tagsPerEvent: 32, commitEvents: 10_000, commitBytes: 1 << 24, queryEntries: 1_000, queryNames: 10_000 };
const CONTEXT = { limits: LIMITS, events: undefined, upcaster: undefined, durability: "relaxed", host: {} };

/** An engine that says of each append that it was made. */
function notingEngine() {
  const messages = [];
  const append = async (message) => {
    messages.push(message);
    const appends = runs(message).flatMap(({ writeCount }) => [1, 2, 0, 1, ...Array(writeCount).fill([0, 0, 1, 1]).flat()]);
    return { numbers: Float64Array.from(appends), errors: [] };
  };
  return { messages, append, abort() {} };
}

/** The head of each append of a message, before the lengths of the names. */
function runs({ numbers }) {
  const heads = [];
  for (let at = 0; at < numbers.length - 1 - numbers.at(-1); at += numbers[at]) {
    const [numberCount, textLength, idCount, durability, writeCount, hasCondition] = numbers.subarray(at, at + 6);
    heads.push({ numberCount, textLength, idCount, durability, writeCount, hasCondition });
  }
  return heads;
}

const STATUS = new StatusWatch({ ask: async () => {}, tell: undefined });

/** The names of a message, one by one. */
function namesOf({ names, numbers }) {
  let end = 0;
  return Array.from(numbers.subarray(-1 - numbers.at(-1), -1), (length) => names.slice(end, (end += length)));
}

function appendTo(queue, event, options) {
  return queue.add([singleWrite("s", event, options)], options, CONTEXT);
}

for (const [count, crossedAtOnce] of [
  [1_000, 1],
  [2_000, 0],
]) {
  test(`${count} appends of one task cross ${crossedAtOnce === 1 ? "at its end" : "in the next, which is not as long"}`, async () => {
    const engine = notingEngine();
    const queue = new AppendQueue(engine, STATUS);
    const appends = Array.from({ length: count }, () => appendTo(queue, { type: "A" }));
    await Promise.resolve();
    assert.equal(engine.messages.length, crossedAtOnce);
    await Promise.all(appends);
    assert.equal(engine.messages.length, 1);
  });
}

test("what is asked behind many appends does not overtake them", async () => {
  const engine = notingEngine();
  const queue = new AppendQueue(engine, STATUS);
  const appends = Array.from({ length: 2_000 }, () => appendTo(queue, { type: "A" }));
  await Promise.resolve();
  queue.flush();
  assert.equal(engine.messages.length, 1);
  await Promise.all(appends);
  assert.equal(engine.messages.length, 1);
});

test("ten thousand appends of one task cross once", async () => {
  const engine = notingEngine();
  const queue = new AppendQueue(engine, STATUS);
  await Promise.all(Array.from({ length: 10_000 }, () => appendTo(queue, { type: "A" })));
  assert.deepEqual(engine.messages.map((message) => runs(message).length), [10_000]);
});

test("an append that can be withdrawn crosses alone, in its place", async () => {
  const engine = notingEngine();
  const queue = new AppendQueue(engine, STATUS);
  const { signal } = new AbortController();
  await Promise.all([
    appendTo(queue, { type: "A" }),
    appendTo(queue, { type: "B" }),
    appendTo(queue, { type: "C" }, { signal }),
    appendTo(queue, { type: "D" }),
  ]);
  assert.deepEqual(engine.messages.map((message) => namesOf(message).join(" ")), ["s A B", "s C", "s D"]);
  assert.equal(new Set(engine.messages.map(({ ticket }) => ticket)).size, 3);
});

test("appends of much data cross in several messages", async () => {
  const engine = notingEngine();
  const queue = new AppendQueue(engine, STATUS);
  const data = "x".repeat(1_000_000);
  await Promise.all(Array.from({ length: 20 }, () => appendTo(queue, { type: "A", data })));
  assert.deepEqual(engine.messages.map((message) => runs(message).length), [9, 9, 2]);
});

test("an append that is refused half-way leaves nothing in the message", async () => {
  const engine = notingEngine();
  const queue = new AppendQueue(engine, STATUS);
  const id = "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e";
  const refused = [{ type: "B", data: "refused", id }, { type: "C", data: Number.NaN }];
  await Promise.allSettled([
    appendTo(queue, { type: "A", data: "kept" }),
    appendTo(queue, refused, { condition: { failIfEventsMatch: {} } }),
    appendTo(queue, { type: "D", data: "ü", id }, { condition: { failIfEventsMatch: { tags: ["t"] }, after: 3 }, durability: "strict" }),
  ]);
  const [message] = engine.messages;
  assert.equal(message.texts, '"kept""ü"');
  assert.equal(Buffer.from(message.ids).toString("hex"), id.replaceAll("-", ""));
  assert.deepEqual(runs(message), [
    { numberCount: 15, textLength: 6, idCount: 0, durability: 2, writeCount: 1, hasCondition: 0 },
    { numberCount: 22, textLength: 3, idCount: 1, durability: 3, writeCount: 1, hasCondition: 1 },
  ]);
  const numbers = message.numbers.subarray(0, -1 - message.numbers.at(-1));
  const [tag] = numbers.subarray(-12, -11);
  assert.equal(namesOf(message)[tag], "t");
  const condition = [3, 1, Number.NaN, 1, tag, Number.NaN, Number.NaN];
  assert.deepEqual([...numbers.subarray(-16, -9)], condition);
});

test("an engine that fails rejects every append of the message", async () => {
  const reason = new Error("lost");
  const queue = new AppendQueue({ append: () => Promise.reject(reason), abort() {} }, STATUS);
  const outcomes = await Promise.allSettled([appendTo(queue, { type: "A" }), appendTo(queue, { type: "B" })]);
  assert.deepEqual(outcomes, [{ status: "rejected", reason }, { status: "rejected", reason }]);
});

/** Reads pages of a log of numbers, two a page, and notes what was asked. */
async function readNumbers(limit) {
  const asked = [];
  const read = async (request) => {
    asked.push([request.after, request.limit, request.asOf]);
    const numbers = Float64Array.from([1, 2].flatMap((step) => [request.after + step, 0, 0, 0, 0, 0, 0]));
    const page = { data: "[]", metadata: "[]", ids: "[]", names: "s", nameLengths: Uint32Array.of(1), tags: new Uint32Array() };
    return { ...page, numbers, next: request.after + 2 < 6 ? request.after + 2 : undefined, asOf: 6 };
  };
  const request = { after: 0, direction: "forwards", limit, asOf: undefined };
  for await (const { events } of eventPages(request, undefined, read, "after")) void events;
  return asked;
}

test("each page is asked for in the state of the log that the first one found", async () => {
  assert.deepEqual(await readNumbers(undefined), [[0, undefined, undefined], [2, undefined, 6], [4, undefined, 6]]);
});

test("no page is asked for once the limit is reached", async () => {
  assert.deepEqual(await readNumbers(4), [[0, 4, undefined], [2, 2, 6]]);
});

// The numbers of messages that no facade writes, and their names.
const MALFORMED = {
  "no numbers": ["", []],
  "a count of names that is no number": ["", [Number.NaN]],
  "a count of names below none": ["", [-1]],
  "a count of names with a fraction": ["", [0, 0.5]],
  "more names than there are lengths": ["ab", [1, 1, 3]],
  "more names than can be": ["", [1e300]],
  "a length that is no number": ["ab", [Number.NaN, 1]],
  "a name longer than all of them": ["ab", [3, 1]],
  "a name that ends within a letter": ["\u{1f600}", [1, 1, 2]],
  "an append of fewer numbers than it says": ["", [9, 0, 0, 1, 1, 0]],
};

for (const [problem, [names, numbers]] of Object.entries(MALFORMED)) {
  test(`a message with ${problem} is refused, and the next one is read`, async () => {
    const { openEngine, loadSupplement } = await loadCore();
    const engine = await openEngine("malformed", 1, 1, undefined, loadSupplement);
    const appended = (names, numbers) => engine.append(1, "", new Uint8Array(), names, Float64Array.from(numbers));
    await assert.rejects(appended(names, numbers), ({ code, message }) => code === "INTERNAL" && /malformed/.test(message));
    const writeOfNothing = [6 + 3, 0, 0, 1, 1, 0, 0, EXPECTED.any, 0];
    const { errors } = await appended("s", [...writeOfNothing, 1, 1]);
    assert.deepEqual(errors.map(({ code }) => code).filter((code) => code === "INTERNAL"), []);
  });
}
