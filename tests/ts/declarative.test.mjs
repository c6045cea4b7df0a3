// Documents as reducers, folded by the core: the same states as the interpreter makes of them, and as functions would.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { defineAggregate, defineEvents, defineProjection, eventType } from "../../dist/index.js";
import { openPageEngine } from "../../dist/page-engine.js";
import { Account, SEED, bank, deposited, opened, randomCommits, seeded, withdrawn } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";
import { caseOf } from "./reducer-cases.mjs";
import { interpret } from "./reducer-interpreter.mjs";

const vectorsOf = (name) => JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8"));
/** Whether JSON can say it: a number of a vector may be beyond the doubles, which the core is shown in its own tests. */
const isPlain = (value) => (typeof value === "number" ? Number.isFinite(value) : typeof value !== "object" || value === null || Object.values(value).every(isPlain));
const VECTORS = [...vectorsOf("reducers.json"), ...vectorsOf("reducers-random.json")].filter(isPlain);
const START = { state: undefined, count: 0, revision: undefined, lastPosition: 0, asOf: 0 };

/** The account of the tests, as a document. */
const COUNTED = { $inc: { events: 1 } };
const Declared = defineAggregate({
  name: "declared",
  category: "account",
  events: bank,
  initial: () => ({ owner: "", balance: 0, events: 0 }),
  evolve: {
    AccountOpened: { $set: { owner: "$data.owner" }, ...COUNTED },
    MoneyDeposited: { $inc: { balance: "$data.amount", events: 1 } },
    MoneyWithdrawn: [{ $inc: { balance: { $multiply: ["$data.amount", -1] } } }, COUNTED],
    "*": COUNTED,
  },
  decide: Account.decide,
});

async function withEngine(body) {
  const engine = await openPageEngine({ name: newName(), storage: "memory", durability: "relaxed" });
  try {
    return await body(engine);
  } finally {
    await engine.close();
  }
}

const eventMessage = ({ type, stream = "s", data, metadata, revision = 0, position = 0, time = 0 }) => ({
  type,
  stream,
  data: data === undefined ? undefined : JSON.stringify(data),
  metadata: metadata === undefined ? undefined : JSON.stringify(metadata),
  revision,
  position,
  time,
});

test("every vector comes to its state in the engine, in one step and in two", () =>
  withEngine(async (engine) => {
    assert.ok(VECTORS.length > 300);
    for (const { name, initial, evolve, events, state, error } of VECTORS) {
      const run = async (split) => {
        const reducer = await engine.defineReducer({ evolve: JSON.stringify(evolve), initial: JSON.stringify(initial), versions: [] });
        const first = await engine.foldEvents({ reducer, from: START, events: events.slice(0, split).map(eventMessage) });
        const from = { ...START, state: first.states[0].slice(1, -1) };
        return (await engine.foldEvents({ reducer, from, events: events.slice(split).map(eventMessage) })).states[0];
      };
      for (const split of [0, 1, events.length]) {
        if (error === undefined) {
          assert.equal(await run(split), `[${JSON.stringify(state)}]`, name);
          continue;
        }
        const { place, ...fields } = error;
        const found = await run(split).then(() => assert.fail(`${name}: nothing was refused`), (refusal) => refusal);
        assert.equal(found.code, fields.code, name);
        if (fields.path !== undefined) assert.equal(found.path, fields.path, name);
        if (place !== undefined) assert.ok(found.cause.startsWith(place), `${name}: ${found.cause}`);
      }
    }
  }));

/** What is refused where an aggregate is defined: the code and the place, which the core calls `evolve`. */
function refusedWhereDefined(evolve) {
  try {
    defineAggregate({ name: "checked", initial: () => ({}), evolve });
    return undefined;
  } catch ({ code, path }) {
    assert.ok(path.startsWith("definition.evolve"), path);
    return { code, path: path.slice("definition.".length) };
  }
}

