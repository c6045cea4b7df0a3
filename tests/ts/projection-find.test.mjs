// What `find` and `count` give is what a loop over all documents picks out and puts in order, at whatever bounds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineProjection } from "../../dist/index.js";
import { SEED, seeded } from "./bank.mjs";
import { refused, withStore } from "./check.mjs";

const INDEXES = { one: "a", two: ["a", "b"], three: ["a", "b", "deep.c"], each: { path: "list", each: true } };
const Things = defineProjection({
  name: "things",
  key: ({ data }) => data.key,
  on: { Put: (_, { data }) => JSON.parse(data.text), Removed: () => undefined },
  indexes: INDEXES,
});

const BOUNDS = [
  ...[false, true, 0, -0, 1, -1, 1.5, -1e-300, 5e-324, 1e308, -1e308, 2 ** 53],
  ...["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "aa", "b", "\u0001", "é", "\ue000", "\uffff", "\u{10000}", "\u{1f600}", "x".repeat(1_024)],
];
const VALUES = [...BOUNDS, null, [], ["a"], {}, "\ud800", "x".repeat(1_025), "1970-01-01T00:00:00.000Z"];
const KEYS = ["a", "b", "\u0001", "é", "\uffff", "\u{10000}", "\u{1f600}"].flatMap((key) => [key, `${key}0`, `${key}\u{10000}`, `${key}\uffff`]);

const isKey = (value) => ["boolean", "number"].includes(typeof value) || (typeof value === "string" && value.length <= 1_024 && value.isWellFormed());
const rank = (value) => ["boolean", "number", "string"].indexOf(typeof value);
const codePoints = (text) => Array.from(text, (character) => character.codePointAt(0));

function compare(one, other) {
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  if (typeof one === "string") return compareLists(codePoints(one), codePoints(other)) || one.length - other.length;
  return Number(one) < Number(other) ? -1 : Number(other) < Number(one) ? 1 : 0;
}

/** The order of two lists as far as both go. */
function compareLists(one, other) {
  for (let place = 0; place < Math.min(one.length, other.length); place += 1) {
    const order = compare(one[place], other[place]);
    if (order !== 0) return order;
  }
  return 0;
}

function entriesOf(key, document, index) {
  if (index === undefined) return [{ values: [key], key }];
  if (index === "each") return Array.isArray(document.list) ? [...new Set(document.list.filter(isKey))].map((value) => ({ values: [value], key })) : [];
  const values = [document.a, document.b, document.deep?.c].slice(0, [INDEXES[index]].flat().length);
  return values.every(isKey) ? [{ values, key }] : [];
}

/** The keys that a question is answered with. */
function naive(documents, { index, equals = [], from = [], before, direction }) {
  const entries = [...documents].flatMap(([key, document]) => entriesOf(key, document, index));
  const next = ({ values }) => values.slice(equals.length);
  const wanted = entries.filter((entry) => compareLists(entry.values, equals) === 0 && 0 <= compareLists(next(entry), [from].flat()));
  const found = wanted.filter((entry) => before === undefined || compareLists(next(entry), [before].flat()) < 0);
  found.sort((one, other) => compareLists(one.values, other.values) || compare(one.key, other.key));
  return (direction === "backwards" ? found.reverse() : found).map(({ key }) => key);
}

test(`rows are what a loop over the documents finds (seed ${SEED})`, { timeout: 120_000 }, () =>
  withStore(async (store) => {
    const random = seeded(SEED);
    const below = (bound) => Math.floor(random() * bound);
    const pick = (list) => list[below(list.length)];
    const some = (count, list) => Array.from({ length: count }, () => pick(list));
    const documents = new Map();
    const change = () => {
      const key = `${pick(KEYS)}${below(3) === 0 ? "" : below(9)}`;
      if (below(5) === 0) return documents.delete(key), { type: "Removed", data: { key } };
      const document = { a: pick(VALUES), b: pick(VALUES), deep: below(5) === 0 ? null : { c: pick(VALUES) }, list: below(5) === 0 ? "a" : some(below(5), VALUES) };
      const text = JSON.stringify({ ...document, padding: "p".repeat(below(10) === 0 ? below(9_000) : 0) });
      documents.set(key, JSON.parse(text));
      return { type: "Put", data: { key, text } };
    };
    const ask = () => {
      const index = pick([undefined, ...Object.keys(INDEXES)]);
      const width = [INDEXES[index]].flat().length;
      const equals = index === undefined ? undefined : some(below(width + 1), BOUNDS);
      const left = width - (equals?.length ?? 0);
      const bound = () => (left === 0 || below(3) === 0 ? undefined : index === undefined ? pick(KEYS) : pick([pick(BOUNDS), some(1 + below(left), BOUNDS)]));
      return { index, equals, from: bound(), before: bound(), direction: pick(["forwards", "backwards"]) };
    };
    const model = await store.project(Things);
    for (let round = 0; round < 20; round += 1) {
      await store.append("things", Array.from({ length: 60 }, change));
      await model.waitFor(store.position);
      for (let count = 0; count < 25; count += 1) {
        const { direction, ...range } = ask();
        const [expected, limit, found] = [naive(documents, { ...range, direction }), pick([1, 2, 7, 100]), []];
        let cursor;
        do {
          const page = await model.find({ ...range, direction, limit, cursor });
          for (const { key, doc } of page.rows) found.push(key) && assert.deepEqual(doc, documents.get(key));
          ({ cursor } = page);
        } while (cursor !== undefined);
        assert.deepEqual(found, expected, JSON.stringify({ ...range, direction }));
        assert.equal(await model.count(range), expected.length, JSON.stringify(range));
      }
    }
  }));

test("a cursor goes on where its page ended by the same index, whatever the limit, and is refused by another", () =>
  withStore(async (store) => {
    const model = await store.project(Things);
    const text = (number) => JSON.stringify({ a: number, b: 9 - number, list: [number] });
    await store.append("things", Array.from({ length: 9 }, (_, number) => ({ type: "Put", data: { key: `k${number}`, text: text(number) } })));
    await model.waitFor(store.position);
    for (const index of [undefined, "one", "two", "each"]) {
      const { cursor } = await model.find({ index, limit: 3 });
      assert.deepEqual((await model.find({ index, limit: 2, cursor })).rows.map(({ key }) => key), ["k3", "k4"]);
      for (const other of [undefined, "one", "two", "three", "each"]) {
        if (other !== index) await refused(() => model.find({ index: other, cursor }), "INVALID_ARGUMENT", { path: "options.cursor" });
      }
    }
    for (const cursor of ["", "00", "0000", "zz", 5]) await refused(() => model.find({ cursor }), "INVALID_ARGUMENT", { path: "options.cursor" });
  }));
