// Random documents over random events, and what the interpreter makes of them. Everything follows from the seed.
import { interpret } from "./reducer-interpreter.mjs";

const NAMES = ["a", "b", "c", "0", "1", "2", "__proto__", "length", "\u00fc", "k.x", "\ud83d"];
const PLAIN_NAMES = ["a", "b", "c", "0", "1", "__proto__", "items"];
const TEXTS = ["", "a", "b", "0", "1", "A", "a.b", "__proto__", "\ud83d", "\ude00", "\u{1f600}", "\uffff", "q\"\\\n\u0001", "$data"];
const NUMBERS = [0, -0, 1, 2, -1, 3, 0.1, 0.5, -2.75, 1e21, 1e-7, 9007199254740993, 1.7e308, 5e-324, 123456.789];
const TYPES = ["A", "B", "C"];

/** A stream of chance: mulberry32. */
function chance(seed) {
  let state = (seed * 0x9e3779b1) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count) => Math.floor(next() * count);
  return { below, pick: (list) => list[below(list.length)], often: (share) => next() < share, times: (most, make) => Array.from({ length: below(most + 1) }, make) };
}

/** One case as a line of JSON, in the form of tests/fixtures/reducers.json. */
export function caseOf(seed) {
  const random = chance(seed);
  for (;;) {
    const [evolve, initial, events] = [documentOf(random), initialOf(random), eventsOf(random)];
    const outcome = outcomeOf(evolve, initial, events);
    // Most random documents are refused or fail at once, or change nothing: some of these are enough.
    const share = outcome.error === undefined ? (JSON.stringify(outcome.state) === JSON.stringify(initial) ? 0.05 : 1) : outcome.error.code === "REDUCER_FAILED" ? 0.2 : 0.05;
    if (random.often(share)) return JSON.stringify({ name: `seed ${seed}`, initial, evolve, events, ...outcome });
  }
}

function eventsOf(random) {
  return random.times(5, (_, index) => ({
    type: random.pick(TYPES), stream: random.pick(["s-1", "\u00fc\"\\"]), revision: index, position: index * 7, time: random.below(5) - 2,
    ...(random.often(0.9) ? { data: dataOf(random) } : {}), ...(random.often(0.3) ? { metadata: objectOf(random, 2) } : {}),
  }));
}

/** A state in which paths often find what they need. */
function initialOf(random) {
  const line = () => ({ a: random.pick(NUMBERS), b: random.pick(TEXTS), ...objectOf(random, 0) });
  return { ...(random.often(0.5) ? { items: random.times(3, line) } : {}), ...(random.often(0.5) ? objectOf(random, 2) : {}) };
}

function outcomeOf(evolve, initial, events) {
  try {
    return { state: interpret(evolve, initial).fold(events) };
  } catch (error) {
    if (error.code === undefined) throw error;
    return { error: { code: error.code, ...(error.path === undefined ? {} : { path: error.path }) } };
  }
}

/** One case of numbers in unusual spellings, as a line of JSON. */
export function numbersOf(seed) {
  const random = chance(seed);
  const bytes = new DataView(new ArrayBuffer(8));
  const double = () => {
    bytes.setUint32(0, random.below(2 ** 32));
    bytes.setUint32(4, random.pick([0, 1, 2 ** 32 - 1, random.below(2 ** 32), random.below(2 ** 32)]));
    if (random.often(0.2)) return 2 ** (random.below(2098) - 1074);
    if (random.often(0.4)) return random.below(2 ** 32) / 10 ** random.below(25);
    if (random.often(0.1)) return Math.round(random.below(2 ** 32) * 2 ** random.below(60));
    return Number.isFinite(bytes.getFloat64(0)) ? bytes.getFloat64(0) : 0;
  };
  const spelled = () => {
    const number = double();
    const exact = Math.abs(number) < 1e21 ? number.toFixed(random.below(100)) : String(BigInt(number));
    const digits = `${random.below(10)}.${Array.from({ length: random.below(900) }, () => random.below(10)).join("")}5e${random.below(700) - 350}`;
    // Between two doubles, exactly: with all digits, and with one more at the end.
    const half = 2n ** 53n + 2n * BigInt(random.below(2 ** 30)) + 1n;
    const between = `${half * 2n ** BigInt(random.below(900))}${random.pick(["", ".0", `.${"0".repeat(random.below(900))}1`, "e-300"])}`;
    return random.pick([String(number), number.toExponential(random.below(100)), exact, digits, between, `${random.below(1000)}E+${random.below(300)}`]);
  };
  const list = Array.from({ length: 20 }, spelled).map((text) => (Number.isFinite(Number(text)) ? text : "0"));
  return `{"name":"numbers ${seed}","initial":{"list":[${list.join(",")}]},"evolve":{},"events":[],"state":{"list":${JSON.stringify(list.map(Number))}}}`;
}

function valueOf(random, levels) {
  switch (random.below(levels === 0 ? 5 : 9)) {
    case 0:
      return null;
    case 1:
      return random.often(0.5);
    case 2:
      return random.pick(TEXTS);
    case 3:
    case 4:
      return random.pick(NUMBERS);
    case 5:
    case 6:
      return random.times(4, () => valueOf(random, levels - 1));
    default:
      return objectOf(random, levels - 1);
  }
}