/** Documents beside the vectors: at bounds, and wrong in ways that no vector has. */
const BESIDE = [
  ...["", ".", "a.", ".a", "a..b", "$a", "a.$b", "{}", "{data", "data}", "{data}x", "x{data}", "[", "]", "[a]", "[=]", "[a=]", "[a=b]", "[={data}]", "[a={data}]", "[a={data.{type}}]", "{data.{type}}", "{data.[]}"],
  ...["[a={type.x}]", "{nothing}", "{line}", "{data..x}", "[a=b={data}]", "a.[]", "[].[]", "a}b", "a.}b.c", "{a.b", "\ud83d", "\"", "{state}", "{$data}", "[$a={data}]", "{data.x}.{data.x}", "__proto__"],
].flatMap((path) => [{ A: { $set: { [path]: 1 } } }, { A: { $unset: [path] } }, { A: { $set: { a: `$${path}` } } }, { A: { $set: { a: `$data.${path}` } } }, { [path]: { $set: { a: 1, "a.b": 2 } } }]).concat([
  { A: { $set: { [Array(64).fill("a").join(".")]: 1 } } }, { A: { $set: { [Array(65).fill("a").join(".")]: 1 } } },
  { A: { $set: { a: `$data.${Array(64).fill("a").join(".")}` } } }, { A: { $set: { a: `$data.${Array(65).fill("a").join(".")}` } } },
  { A: { $unset: Array.from({ length: 1_000 }, (_, index) => `a${index}`) } }, { A: { $unset: Array.from({ length: 1_001 }, (_, index) => `a${index}`) } },
  { A: { $set: { a: "x".repeat(262_117) } } }, { A: { $set: { a: "x".repeat(262_144) } } },
  { A: { $for: { line: "$line" } } }, { A: { $for: { line: "$data", item: "$data" } } }, { A: { $for: {} } }, { A: { $for: { type: [] } } }, { A: { $for: { "a b": [] } } }, { A: { $for: 1 } },
  { A: { $for: { line: [] }, $set: { "{line}": "$line.x" } } }, { A: [{ $for: { line: [] } }, { $set: { a: "$line" } }] }, { A: { $if: "$line" } }, { A: [[]] }, { A: [] }, { A: { $set: [] } }, { A: { $unset: 1 } }, { A: { $unset: [1] } },
  { A: { $set: { a: { $add: [] } } } }, { A: { $set: { a: { $add: 1 } } } }, { A: { $set: { a: { $eq: 1 } } } }, { A: { $set: { a: { $cond: { if: 1, then: 2 } } } } }, { A: { $set: { a: { $cond: { if: 1, then: 2, else: 3, more: 4 } } } } },
  { A: { $set: { a: { $not: [1, 2] } } } }, { A: { $set: { a: { $literal: { $sum: 1 } } } } }, { A: { $set: { a: { $literal: 1, b: 1 } } } }, { A: { $set: { a: { b: { $sum: 1 } } } } }, { A: { $set: { a: [1, { $sum: 1 }] } } }, { A: { $set: { a: { $cond: [{ $sum: 1 }, 1, 2] } } } },
  { A: { $set: { a: 1 }, $inc: { a: 1 } } }, { A: { $set: { "a.b": 1 }, $unset: "a" } }, { A: { $set: { "a.{type}": 1, "a.b": 2 } } }, { A: { $set: { a: { "x y": "$no" } } } }, { $deleted: {} }, { A: { a: 1 } }, { A: { $when: 1 } },
]);

test("what is refused where an aggregate is defined is what the core refuses, at the same place, and nothing else", () =>
  withEngine(async (engine) => {
    const counts = { refused: 0, taken: 0 };
    for (const { name, evolve, initial } of [...VECTORS, ...BESIDE.map((evolve) => ({ name: JSON.stringify(evolve), evolve, initial: {} }))]) {
      // Without a type, and with nothing but functions, it is no document.
      if (typeof evolve !== "object" || Object.values(evolve).length === 0 || Object.values(evolve).some((steps) => typeof steps !== "object" || steps === null)) continue;
      const found = await engine.defineReducer({ evolve: JSON.stringify(evolve), initial: JSON.stringify(initial), versions: [] }).then(() => undefined, ({ code, path }) => ({ code, path }));
      if (found?.path === "initial") continue;
      assert.deepEqual(refusedWhereDefined(evolve), found, name);
      counts[found === undefined ? "taken" : "refused"] += 1;
    }
    assert.ok(100 < counts.refused && 300 < counts.taken, JSON.stringify(counts));
  }));

