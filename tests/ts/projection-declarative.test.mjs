// Projections that are documents, folded in the core: they come to what functions come to, event by event.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineEvents, defineProjection, documentType, eventType } from "../../dist/index.js";
import { openTestTabs } from "../../dist/testing.js";
import { SEED, seeded } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";

const KEYS_MAX = 40;
const shop = defineEvents({
  Placed: eventType({ version: 2, upcast: { 1: (data) => (data.total === 3 ? null : { ...data, total: data.total * 100, old: true }) }, formerly: ["Ordered"] }),
  Paid: eventType(),
  Moved: eventType(),
  Cancelled: eventType(),
  Noted: eventType(),
});

/** The same twice: by functions, and by a document. */
const BY_STREAM = {
  functions: {
    on: {
      Placed: (_, { data }) => ({ status: "open", total: data.total, tags: data.tags ?? [], count: 1, ...(data.old && { old: true }) }),
      Paid: (order) => order && { ...order, status: "paid", count: (order.count ?? 0) + 1 },
      Moved: (order, { data, time, revision, stream }) => (data.to === undefined ? order : { ...order, to: data.to, at: { time, revision, stream } }),
      Cancelled: (order) => (order?.status === "paid" ? order : undefined),
      $truncated: (order, { data, position }) => order && { ...order, before: data.before, hidden: position },
    },
  },
  document: {
    on: {
      Placed: [
        { $remove: true },
        { $set: { status: "open", total: "$data.total", tags: { $ifNull: ["$data.tags", []] }, count: 1, old: "$data.old" } },
      ],
      Paid: { $if: "$state", $set: { status: "paid" }, $inc: { count: 1 } },
      Moved: { $if: { $ne: [{ $ifNull: ["$data.to", null] }, null] }, $set: { to: "$data.to", at: { time: "$time", revision: "$revision", stream: "$stream" } } },
      Cancelled: { $if: { $ne: ["$state.status", "paid"] }, $remove: true },
      $truncated: { $if: "$state", $set: { before: "$data.before", hidden: "$position" } },
    },
  },
};

/** By keys of events, one or several or none. */
const BY_KEY = {
  functions: {
    key: ({ type, data }) => (type === "Placed" ? data.tags : type === "Moved" ? data.to : undefined),
    on: {
      Placed: (sum, { data }) => ({ ...sum, total: (sum?.total ?? 0) + data.total, last: data.tags }),
      Moved: (sum, { data }) => (data.to === "gone" ? undefined : { ...sum, moves: (sum?.moves ?? 0) + 1 }),
      "*": (sum) => ({ ...sum, never: true }),
    },
  },
  document: {
    key: { $cond: [{ $eq: ["$type", "Placed"] }, "$data.tags", { $cond: [{ $eq: ["$type", "Moved"] }, "$data.to", null] }] },
    on: {
      Placed: { $inc: { total: "$data.total" }, $set: { last: "$data.tags" } },
      Moved: [{ $inc: { moves: 1 } }, { $if: { $eq: ["$data.to", "gone"] }, $remove: true }],
      "*": { $set: { never: true } },
    },
  },
};

const indexes = { byStatus: ["status", "total"], byTotal: "total", byTag: { path: "tags", each: true }, byLast: { path: "last", each: true }, byCount: "tags.length" };

/** Everything that a projection says of its documents. */
async function everything(model) {
  const said = { count: await model.count() };
  for (const index of [undefined, ...Object.keys(indexes)]) {
    for (const direction of ["forwards", "backwards"]) {
      const rows = [];
      let cursor;
      do {
        const page = await model.find({ index, direction, limit: 11, cursor });
        // Functions may make a document of the same properties in another order.
        rows.push(...page.rows.map(({ key, doc }) => [key, JSON.stringify(doc, (_, value) => sorted(value))]));
        ({ cursor } = page);
      } while (cursor !== undefined);
      said[`${index} ${direction}`] = rows;
    }
  }
  return said;
}

/** Fails with the first row that is not the same. */
async function same(core, older, when) {
  const [said, expected] = [await everything(core), await everything(older)];
  for (const [what, rows] of Object.entries(expected)) {
    const place = Array.isArray(rows) ? Math.max(0, rows.findIndex((row, at) => `${row}` !== `${said[what][at]}`)) : 0;
    assert.deepEqual(Array.isArray(rows) ? said[what].slice(place, place + 1) : said[what], Array.isArray(rows) ? rows.slice(place, place + 1) : rows, `${what}, ${when}`);
    assert.equal(said[what].length, rows.length, `${what}, ${when}`);
  }
}