function objectOf(random, levels) {
  return Object.fromEntries(random.times(5, () => [random.pick(NAMES), valueOf(random, Math.max(levels, 0))]));
}

/** Data of which the fields often are what steps ask for. */
function dataOf(random) {
  if (random.often(0.1)) return valueOf(random, 2);
  const line = () => (random.often(0.1) ? valueOf(random, 1) : { a: random.pick(NUMBERS), b: random.pick(TEXTS), ...objectOf(random, 0) });
  return { a: random.pick(NUMBERS), b: random.pick(TEXTS), c: random.times(4, line), ...(random.often(0.3) ? objectOf(random, 2) : {}) };
}

function documentOf(random) {
  const steps = () => (random.often(0.6) ? stepOf(random) : random.times(3, () => stepOf(random)));
  return Object.fromEntries(random.pick([["A"], ["A", "B"], ["A", "*"]]).map((type) => [type, steps()]));
}

function stepOf(random) {
  const variable = random.often(0.25) ? "line" : undefined;
  const step = {};
  if (random.often(0.2)) step.$if = expressionOf(random, 2, variable);
  if (variable !== undefined) step.$for = { line: random.often(0.8) ? "$data.c" : random.often(0.5) ? "$state.items" : expressionOf(random, 1) };
  for (const update of ["$set", "$set", "$inc", "$inc", "$push", "$unset", "$min", "$max", "$pull", "$addToSet"]) {
    if (!random.often(0.25)) continue;
    if (update === "$unset") step[update] = random.often(0.6) ? pathOf(random, variable) : random.times(2, () => pathOf(random, variable));
    else step[update] = Object.fromEntries(random.times(3, () => [pathOf(random, variable), operandOf(random, update, variable)]));
  }
  return random.often(0.02) ? { ...step, [random.pick(["$push", "$add", "x"])]: random.pick([1, {}, "a"]) } : step;
}

function operandOf(random, update, variable) {
  if (update === "$inc" && random.often(0.8)) return random.often(0.5) ? random.pick([1, -2, 0.1]) : variable !== undefined ? "$line.a" : "$data.a";
  return expressionOf(random, 2, variable);
}

function pathOf(random, variable) {
  const part = () => {
    switch (random.below(12)) {
      case 0:
        return "[]";
      case 1:
        return `[${random.pick(PLAIN_NAMES)}={${referenceOf(random, variable)}}]`;
      case 2:
      case 3:
        return `{${variable === undefined ? "data.b" : "line.b"}}`;
      case 4:
        return `{${referenceOf(random, variable)}}`;
      default:
        return random.pick(PLAIN_NAMES);
    }
  };
  const path = [random.pick(PLAIN_NAMES), ...random.times(2, part)].join(".");
  return random.often(0.01) ? path + random.pick([".", "}", "{", "[", "$", ".$a", "[a]"]) : path;
}

function referenceOf(random, variable) {
  const roots = ["data", "data", "data", "state", "state", "metadata", "type", "position", ...(variable === undefined ? [] : ["line", "line", "line"])];
  const root = random.often(0.005) ? "nothing" : random.pick(roots);
  if (root === "type" || root === "position") return root;
  return [root, ...random.times(2, () => random.pick(PLAIN_NAMES))].join(".");
}

function expressionOf(random, levels, variable) {
  const inner = () => expressionOf(random, levels - 1, variable);
  const number = () => (random.often(0.8) ? random.pick([1, 2, -1, "$data.a", variable === undefined ? "$data.a" : "$line.a"]) : inner());
  const text = () => (random.often(0.8) ? random.pick(["x", "\ud83d", "$data.b", variable === undefined ? "$type" : "$line.b"]) : inner());
  switch (random.below(levels <= 0 ? 4 : 14)) {
    case 0:
    case 1:
      return `$${referenceOf(random, variable)}${random.often(0.1) ? `.{${referenceOf(random, variable)}}` : ""}`;
    case 2:
      return random.pick([...NUMBERS, ...TEXTS.slice(0, -1), null, true]);
    case 3:
      return { $literal: valueOf(random, 1) };
    case 4:
      return { [random.pick(["$add", "$multiply", "$subtract"])]: [number(), number()] };
    case 5:
      return { $concat: [text(), text(), ...random.times(1, text)] };
    case 6:
      return { $cond: random.often(0.5) ? [inner(), inner(), inner()] : { if: inner(), then: inner(), else: inner() } };
    case 7:
      return { $ifNull: [inner(), inner()] };
    case 8:
    case 9:
      return { [random.pick(["$eq", "$ne", "$lt", "$lte", "$gt", "$gte"])]: [inner(), inner()] };
    case 10:
      return { [random.pick(["$and", "$or"])]: random.times(3, inner) };
    case 11:
      return random.often(0.5) ? { $not: [inner()] } : { $size: random.often(0.7) ? "$data.c" : inner() };
    case 12:
      return random.times(3, inner);
    default:
      return Object.fromEntries(random.times(3, () => [random.pick(NAMES), inner()]));
  }
}