test("an exponent of any size is read in the engine, whose addresses have 32 bits", () =>
  withEngine(async (engine) => {
    const reducer = await engine.defineReducer({ evolve: '{"A":{"$set":{"x":"$data"}}}', initial: "{}", versions: [] });
    const read = (data) => engine.foldEvents({ reducer, from: START, events: [{ ...eventMessage({ type: "A" }), data }] });
    for (const data of ["1e-99999999999999", "1e-4294967297", "0e4294967296", "0e99999999999999"]) {
      assert.equal((await read(data)).states[0], '[{"x":0}]', data);
    }
    for (const data of ["1e99999999999999", "1e4294967297", "-1e4294967296"]) await refused(() => read(data), "REDUCER_FAILED");
  }));

test("a document that is defined again has the handle that it had, and there is a bound on documents", () =>
  withEngine(async (engine) => {
    const define = (number, versions) => engine.defineReducer({ evolve: `{"A":{"$set":{"x":${number}}}}`, initial: "{}", versions });
    const first = await define(0, []);
    assert.equal(await define(0, []), first);
    const others = [await define(1, []), await define(0, [["A", 2]]), await engine.defineReducer({ evolve: "{}", initial: "{}", versions: [] })];
    assert.equal(new Set([first, ...others]).size, 4);
    for (let number = 2; number < 998; number += 1) await define(number, []);
    await refused(() => define(998, []), "LIMIT_EXCEEDED", { limit: "reducers" });
    assert.equal(await define(0, []), first);
  }));

/** What the interpreter, or the store, comes to: the JSON text of a state, or the code of an error. */
async function outcome(act) {
  try {
    return JSON.stringify(await act());
  } catch (error) {
    if (error.code === undefined) throw error;
    return error.code;
  }
}

/** Appends the events of a case, in the streams that it says, and compares what is loaded with the interpreter. */
async function checkCase({ name, initial, evolve, events }, compacted) {
  await withStore(async (store) => {
    for (const { type, stream = "s", data, metadata, time } of events) {
      await store.append(stream, { type, data, metadata, time });
    }
    if (compacted) await store.compact();
    const stored = await store.readAll().toArray();
    const expected = (own) => outcome(() => interpret(evolve, initial).fold(own));
    const define = () => defineAggregate({ name: "case", initial: () => initial, evolve });
    const streams = [...new Set(stored.map(({ stream }) => stream))];
    const all = await Promise.all(streams.map((stream) => expected(stored.filter((event) => event.stream === stream))));
    for (const [index, stream] of streams.entries()) {
      assert.equal(await outcome(async () => (await store.load(define(), stream)).state), all[index], name);
    }
    assert.equal(await outcome(async () => (await store.load(define(), { query: {} })).state), await expected(stored), name);
    const failed = [await expected([]), ...all].find((state) => !state.startsWith("{"));
    const loaded = await outcome(async () => Object.fromEntries(Array.from(await store.loadAll(define()), ([stream, { state }]) => [stream, state])));
    if (failed !== undefined) return assert.equal(loaded, failed, name);
    // As texts, in which -0 is 0, and a property that is called __proto__ is one.
    const found = Object.entries(JSON.parse(loaded)).map(([stream, state]) => `${stream} ${JSON.stringify(state)}`);
    assert.deepEqual(found.sort(), streams.map((stream, index) => `${stream} ${all[index]}`).sort(), name);
  });
}

const storable = (vector) => isPlain(vector) && vector.events.every(({ type }) => !type.startsWith("$")) && 0 < Object.keys(vector.evolve).length;

test(`random documents over random events come to what the interpreter says, in the log and compacted (seed ${SEED})`, { timeout: 120_000 }, async () => {
  for (let number = 0; number < 150; number += 1) {
    const made = JSON.parse(caseOf(SEED + number));
    if (storable(made)) await checkCase(made, number % 2 === 0);
  }
});

test("the vectors are loaded from a log to what the interpreter says", { timeout: 120_000 }, async () => {
  const vectors = vectorsOf("reducers.json").filter((vector) => storable(vector) && vector.error?.code !== "INVALID_ARGUMENT");
  for (const vector of vectors) await checkCase(vector, false);
});