function sorted(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

for (const [what, { functions, document }] of Object.entries({ "by stream": BY_STREAM, "by keys of events": BY_KEY })) {
  test(`documents ${what} are the same by functions and by a document (seed ${SEED})`, { timeout: 120_000 }, async () => {
    const random = seeded(SEED);
    const below = (count) => Math.floor(random() * count);
    const pick = (list) => list[below(list.length)];
    const name = newName();
    const keeper = await EventStore.open(name, { storage: "memory" });
    const store = await EventStore.open(name, { storage: "memory", events: shop });
    const define = (of, kind) => defineProjection({ name: kind, events: shop, indexes, ...of });
    const older = await store.project(define(functions, "by functions"));
    const core = await store.project(define(document, "by a document"));
    const texts = ["a", "b", "c", "é", "gone", "x\0y"];
    const event = () =>
      pick([
        () => ({ type: "Placed", data: { total: pick([0, -1, 2.5, 7, 1e21]), tags: texts.filter(() => random() < 0.4) } }),
        () => ({ type: "Paid" }),
        () => ({ type: "Moved", data: random() < 0.3 ? {} : { to: pick(texts) } }),
        () => ({ type: "Cancelled", data: null }),
        () => ({ type: "Noted", data: { any: "thing" } }),
      ])();
    const old = () => ({ type: pick(["Placed", "Ordered"]), data: { total: below(5), tags: texts.filter(() => random() < 0.3) } });
    const wait = async () => {
      for (const model of [older, core]) await model.waitFor(Math.max(store.position, keeper.position));
    };
    for (let round = 0; round < 25; round += 1) {
      for (let count = below(60); 0 < count; count -= 1) {
        const stream = `order-${below(KEYS_MAX)}`;
        if (random() < 0.1) await keeper.append(stream, old());
        else await store.append(stream, Array.from({ length: 1 + below(3) }, event));
        // What is hidden before it is folded is not folded.
        if (random() < 0.12) {
          await wait();
          await pick([() => store.delete(stream), () => store.truncate(stream, { before: below(4) })])();
          await wait();
        }
      }
      await wait();
      await same(core, older, `round ${round}`);
    }
    for (const model of [older, core]) await model.rebuild();
    await same(core, older, "made anew");
    assert.ok(10 < (await core.count()) || what !== "by stream", "there are documents to compare");
    await store.close();
    await keeper.close();
  });
}

/** The documents that a projection of these events comes to. */
async function documentsOf(definition, events, stream = "s-1") {
  return withStore(async (store) => {
    const model = await store.project(defineProjection({ name: "documents", ...definition }));
    await store.append(stream, events);
    await model.waitFor(store.position);
    const { rows } = await model.find();
    return Object.fromEntries(rows.map(({ key, doc }) => [key, doc]));
  });
}

test("what is written where no document is makes one, and what only takes away makes none", async () => {
  const check = async (steps, expected) => assert.deepEqual((await documentsOf({ on: { A: steps } }, { type: "A", data: { x: 1, list: [1, 2] } }))["s-1"], expected, JSON.stringify(steps));
  await check({ $set: { "a.b": "$data.x" } }, { a: { b: 1 } });
  await check({ $inc: { n: 2 } }, { n: 2 });
  await check({ $push: { list: "$data.x" } }, { list: [1] });
  await check({ $unset: "a" }, undefined);
  await check({ $set: { a: "$data.missing" } }, undefined);
  await check({ $pull: { a: 1 } }, undefined);
  await check({ $set: { "[].a": 1 } }, undefined);
  await check({ $if: "$state", $set: { a: 1 } }, undefined);
  await check({ $remove: true }, undefined);
  await check({ $set: { state: "$state", inside: { $ifNull: ["$state.x", "none"] } } }, { inside: "none" });
  await check([{ $set: { a: 1 } }, { $remove: true }, { $set: { b: 2 } }], { b: 2 });
  await check([{ $set: { a: 1 } }, { $if: { $eq: ["$state.a", 2] }, $remove: true }], { a: 1 });
  await check({ $for: { item: "$data.list" }, $inc: { sum: "$item" } }, { sum: 3 });
  await check([{ $for: { item: "$data.list" }, $if: { $eq: ["$item", 2] }, $remove: true }, { $set: { x: "$data.x" } }], { x: 1 });
});

test("keys are texts, numbers and booleans, or lists of such, and none is for no document", async () => {
  const keysOf = async (key, data) => Object.keys(await documentsOf({ key, on: { A: { $inc: { count: 1 } } } }, { type: "A", data, metadata: { who: "ada" } }));
  const check = async (key, data, expected) => assert.deepEqual(await keysOf(key, data), expected, `${JSON.stringify(key)} of ${JSON.stringify(data)}`);
  await check("$data.user", { user: "ada" }, ["ada"]);
  await check("$data.user", { user: "é\"\\\n" }, ["é\"\\\n"]);
  await check("$data.user", {}, []);
  await check("$data.user", { user: null }, []);
  await check("$data.user", { user: 7 }, ["7"]);
  await check("$data.user", { user: true }, ["true"]);
  await check("$data.tags", { tags: ["b", "a", "b", null] }, ["a", "b"]);
  await check(["$data.from", "$data.to"], { from: "x" }, ["x"]);
  await check(["$data.from", "$data.to"], { from: "x", to: "y" }, ["x", "y"]);
  await check({ $concat: ["$stream", "/", "$type"] }, {}, ["s-1/A"]);
  await check("$metadata.who", {}, ["ada"]);
  await check("all", {}, ["all"]);
  await check("$data.{data.by}", { by: "user", user: "bob" }, ["bob"]);
  for (const user of ["", {}, [[]], "é".repeat(513), "\ud800"]) {
    const failure = await refused(() => withStore(async (store) => {
      const model = await store.project(defineProjection({ name: "documents", key: "$data.user", on: { A: { $set: { a: 1 } } } }));
      await store.append("s-1", { type: "A", data: { user } });
      await model.waitFor(store.position);
    }), "PROJECTION_FAILED", { projection: "documents", stream: "s-1", revision: 0, type: "A" });
    assert.match(String(failure.cause), /^key: a key of a document is a text of 1 to 1,024 bytes/);
  }
});

test("facts are handed to steps that are named for them, and take documents of streams away", () =>
  withStore(async (store) => {
    const Lives = defineProjection({
      name: "lives",
      on: {
        "*": { $inc: { events: 1 } },
        $deleted: { $push: { facts: "$type" } },
        $truncated: { $push: { facts: ["$data.before", { $ifNull: ["$revision", "none"] }] } },
      },
    });
    const model = await store.project(Lives);
    const settled = async () => (await model.waitFor(store.position), await model.get("order-1"));
    await store.append("order-1", [{ type: "A" }, { type: "B" }]);
    await settled();
    await store.truncate("order-1", { before: 1 });
    await settled();
    await store.delete("order-1");
    assert.deepEqual(await settled(), { events: 2, facts: [[1, "none"], "$deleted"] });
    await store.tombstone("order-1");
    assert.equal(await settled(), undefined, "no step is for a tombstone");
  }));

test("an event that cannot be folded stops the documents before it, and leaves them whole", () =>
  withStore(async (store) => {
    const define = (on) => defineProjection({ name: "sums", key: "$data.of", on, indexes: { bySum: "sum" } });
    const strict = { A: [{ $push: { seen: "$data.n" } }, { $inc: { sum: "$data.n" } }] };
    const add = (of, n) => ({ type: "A", data: { of, n } });
    const first = await store.append("s-1", [add("x", 1), add(["x", "y"], 2)]);
    await store.append("s-1", [add("y", 3), add(["x", "y"], "four"), add("x", 5)]);
    const model = await store.project(define(strict));
    const failure = await refused(() => model.waitFor(store.position), "PROJECTION_FAILED", { projection: "sums", stream: "s-1", revision: 3, type: "A" });
    assert.equal(String(failure.cause), "on.A[1].$inc.sum: $inc adds numbers to numbers, and this is a text");
    assert.equal(model.position, first.firstPosition + 2);
    assert.deepEqual(await model.get("x"), { seen: [1, 2], sum: 3 });
    assert.deepEqual(await model.get("y"), { seen: [2, 3], sum: 5 });
    await refused(() => model.rebuild(), "PROJECTION_FAILED");
    assert.deepEqual(await model.get("y"), { seen: [2, 3], sum: 5 }, "the documents that were there answer");
    const mended = await store.project(define({ A: [strict.A[0], { $if: { $ne: ["$data.n", "four"] }, $inc: { sum: "$data.n" } }] }));
    await mended.waitFor(store.position);
    assert.deepEqual((await mended.find({ index: "bySum" })).rows.map(({ key, doc }) => [key, doc.sum]), [["y", 5], ["x", 8]]);
  }));

test("a document that is too large stops the documents, and says of which event it is", () =>
  withStore(async (store) => {
    const model = await store.project(defineProjection({ name: "large", on: { A: { $push: { texts: "$data" } } } }));
    for (let count = 0; count < 3; count += 1) await store.append("s-1", { type: "A", data: "é".repeat(200_000) });
    const failure = await refused(() => model.waitFor(store.position), "PROJECTION_FAILED", { projection: "large", stream: "s-1", revision: 2, type: "A" });
    assert.deepEqual([failure.cause.code, failure.cause.maximum], ["LIMIT_EXCEEDED", 1_048_576]);
  }));

test("events of older versions are made such of today, and a newer one stops the documents before it", async () => {
  const name = newName();
  const cents = (data) => ({ cents: data.euros * 100 });
  const today = defineEvents({ Priced: eventType({ version: 2, upcast: { 1: cents }, formerly: ["Valued"] }) });
  const prices = (name, events) => defineProjection({ name, events, query: { types: ["Priced"] }, on: { Priced: { $set: { cents: "$data.cents", euros: "$data.euros" } } } });
  const keeper = await EventStore.open(name, { storage: "memory" });
  await keeper.append("item-1", { type: "Priced", data: { euros: 2 } });
  await keeper.append("item-2", { type: "Valued", data: { euros: 3 } });
  const store = await EventStore.open(name, { storage: "memory", events: today });
  await store.append("item-3", { type: "Priced", data: { cents: 7 } });
  const model = await store.project(prices("prices", today));
  await model.waitFor(store.position);
  assert.deepEqual((await model.find()).rows.map(({ doc }) => doc), [{ cents: 200 }, { cents: 300 }, { cents: 7 }]);
  await keeper.append("item-1", { type: "Priced", data: { euros: 5 } });
  await store.append("item-3", { type: "Priced", data: { cents: 8 } });
  await model.waitFor(store.position);
  assert.deepEqual((await model.find()).rows.map(({ doc }) => doc.cents), [500, 300, 8]);
  const old = await keeper.project(prices("old prices", defineEvents({ Priced: eventType() })));
  await refused(() => old.waitFor(store.position), "SCHEMA_TOO_NEW", { type: "Priced", version: 2 });
  assert.deepEqual((await old.find()).rows, [{ key: "item-1", doc: { euros: 2 } }]);
  await store.close();
  await keeper.close();
});

test("documents of a definition that changed in anything are made anew, and of the same they are not", { timeout: 20_000 }, () =>
  withStore(async (store) => {
    await store.append("a-1", { type: "A", data: { x: 1 } });
    const define = (changes) => defineProjection({ name: "changed", on: { A: { $set: { x: "$data.x", list: { 0: 1 } } } }, ...changes });
    // Those that were there answer until the new ones are ready.
    const answers = async (changes, expected) => {
      const model = await store.project(define({ ...changes, indexes: { one: "x" } }));
      for (;;) {
        const { rows } = await model.find();
        if (rows.length === 1 && `${rows[0].key} ${JSON.stringify(rows[0].doc)}` === expected) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await answers({}, 'a-1 {"x":1,"list":{"0":1}}');
    const heard = [];
    const same = await store.project(define({ indexes: { one: "x" } }));
    same.subscribe((keys) => heard.push(keys));
    await same.waitFor(store.position);
    await same.find();
    assert.deepEqual(heard, [], "of the same nothing is folded again");
    await answers({ on: { A: { $set: { x: "$data.x", list: [1] } } } }, 'a-1 {"x":1,"list":[1]}');
    await answers({ on: { A: { $set: { list: { 0: 1 }, x: "$data.x" } } } }, 'a-1 {"list":{"0":1},"x":1}');
    await answers({ key: "$type" }, 'A {"x":1,"list":{"0":1}}');
    await answers({ key: "$data.x" }, '1 {"x":1,"list":{"0":1}}');
  }));

test("a document is what it was when it was defined", () =>
  withStore(async (store) => {
    const on = { A: { $set: { a: 1 } } };
    const Fixed = defineProjection({ name: "fixed", on });
    on.A.$set.a = 2;
    await store.append("a-1", { type: "A" });
    const model = await store.project(Fixed);
    await model.waitFor(store.position);
    assert.deepEqual(await model.get("a-1"), { a: 1 });
  }));

test("tabs take turns at the documents, and none folds an event twice", { timeout: 60_000 }, async () => {
  const tabs = await openTestTabs(2);
  try {
    const Counts = defineProjection({ name: "counts", key: "all", on: { "*": { $inc: { count: 1 } } } });
    const models = await Promise.all(tabs.map(({ store }) => store.project(Counts)));
    for (let count = 1; count <= 30; count += 1) {
      const { lastPosition } = await tabs[count % 2].store.append("any", { type: "Noted" });
      await models[count % 3 === 0 ? 0 : 1].waitFor(lastPosition);
      assert.deepEqual(await models[count % 3 === 0 ? 0 : 1].get("all"), { count });
    }
    tabs[1].kill();
    const { lastPosition } = await tabs[0].store.append("any", { type: "Noted" });
    await models[0].waitFor(lastPosition);
    assert.deepEqual(await models[0].get("all"), { count: 31 });
  } finally {
    await tabs.close();
  }
});

test("changes are heard, and live documents follow", () =>
  withStore(async (store) => {
    const model = await store.project(defineProjection({ name: "heard", document: documentType(), on: { A: { $inc: { n: 1 } } } }));
    const heard = [];
    model.subscribe((keys) => heard.push(...keys));
    const live = model.live("a-1");
    const seen = [];
    const stop = live.subscribe(() => seen.push(live.get().value?.n));
    for (let count = 0; count < 3; count += 1) {
      await store.append("a-1", { type: "A" });
      await model.waitFor(store.position);
    }
    while (seen.at(-1) !== 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(heard, ["a-1", "a-1", "a-1"]);
    stop();
  }));

test("many events are folded in several batches, each written once", { timeout: 60_000 }, () =>
  withStore(async (store) => {
    const COUNT = 40_000;
    for (let first = 0; first < COUNT; first += 10_000) {
      const commits = Array.from({ length: 10_000 }, (_, place) => ({ stream: `s-${(first + place) % 777}`, events: { type: "A", data: { n: place } } }));
      await store.appendAll(commits);
    }
    const model = await store.project(defineProjection({ name: "many", on: { A: { $inc: { count: 1, sum: "$data.n" } } }, indexes: { byCount: "count" } }));
    await model.waitFor(store.position);
    const { rows } = await model.find({ limit: 10_000 });
    assert.equal(rows.reduce((sum, { doc }) => sum + doc.count, 0), COUNT);
    assert.equal(rows.reduce((sum, { doc }) => sum + doc.sum, 0), 4 * ((9_999 * 10_000) / 2));
    assert.equal(await model.count({ index: "byCount" }), 777);
  }));

test("what is wrong in a document is refused where it stands", async () => {
  const wrong = (definition, path, message) =>
    refused(() => defineProjection({ name: "n", on: { A: { $set: { a: 1 } } }, ...definition }), "INVALID_ARGUMENT", { path }).then((error) => message && assert.match(error.message, message));
  await wrong({ on: { A: { $set: { a: { $plus: [1] } } } } }, "definition.on.A.$set.a", /\$plus/);
  await wrong({ on: { A: [{ $set: { a: 1 } }, { $what: 1 }] } }, "definition.on.A[1]", /\$what/);
  await wrong({ on: { A: { $remove: 1 } } }, "definition.on.A.$remove", /true/);
  await wrong({ on: { A: { $remove: true, $set: { a: 1 } } } }, "definition.on.A.$set.a", /two steps/);
  await wrong({ on: { A: { $set: { a: 1 }, $remove: true } } }, "definition.on.A.$remove", /two steps/);
  await wrong({ on: { $other: { $set: { a: 1 } } } }, "definition.on.$other", /fact/);
  await wrong({ on: { A: { $set: { a: 1 } }, B: () => undefined } }, "definition.on.A", /function/);
  await wrong({ key: () => "a" }, "definition.key", /expression.*steps and no functions/);
  await wrong({ key: "$state.a" }, "definition.key", /follows from the event alone/);
  await wrong({ key: "$data.{state.a}" }, "definition.key", /follows from the event alone/);
  await wrong({ key: { $nope: 1 } }, "definition.key", /\$nope/);
  await wrong({ key: "$item" }, "definition.key", /item/);
  await wrong({ key: "$data.a", on: { A: () => ({}) } }, "definition.key", /function/);
  await wrong({ key: NaN }, "definition.key");
});
