import assert from "node:assert/strict";
import { test } from "node:test";
import { defineEvents, eventType } from "../../dist/index.js";
import { refused, withStore } from "./check.mjs";

class Money {
  constructor(amount) {
    this.amount = amount;
  }
}
const nested = (depth) => JSON.parse("[".repeat(depth) + "]".repeat(depth));
const circular = { name: "a", list: [{}] };
circular.list[0].back = circular;
const ownCircle = {};
ownCircle.self = ownCircle;
const sparse = [1, , 3];

// What is given as data, and what comes back.
const KEPT = [
  ["text", "text"],
  ["", ""],
  [0, 0],
  [-0, 0],
  [1e300, 1e300],
  [Number.MIN_VALUE, Number.MIN_VALUE],
  [0.1 + 0.2, 0.1 + 0.2],
  [true, true],
  [null, null],
  [[], []],
  [{}, {}],
  [{ a: undefined, b: 1 }, { b: 1 }],
  [new Date(0), "1970-01-01T00:00:00.000Z"],
  [{ at: new Date(1.5e12) }, { at: "2017-07-14T02:40:00.000Z" }],
  [{ toJSON: () => ({ real: [1] }) }, { real: [1] }],
  [new Money(3), { amount: 3 }],
  [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["😀 日本語 ü \u0000 \u2028 \"\\", "😀 日本語 ü \u0000 \u2028 \"\\"],
  ["\ud800 alone", "\ud800 alone"],
  [{ "\udfff": ["\ud83d"] }, { "\udfff": ["\ud83d"] }],
  [JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":"x"}'), JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":"x"}')],
  [nested(64), nested(64)],
];
for (const [data, stored] of KEPT) {
  const label = JSON.stringify(data).slice(0, 40);
  test(`data ${label} comes back as JSON keeps it`, () =>
    withStore(async (store) => {
      await store.append("s", [{ type: "Ärger 😀" }, { type: "A", data, tags: ["ü😀"] }, { type: "B", data: "after" }]);
      const [, event, after] = await store.read("s").toArray();
      assert.deepEqual(event.data, stored);
      assert.ok(!Object.is(event.data, -0));
      assert.deepEqual([event.tags, after.data], [["ü😀"], "after"]);
    }));
}

// What is given as data, the path of what is wrong with it, and how that is said.
const REFUSED = [
  [Number.NaN, "events[0].data", "is NaN"],
  [{ lines: [{}, { price: Number.POSITIVE_INFINITY }] }, "events[0].data.lines[1].price", "is Infinity"],
  [{ call: () => {} }, "events[0].data.call", "is a function"],
  [[Symbol("s")], "events[0].data[0]", "is a symbol"],
  [{ "not a name": 1n }, 'events[0].data["not a name"]', "is the BigInt 1"],
  [[undefined], "events[0].data[0]", "is undefined"],
  [sparse, "events[0].data[1]", "is undefined"],
  [new Map([["a", 1]]), "events[0].data", "is of the kind Map"],
  [{ set: new Set() }, "events[0].data.set", "is of the kind Set"],
  [{ bytes: new Uint8Array(2) }, "events[0].data.bytes", "is of the kind Uint8Array"],
  [{ later: Promise.resolve() }, "events[0].data.later", "is of the kind Promise"],
  [{ error: new Error("lost") }, "events[0].data.error", "is of the kind Error"],
  [{ a: { toJSON: () => Number.NaN } }, "events[0].data.a", "is NaN"],
  [{ a: { toJSON: () => undefined } }, "events[0].data.a", "has a toJSON that gives undefined"],
  [circular, "events[0].data.list[0].back", "a cycle"],
  [ownCircle, "events[0].data.self", "a cycle"],
];
for (const [data, path, problem] of REFUSED) {
  test(`data that JSON would not keep is refused: ${path} ${problem}`, () =>
    withStore(async (store) => {
      const error = await refused(() => store.append("s", { type: "A", data }), "INVALID_ARGUMENT", { path });
      assert.ok(error.problem.includes(problem), error.problem);
      assert.equal(error.message, `${path}: ${error.problem}`);
      assert.equal(await store.count(), 0);
    }));
}

test("nesting beyond the limit is refused", () =>
  withStore(async (store) => {
    const fields = { path: "events[0].data", limit: "JSON depth", value: 65, maximum: 64 };
    await refused(() => store.append("s", { type: "A", data: nested(65) }), "LIMIT_EXCEEDED", fields);
  }));

test("an event without data is not one whose data is null", () =>
  withStore(async (store) => {
    await store.append("s", [{ type: "A" }, { type: "B", data: null }, { type: "C", data: undefined }]);
    assert.deepEqual((await store.read("s").toArray()).map(({ data }) => data), [undefined, null, undefined]);
  }));

test("an event of a mebibyte comes back whole", () =>
  withStore(async (store) => {
    const data = "ü".repeat((1024 * 1024 - 1 - 2) / 2);
    await store.append("s", { type: "A", data });
    assert.equal((await store.read("s").toArray())[0].data, data);
    await refused(() => store.append("s", { type: "A", data: `${data}ü` }), "LIMIT_EXCEEDED", { path: "events[0]" });
  }));

// What takes one byte, two, three and four, by itself and where it comes last: texts cross by what they are made of, and by their length.
const LETTERS = ["a", "\u00fc", "\u20ac", "\u{1f600}"];
const LENGTHS = [1, 2, 63, 64, 127, 128, 254, 255, 256, 257, 1_000, 70_000];

test("texts of any length and of any letters come back, however many cross together", async () => {
  const texts = LETTERS.flatMap((letter) => LENGTHS.flatMap((length) => [letter.repeat(length), "a".repeat(length) + letter, letter + "a".repeat(length)]));
  await withStore(async (store) => {
    for (const data of texts) await store.append("alone", { type: "T", data });
    await store.append("together", texts.map((data) => ({ type: "T", data })));
    await Promise.all(texts.map((data) => store.append("at once", { type: "T", data })));
    for (const stream of ["alone", "together", "at once"]) {
      const events = await store.read(stream).toArray();
      assert.equal(events.length, texts.length);
      events.forEach(({ data }, index) => assert.ok(data === texts[index], `${stream}: text ${index} is another`));
    }
  });
});

const ODD_NAMES = ["😀", "ü-1", "a\u0000b", "__proto__", "日本-語", "\"quoted\\\"", "\u2028"];
for (const name of ODD_NAMES) {
  test(`${JSON.stringify(name)} is a name of streams, types and tags as any other`, () =>
    withStore(async (store) => {
      await store.append(name, [{ type: name, tags: [name, "b"], metadata: { [name]: name } }]);
      const query = { types: [name], tags: [name], streams: [name], categories: [name.split("-")[0]] };
      const [event] = await store.readAll({ query }).toArray();
      assert.deepEqual([event.stream, event.type, event.tags, Object.entries(event.metadata)], [name, name, [name, "b"], [[name, name]]]);
      assert.deepEqual(Object.entries(await store.count({}, { by: "stream" })), [[name, 1]]);
      assert.equal((await store.streamInfo(name)).stream, name);
    }));
}

const TIMES = [
  [0, 0],
  [-1, -1],
  [8.64e15, 8.64e15],
  [new Date(17), 17],
  ["1970-01-01T00:00:00Z", 0],
  ["2026-01-31T09:00:00.250+01:00", Date.UTC(2026, 0, 31, 8, 0, 0, 250)],
  ["2024-02-29T00:00Z", Date.UTC(2024, 1, 29)],
  ["-000001-01-01T00:00:00Z", Date.UTC(-1, 0, 1)],
];
for (const [time, stored] of TIMES) {
  test(`the time ${time instanceof Date ? "of a Date" : time} is kept`, () =>
    withStore(async (store) => {
      await store.append("s", { type: "A", time });
      assert.equal((await store.read("s").toArray())[0].time, stored);
    }));
}

test("tags of a type are added to those of the event, each once, and only defined types are appended", () => {
  const events = defineEvents({ Paid: eventType({ tags: (data) => [`currency:${data.currency}`, "paid"] }), Closed: eventType() });
  return withStore(async (store) => {
    await store.append("s", [{ type: "Paid", data: { currency: "EUR" }, tags: ["paid", "x"] }, { type: "Closed" }]);
    const [paid, closed] = await store.read("s").toArray();
    assert.deepEqual([paid.tags, closed.tags], [["paid", "x", "currency:EUR"], []]);
    await refused(() => store.append("s", { type: "Other" }), "INVALID_ARGUMENT", { path: "events[0].type" });
    await refused(() => store.append("s", { type: "toString" }), "INVALID_ARGUMENT", { path: "events[0].type" });
  }, { events });
});

test("tags of a type are told by what is stored, whatever their function does with it", () => {
  const kept = [];
  const tags = (data) => {
    kept.push(data);
    const tag = `${data.at}:${"gone" in data}`;
    data.at = "changed";
    return [tag];
  };
  const events = defineEvents({ Met: eventType({ tags }) });
  return withStore(async (store) => {
    const given = { at: new Date(5), gone: undefined, toJSON: () => ({ at: "noon" }) };
    await store.append("s", [{ type: "Met", data: { at: new Date(5), gone: undefined } }, { type: "Met", data: given }]);
    const [first, second] = await store.read("s").toArray();
    assert.deepEqual([first.data, first.tags], [{ at: "1970-01-01T00:00:00.005Z" }, ["1970-01-01T00:00:00.005Z:false"]]);
    assert.deepEqual([second.data, second.tags], [{ at: "noon" }, ["noon:false"]]);
    assert.ok(given.at instanceof Date && kept.every((data) => data !== given));
  }, { events });
});

test("what is checked is what is stored, though a getter or a toJSON answers differently each time", () =>
  withStore(async (store) => {
    let answers = 0;
    const next = () => (answers === 0 ? ++answers : Number.NaN);
    await store.append("s", { type: "A", data: { get a() { return next(); } } });
    answers = 0;
    await store.append("s", { type: "A", data: { toJSON: next } });
    const stored = await store.read("s").toArray();
    assert.deepEqual(stored.map(({ data }) => data), [{ a: 1 }, 1]);
  }));

test("a property of an event is read once", () =>
  withStore(async (store) => {
    const reads = [];
    const event = (key, value) => Object.defineProperty({}, key, { enumerable: true, get: () => (reads.push(key), value) });
    const parts = [event("type", "A"), event("data", 1), event("metadata", { a: 1 }), event("tags", ["t"]), event("time", 5)];
    const whole = Object.defineProperties({}, Object.assign({}, ...parts.map(Object.getOwnPropertyDescriptors)));
    await store.append("s", whole);
    assert.deepEqual(reads.toSorted(), ["data", "metadata", "tags", "time", "type"]);
  }));

// Metadata whose toJSON is applied first: what is given and by what it is accompanied, and what comes back.
const CAUSE = { id: "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e" };
const CHAIN = { correlationId: CAUSE.id, causationId: CAUSE.id };
class Context {
  commandId = "dropped by toJSON";
  toJSON() {
    return { user: "ada" };
  }
}
const METADATA = [
  [{}, { user: "ada" }],
  [{ causedBy: CAUSE }, { user: "ada", ...CHAIN }],
  [{ metadata: { page: 1 } }, { user: "ada", page: 1 }],
  [{ metadata: { toJSON: () => ({ page: 1, user: "bob" }) }, causedBy: CAUSE }, { page: 1, user: "ada", ...CHAIN }],
];
for (const [options, stored] of METADATA) {
  test(`metadata with a toJSON beside ${JSON.stringify(options)} is what that gives`, () =>
    withStore(async (store) => {
      await store.append("s", { type: "A", metadata: new Context() }, options);
      const [event] = await store.read("s").toArray();
      assert.deepEqual(event.metadata, stored);
    }));
}

test("a toJSON of metadata gives none of the store's own properties", () =>
  withStore(async (store) => {
    const metadata = { toJSON: () => ({ commandId: "c" }) };
    await refused(() => store.append("s", { type: "A", metadata }), "INVALID_ARGUMENT", { path: "events[0].metadata.commandId" });
    await refused(() => store.append("s", { type: "A" }, { metadata }), "INVALID_ARGUMENT", { path: "options.metadata.commandId" });
  }));