/** The same accounts, as loads give them. */
const sorted = (all) => [...all].sort(([one], [other]) => (one < other ? -1 : 1));

test(`a document loads what functions load: all, and at 50 random moments (seed ${SEED})`, { timeout: 120_000 }, () =>
  withStore(async (store) => {
    const random = seeded(SEED);
    let batch = 0;
    for (const writes of randomCommits(SEED, 6_000, 100)) {
      await store.appendAll(writes);
      batch += 1;
      if (batch % 50 === 0) await store.truncate(`account-${Math.floor(random() * 100)}`, { before: 5 });
      if (batch % 90 === 0) await store.delete(`account-${Math.floor(random() * 100)}`);
      if (batch % 200 === 0) await store.compact();
    }
    const position = store.position;
    const progress = [];
    assert.deepEqual(sorted(await store.loadAll(Declared, { onProgress: (step) => progress.push(step) })), sorted(await store.loadAll(Account)));
    assert.deepEqual(progress.at(-1), { done: position, total: position, phase: "loadAll" });
    for (let round = 0; round < 50; round += 1) {
      const stream = `account-${Math.floor(random() * 110)}`;
      const at = Math.floor(random() * position);
      for (const moment of [undefined, { position: at }, { revision: at % 70 }, { time: Date.now() }]) {
        assert.deepEqual(await store.load(Declared, stream, moment), await store.load(Account, stream, moment));
      }
      const source = { query: { types: ["MoneyDeposited"], categories: ["account"] } };
      assert.deepEqual(await store.load(Declared, source, { position: at }), await store.load(Account, source, { position: at }));
    }
  }));

test("commands are decided on, and transactions loaded, with the states of documents", () =>
  withStore(async (store) => {
    const first = await store.execute(Declared, "account-1", { type: "Split", amount: 5 });
    assert.deepEqual(first.state, { owner: "", balance: 10, events: 2 });
    await assert.rejects(store.execute(Declared, "account-1", { type: "Withdraw", amount: 11 }), /insufficient/);
    const commands = Array.from({ length: 20 }, () => store.execute(Declared, "account-1", { type: "Deposit", amount: 1 }, { retries: 50 }));
    await Promise.all(commands);
    assert.deepEqual((await store.load(Declared, "account-1")).state, { owner: "", balance: 30, events: 22 });
    const repeated = { commandId: "once" };
    await store.execute(Declared, "account-1", { type: "Deposit", amount: 1 }, repeated);
    const again = await store.execute(Declared, "account-1", { type: "Deposit", amount: 1 }, repeated);
    assert.deepEqual([again.duplicate, again.state.balance], [true, 31]);
    const { attempts } = await store.transact(async (tx) => {
      const { state } = await tx.load(Declared, "account-1");
      if (state.balance === 31) await store.append("account-1", deposited(4));
      tx.append("account-2", deposited(state.balance));
    });
    assert.deepEqual([attempts, (await store.load(Declared, "account-2")).state.balance], [2, 35]);
    const steps = await store.history(Declared, "account-1", { diff: true, from: 22 }).toArray();
    assert.deepEqual(steps.map(({ revision, state, patch }) => [revision, state.balance, patch.length]), [[22, 31, 2], [23, 35, 2]]);
    assert.throws(() => { steps[0].state.balance = 1; }, TypeError);
  }));

test("what cannot be folded is told by its aggregate, stream, revision and type, and is not written", () =>
  withStore(async (store) => {
    await store.append("account-1", [opened(), deposited(1), { type: "MoneyDeposited", data: { amount: "13" } }]);
    const fields = { aggregate: "declared", stream: "account-1", revision: 2, type: "MoneyDeposited", retryable: false };
    await refused(() => store.load(Declared, "account-1"), "REDUCER_FAILED", fields);
    await refused(() => store.loadAll(Declared), "REDUCER_FAILED", fields);
    await refused(() => store.history(Declared, "account-1").toArray(), "REDUCER_FAILED", fields);
    assert.equal((await store.load(Declared, "account-1", { revision: 1 })).state.balance, 1);
    const command = { type: "Deposit", amount: "much" };
    await refused(() => store.execute(Declared, "account-2", command), "REDUCER_FAILED", { ...fields, stream: "account-2", revision: 0 });
    assert.equal(await store.count({ streams: ["account-2"] }), 0);
  }));

// The registries of two releases of an app, and what old events come to in the second.
const older = defineEvents({ Deposited: eventType(), Noted: eventType(), MoneyWithdrawn: eventType() });
const today = defineEvents({
  MoneyDeposited: eventType({ version: 2, formerly: ["Deposited"], upcast: { 1: ({ amount }) => (amount === 0 ? null : { cents: amount * 100 }) } }),
  Noted: eventType(),
  MoneyWithdrawn: eventType(),
});
const cents = { name: "cents", category: "account", initial: () => ({ cents: 0, count: 0 }) };
const CentsDocument = defineAggregate({
  ...cents,
  events: today,
  evolve: { MoneyDeposited: { $inc: { cents: "$data.cents", count: 1 } }, MoneyWithdrawn: { $inc: { cents: { $multiply: ["$data.amount", -100] }, count: 1 } } },
});
const CentsFunctions = defineAggregate({
  ...cents,
  events: today,
  evolve: {
    MoneyDeposited: ({ cents: sum, count }, { data }) => ({ cents: sum + data.cents, count: count + 1 }),
    MoneyWithdrawn: ({ cents: sum, count }, { data }) => ({ cents: sum - data.amount * 100, count: count + 1 }),
  },
});

test(`events of older versions are made those of today for a document, as for functions (seed ${SEED})`, () =>
  withStore(async (store) => {
    const random = seeded(SEED);
    const kinds = [
      () => ({ type: "Deposited", data: { amount: Math.floor(random() * 5) } }),
      () => withdrawn(1),
      () => ({ type: "MoneyDeposited", data: { cents: 7 }, now: true }),
      () => ({ type: "Noted", data: {} }),
    ];
    const now = defineAggregate({ ...cents, name: "writer", events: today, evolve: () => ({}), decide: (event) => event });
    for (let number = 0; number < 300; number += 1) {
      const kind = number < 100 ? 1 : Math.floor(random() * kinds.length);
      const { now: isNow, ...event } = kinds[kind]();
      const stream = `account-${Math.floor(random() * 4)}`;
      if (isNow) await store.execute(now, stream, event);
      else await store.append(stream, event);
      if (number === 200) await store.compact();
    }
    const all = await store.loadAll(CentsDocument);
    assert.deepEqual(sorted(all), sorted(await store.loadAll(CentsFunctions)));
    for (const stream of all.keys()) {
      for (const moment of [undefined, { revision: 10 }, { position: 150 }]) {
        assert.deepEqual(await store.load(CentsDocument, stream, moment), await store.load(CentsFunctions, stream, moment));
      }
    }
    for (const source of [{ query: {} }, { query: { types: ["MoneyDeposited"] } }]) {
      assert.deepEqual(await store.load(CentsDocument, source), await store.load(CentsFunctions, source));
    }
  }, { events: older }));

test("an event that is newer than this tab ends a fold by a document", () =>
  withStore(async (store) => {
    const newer = defineAggregate({ ...cents, name: "newer", events: defineEvents({ Noted: eventType({ version: 2, upcast: { 1: (data) => data } }) }), evolve: () => ({}), decide: (event) => event });
    await store.append("account-1", withdrawn(1));
    await store.execute(newer, "account-1", { type: "Noted", data: {} });
    const fields = { type: "Noted", version: 2 };
    await refused(() => store.load(CentsDocument, "account-1"), "SCHEMA_TOO_NEW", fields);
    await refused(() => store.loadAll(CentsDocument), "SCHEMA_TOO_NEW", fields);
    // Of whose registry it is no type, folds it as it stands.
    const Plain = defineAggregate({ ...cents, evolve: { Noted: { $inc: { count: 1 } } } });
    assert.deepEqual((await store.load(Plain, "account-1")).state, { cents: 0, count: 1 });
  }));

test("a document is as it was when it was defined, and what is no document is refused with the place", async () => {
  const document = { A: { $inc: { count: 1 } } };
  const Counter = defineAggregate({ name: "counter", initial: () => ({ count: 0 }), evolve: document });
  document.A.$inc.count = 2;
  await withStore(async (store) => {
    await store.append("s", { type: "A" });
    assert.equal((await store.load(Counter, "s")).state.count, 1);
    const wrong = (evolve, initial = { count: 0 }) => store.load(defineAggregate({ name: "wrong", initial: () => initial, evolve }), "s");
    await refused(() => wrong({ A: { $inc: { count: 1 } } }, 0), "INVALID_ARGUMENT", { path: "initial" });
  });
  const define = (evolve) => async () => defineAggregate({ name: "wrong", initial: () => ({}), evolve });
  await refused(define({ A: { $add: 1 } }), "INVALID_ARGUMENT", { path: "definition.evolve.A" });
  await refused(define({ A: { $inc: { count: { $sum: 1 } } } }), "INVALID_ARGUMENT", { path: "definition.evolve.A.$inc.count" });
  await refused(define({ A: [{ $set: { a: NaN } }] }), "INVALID_ARGUMENT", { path: "definition.evolve.A[0].$set.a" });
  await refused(define({ A: [1] }), "INVALID_ARGUMENT", { path: "definition.evolve.A[0]" });
  await refused(define({ A: {}, B: () => 1 }), "INVALID_ARGUMENT", { path: "definition.evolve.A" });
  await refused(define({ $deleted: {} }), "INVALID_ARGUMENT", { path: "definition.evolve.$deleted" });
});

test("many states come in portions, of which none is long, and are all there", () =>
  withStore(async (store) => {
    const Noted = defineAggregate({ name: "noted", category: "note", initial: () => ({}), evolve: { Noted: { $set: { text: "$data.text" } } } });
    const events = Array.from({ length: 3_000 }, (_, index) => ({ stream: `note-${index}`, events: { type: "Noted", data: { text: `${index} ${"x".repeat(500)}` } } }));
    await store.appendAll(events);
    // The seam is watched from below: what crosses is what is parsed.
    const parse = JSON.parse;
    const lengths = [];
    JSON.parse = (text) => { lengths.push(text.length); return parse(text); };
    try {
      const all = await store.loadAll(Noted);
      assert.equal(all.size, 3_000);
      for (const { stream, events: { data } } of events) assert.deepEqual(all.get(stream).state, data);
    } finally {
      JSON.parse = parse;
    }
    const long = lengths.filter((length) => 100_000 < length);
    assert.ok(5 <= long.length && Math.max(...long) < 300_000, JSON.stringify(long));
  }));

test("a signal ends a fold by a document", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 2; batch += 1) await store.append("account-1", Array.from({ length: 9_000 }, () => deposited(1)));
    const { state, revision } = await store.load(Declared, "account-1");
    assert.deepEqual([state.balance, revision], [18_000, 17_999]);
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(store.load(Declared, "account-1", { signal }), reason);
    await assert.rejects(store.loadAll(Declared, { signal }), reason);
    const controller = new AbortController();
    await assert.rejects(store.loadAll(Declared, { signal: controller.signal, onProgress: () => controller.abort(reason) }), reason);
  }));

test("a document that is nested too deeply is refused where it is defined, at the place where it is", async () => {
  const nested = (levels) => Array.from({ length: levels }).reduce((inner) => [inner], 1);
  const define = (levels) => defineAggregate({ name: "deep", initial: () => ({}), evolve: { A: [{ $set: { a: nested(levels) } }] } });
  // The document, its list, the step and what it sets are levels too.
  const deepest = define(60);
  await withStore(async (store) => {
    await store.append("s", { type: "A" });
    assert.deepEqual((await store.load(deepest, "s")).state, { a: nested(60) });
  });
  await refused(async () => define(61), "LIMIT_EXCEEDED", { path: `definition.evolve.A[0].$set.a${"[0]".repeat(60)}`, limit: "JSON depth", maximum: 64 });
  const project = (key) => defineProjection({ name: "deep", key, on: { A: { $set: { a: 1 } } } });
  project(nested(64));
  await refused(async () => project(nested(65)), "LIMIT_EXCEEDED", { path: `definition.key${"[0]".repeat(64)}` });
});
