// Projections in one tab: documents are what a loop over the events comes to, found by keys and indexes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineEvents, defineProjection, eventType } from "../../dist/index.js";
import { SEED, seeded } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";

const shop = defineEvents({ OrderPlaced: eventType(), OrderPaid: eventType(), OrderCancelled: eventType(), Noted: eventType() });
const handlers = {
  OrderPlaced: (_order, { data }) => ({ status: "open", total: data.total, tags: data.tags ?? [] }),
  OrderPaid: (order) => order && { ...order, status: "paid" },
  OrderCancelled: () => undefined,
};
const indexes = { byStatus: ["status", "total"], byTotal: "total", byTag: { path: "tags", each: true } };
const define = (changes = {}) => defineProjection({ name: "orders", events: shop, query: { categories: ["order"] }, on: handlers, indexes, ...changes });
const placed = (total, ...tags) => ({ type: "OrderPlaced", data: { total, tags } });
const paid = { type: "OrderPaid" };
const cancelled = { type: "OrderCancelled" };

/** Opens a projection, and waits until all is in its documents that stands in the log. */
async function projected(store, projection) {
  const model = await store.project(projection);
  await model.waitFor(store.position);
  return model;
}

/** All documents, page by page. */
async function all(model, range = {}) {
  const rows = [];
  let cursor;
  do {
    const page = await model.find({ limit: 7, ...range, cursor });
    rows.push(...page.rows);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return rows;
}

const keysIn = async (model, range) => (await all(model, range)).map(({ key }) => key);

/** What a loop over events and facts comes to. */
function naive(events) {
  const documents = new Map();
  for (const event of events) {
    const handler = event.type.startsWith("$") ? (event.type === "$truncated" ? undefined : () => undefined) : handlers[event.type];
    if (handler === undefined) continue;
    const document = handler(documents.get(event.stream), event);
    if (document === undefined) documents.delete(event.stream);
    else documents.set(event.stream, document);
  }
  return documents;
}

test(`documents are what a loop over the events comes to (seed ${SEED})`, async () => {
  const random = seeded(SEED);
  const pick = (list) => list[Math.floor(random() * list.length)];
  await withStore(async (store) => {
    const told = [];
    const tell = async () => {
      const query = [{}, { types: ["$deleted", "$truncated"] }];
      for await (const event of store.readAll({ after: told.at(-1)?.position ?? 0, query })) told.push(event);
    };
    const model = await store.project(define());
    for (let round = 0; round < 20; round += 1) {
      for (let count = Math.floor(random() * 40); 0 < count; count -= 1) {
        const stream = `order-${Math.floor(random() * 30)}`;
        const event = pick([placed(Math.floor(random() * 5), pick(["a", "b"]), pick(["b", "c"])), paid, cancelled, { type: "Noted" }]);
        await store.append(stream, event);
        const hides = random() < 0.1;
        // What is hidden is folded as long as it was seen: the loop is told of it before, as the documents are.
        if (hides || random() < 0.3) await model.waitFor(store.position);
        await tell();
        if (hides && random() < 0.5) await store.delete(stream);
        else if (hides) await store.truncate(stream, { before: 1 });
      }
      await tell();
      await model.waitFor(store.position);
      const expected = naive(told);
      assert.deepEqual(new Map((await all(model)).map(({ key, doc }) => [key, doc])), expected);
      for (const status of ["open", "paid"]) {
        const wanted = [...expected].filter(([, order]) => order.status === status).map(([key]) => key);
        assert.deepEqual((await keysIn(model, { index: "byStatus", equals: [status] })).sort(), wanted.sort());
        assert.equal(await model.count({ index: "byStatus", equals: [status] }), wanted.length);
      }
      const tagged = [...expected].filter(([, order]) => order.tags.includes("b")).map(([key]) => key);
      assert.deepEqual(await keysIn(model, { index: "byTag", equals: ["b"] }), tagged.sort());
      assert.equal(await model.count(), expected.size);
    }
  });
});

test("documents are found by keys, and by values of indexes, in both directions", () =>
  withStore(async (store) => {
    for (const [place, event] of [placed(3, "x"), placed(1, "x", "y", "x"), placed(-2), placed(2.5), placed("two"), placed(true), placed(null)].entries()) {
      await store.append(`order-${place}`, event);
    }
    const model = await projected(store, define());
    assert.deepEqual(await model.get("order-1"), { status: "open", total: 1, tags: ["x", "y", "x"] });
    assert.equal(await model.get("nobody"), undefined);
    const by = (range) => keysIn(model, range);
    assert.deepEqual(await by({ from: "order-2", before: "order-5" }), ["order-2", "order-3", "order-4"]);
    assert.deepEqual(await by({ direction: "backwards", before: "order-2" }), ["order-1", "order-0"]);
    assert.deepEqual(await by({ index: "byTotal" }), ["order-5", "order-2", "order-1", "order-3", "order-0", "order-4"], "null is no key");
    assert.deepEqual(await by({ index: "byTotal", from: 1, before: 3 }), ["order-1", "order-3"]);
    assert.deepEqual(await by({ index: "byTotal", equals: ["two"] }), ["order-4"]);
    assert.deepEqual(await by({ index: "byStatus", equals: ["open"], from: 2, direction: "backwards" }), ["order-4", "order-0", "order-3"]);
    assert.deepEqual(await by({ index: "byStatus", from: ["open", 2.5], before: ["open", 3] }), ["order-3"]);
    assert.deepEqual(await by({ index: "byStatus", equals: ["open", 3] }), ["order-0"]);
    assert.deepEqual(await by({ index: "byTag", equals: ["x"] }), ["order-0", "order-1"], "each once");
    assert.deepEqual(await by({ index: "byTag" }), ["order-0", "order-1", "order-1"], "a row for each item");
    assert.deepEqual(await by({ index: "byTag", from: [], before: [] }), ["order-0", "order-1", "order-1"], "no values are no bound");
    assert.deepEqual(await model.find({ limit: 0 }), { rows: [], cursor: undefined });
    const { cursor } = await model.find({ index: "byTotal", limit: 2 });
    await store.append("order-9", placed(0.5));
    await model.waitFor(store.position);
    assert.deepEqual(await by({ index: "byTotal", limit: 2 }), ["order-5", "order-2", "order-9", "order-1", "order-3", "order-0", "order-4"]);
    assert.equal((await model.find({ index: "byTotal", limit: 1, cursor })).rows[0].key, "order-9", "a cursor goes on behind what it has given");
  }));

test("what was appended is found once it was waited for, also where it is of no interest", () =>
  withStore(async (store) => {
    const model = await store.project(define());
    for (let total = 0; total < 30; total += 1) {
      const { lastPosition } = await store.append(`order-${total}`, placed(total));
      await model.waitFor(lastPosition);
      assert.equal((await model.get(`order-${total}`))?.total, total);
    }
    const { lastPosition } = await store.append("other-1", { type: "Noted" });
    await model.waitFor(lastPosition);
    const ended = AbortSignal.timeout(50);
    await assert.rejects(model.waitFor(lastPosition + 1, { signal: ended }), (error) => error === ended.reason);
  }));

test("changes are heard, and no more once the listening has ended", () =>
  withStore(async (store) => {
    const model = await store.project(define());
    const heard = [];
    const stop = model.subscribe((keys) => heard.push(...keys));
    await store.appendAll([{ stream: "order-1", events: placed(1) }, { stream: "order-2", events: placed(2) }]);
    await model.waitFor(store.position);
    await store.append("order-1", paid);
    await store.append("other-1", { type: "Noted" });
    await model.waitFor(store.position);
    assert.deepEqual(heard, ["order-1", "order-2", "order-1"]);
    stop();
    await store.append("order-1", cancelled);
    await model.waitFor(store.position);
    assert.equal(heard.length, 3);
  }));

test("an event is of one document, of several, or of none", () =>
  withStore(async (store) => {
    const Totals = defineProjection({
      name: "totals",
      events: shop,
      key: (event) => (event.type === "OrderPlaced" ? event.data.tags : undefined),
      on: { OrderPlaced: (sum, event) => ({ total: (sum?.total ?? 0) + event.data.total }) },
    });
    await store.append("order-1", [placed(1, "a", "b", "a"), placed(2, "b"), paid]);
    await store.append("order-2", placed(4, "c"));
    await store.delete("order-1");
    const model = await projected(store, Totals);
    assert.deepEqual(await all(model), [{ key: "c", doc: { total: 4 } }], "what is hidden when the folding begins is not folded");
    await store.append("order-2", placed(5, "b"));
    await model.waitFor(store.position);
    await store.delete("order-2");
    await model.waitFor(store.position);
    assert.deepEqual(await all(model), [{ key: "b", doc: { total: 5 } }, { key: "c", doc: { total: 4 } }], "documents with keys of their own are not deleted");
  }));

test("facts are handed to handlers that are named for them", () =>
  withStore(async (store) => {
    const Lives = defineProjection({
      name: "lives",
      on: {
        "*": (life) => ({ events: (life?.events ?? 0) + 1, facts: life?.facts ?? [] }),
        $deleted: (life, fact) => ({ ...life, facts: [...life.facts, fact.type] }),
        $truncated: (life, fact) => ({ ...life, facts: [...life.facts, fact.data.before] }),
      },
    });
    const model = await store.project(Lives);
    const settled = async () => (await model.waitFor(store.position), await model.get("order-1"));
    await store.append("order-1", [placed(1), paid]);
    await settled();
    await store.truncate("order-1", { before: 1 });
    await settled();
    await store.delete("order-1");
    assert.deepEqual(await settled(), { events: 2, facts: [1, "$deleted"] });
    await store.tombstone("order-1");
    assert.equal(await settled(), undefined, "nobody handles a tombstone");
  }));

test("documents are what JSON keeps", () =>
  withStore(async (store) => {
    let next;
    const Kept = defineProjection({ name: "kept", on: { Noted: (before) => next(before) } });
    const model = await store.project(Kept);
    const note = async (make) => {
      next = make;
      await store.append("note-1", { type: "Noted" });
      await model.waitFor(store.position);
      return model.get("note-1");
    };
    assert.deepEqual(await note(() => ({ at: new Date(0), gone: undefined, zero: -0, list: [1, null] })), { at: "1970-01-01T00:00:00.000Z", zero: 0, list: [1, null] });
    const seen = [];
    next = (before) => (seen.push(before), { gone: undefined, count: (before.count ?? 0) + 1 });
    await store.append("note-1", [{ type: "Noted" }, { type: "Noted" }]);
    await model.waitFor(store.position);
    assert.deepEqual(seen.map((document) => "gone" in document), [false, false], "as if it had been stored in between");
    assert.equal(await note(() => "é\ud800"), "é\ud800");
    const failure = await refused(() => note(() => ({ deep: { number: NaN } })), "PROJECTION_FAILED", { projection: "kept", stream: "note-1", type: "Noted" });
    assert.deepEqual([failure.name, failure.cause.path], ["EverfoldError", "document.deep.number"]);
  }));

test("a document that is too large stops the documents, and says of which event it is", () =>
  withStore(async (store) => {
    for (const [name, text] of [["ascii", "a".repeat(1_048_575)], ["two bytes each", "é".repeat(600_000)]]) {
      const model = await store.project(defineProjection({ name, on: { Noted: () => text } }));
      await store.append("note-1", { type: "Noted" });
      const failure = await refused(() => model.waitFor(store.position), "PROJECTION_FAILED", { projection: name, stream: "note-1", type: "Noted" });
      assert.deepEqual([failure.cause.code, failure.cause.maximum], ["LIMIT_EXCEEDED", 1_048_576]);
    }
  }));

test("a document is judged with each event: one that is too large in between ends the documents before it", () =>
  withStore(async (store) => {
    const model = await store.project(defineProjection({ name: "judged", on: { Noted: (_, { data }) => "a".repeat(data.length) } }));
    await store.append("note-1", [5, 1_048_575, 7].map((length) => ({ type: "Noted", data: { length } })));
    const failure = await refused(() => model.waitFor(store.position), "PROJECTION_FAILED", { stream: "note-1", revision: 1 });
    assert.equal(failure.cause.code, "LIMIT_EXCEEDED");
    assert.deepEqual([model.position, await model.get("note-1")], [1, "aaaaa"]);
  }));

test("a definition that is written where it is used is one all the same", () =>
  withStore(async (store) => {
    const open = (factor) => store.project(defineProjection({ name: "inline", on: { Noted: (sum) => (sum ?? 0) + factor } }));
    const [one, same] = await Promise.all([open(1), open(1)]);
    assert.equal(one, same, "its work is done once");
    const other = (count) => store.project(defineProjection({ name: "inline", on: { Noted: () => count } }));
    assert.notEqual(await other(1), one);
  }));

test("a handler that throws stops the documents before its event, and a new definition begins anew", async () => {
  const name = newName();
  const store = await EventStore.open(name, { storage: "memory" });
  const cause = new Error("unexpected");
  const failing = define({ on: { ...handlers, OrderPaid: () => { throw cause; } } });
  await store.append("order-1", placed(1));
  await store.append("order-2", [placed(2), paid]);
  await store.append("order-3", placed(3));
  const model = await store.project(failing);
  await refused(() => model.waitFor(store.position), "PROJECTION_FAILED", { projection: "orders", stream: "order-2", revision: 1, type: "OrderPaid", cause });
  assert.equal(model.failure.cause, cause);
  assert.equal(model.position, 2);
  await model.waitFor(2);
  assert.deepEqual(await keysIn(model), ["order-1", "order-2"]);
  await refused(() => model.rebuild(), "PROJECTION_FAILED");
  assert.deepEqual(await keysIn(model), ["order-1", "order-2"], "the documents that were there answer");
  const mended = await projected(store, define());
  assert.deepEqual(await keysIn(mended), ["order-1", "order-2", "order-3"]);
  await store.close();
  await refused(() => mended.get("order-1"), "CLOSED");
  await refused(() => mended.waitFor(1_000), "CLOSED");
});

test("events are those of today, and a newer one stops the documents before it", async () => {
  const name = newName();
  const cents = (data) => ({ cents: data.euros * 100 });
  const today = defineEvents({ Priced: eventType({ version: 2, upcast: { 1: cents }, formerly: ["Valued"] }) });
  const prices = (name, events) => defineProjection({ name, events, query: { types: ["Priced"] }, on: { Priced: (_, event) => event.data } });
  const keeper = await EventStore.open(name, { storage: "memory" });
  await keeper.append("item-1", { type: "Priced", data: { euros: 2 } });
  await keeper.append("item-2", { type: "Valued", data: { euros: 3 } });
  const store = await EventStore.open(name, { storage: "memory", events: today });
  await store.append("item-3", { type: "Priced", data: { cents: 7 } });
  const model = await projected(store, prices("prices", today));
  assert.deepEqual((await all(model)).map(({ doc }) => doc.cents), [200, 300, 7]);
  const old = await keeper.project(prices("old prices", defineEvents({ Priced: eventType() })));
  await refused(() => old.waitFor(3), "SCHEMA_TOO_NEW", { type: "Priced", version: 2 });
  assert.deepEqual(await all(old), [{ key: "item-1", doc: { euros: 2 } }]);
  await store.close();
  await keeper.close();
});

test("the documents of a definition that changed answer until those of the new one are ready", async () => {
  const name = newName();
  const store = await EventStore.open(name, { storage: "memory" });
  for (let number = 0; number < 50; number += 1) await store.append(`order-${number}`, placed(number));
  const old = await projected(store, define({ indexes: { byTotal: "total" } }));
  const next = await store.project(define({ version: 2, on: { ...handlers, OrderPlaced: (_, { data }) => ({ status: "new", total: data.total, tags: [] }) } }));
  assert.equal(await next.count({ index: "byStatus", equals: ["new"] }), 50, "an index that only the new ones have is waited for");
  assert.equal((await old.get("order-1")).status, "new", "one set of documents answers");
  await store.append("order-50", placed(50));
  await next.waitFor(store.position);
  await old.waitFor(store.position);
  assert.equal(await old.count(), 51);
  const { bytes } = await store.stats();
  await next.rebuild();
  assert.equal(await next.count(), 51);
  await next.rebuild();
  await store.append("order-51", placed(51));
  await next.waitFor(store.position);
  assert.ok((await store.stats()).bytes < 2 * bytes, "what was replaced is deleted");
  await store.close();
});

test("documents are there again after the store was closed, and are not folded again", async () => {
  const name = newName();
  const keeper = await EventStore.open(name, { storage: "memory" });
  let count = 0;
  const counted = { ...handlers, OrderPlaced: (order, event) => (count += 1, handlers.OrderPlaced(order, event)) };
  const visit = async (act) => {
    const store = await EventStore.open(name, { storage: "memory" });
    await act(store, await store.project(define({ on: counted })));
    await store.close();
  };
  for (let number = 0; number < 20; number += 1) await keeper.append(`order-${number}`, placed(number));
  await visit((store, model) => model.waitFor(store.position));
  assert.equal(count, 20);
  await keeper.append("order-20", placed(20));
  await visit(async (store, model) => {
    await model.waitFor(store.position);
    assert.equal(await model.count(), 21);
  });
  assert.equal(count, 21);
  await keeper.close();
});

test("two that carry on the same documents do not fold an event twice into them", async () => {
  const name = newName();
  const stores = await Promise.all([1, 2].map(() => EventStore.open(name, { storage: "memory" })));
  const Counts = defineProjection({ name: "counts", key: () => "all", on: { "*": (sum) => ({ count: (sum?.count ?? 0) + 1 }) } });
  const models = await Promise.all(stores.map((store) => store.project(Counts)));
  for (let count = 1; count <= 40; count += 1) {
    const { lastPosition } = await stores[count % 2].append("any", { type: "Noted" });
    const model = models[count % 3 === 0 ? 0 : 1];
    await model.waitFor(lastPosition);
    assert.deepEqual(await model.get("all"), { count });
  }
  await stores[1].close();
  await stores[0].append("any", { type: "Noted" });
  await models[0].waitFor(stores[0].position);
  assert.deepEqual(await models[0].get("all"), { count: 41 });
  await stores[0].close();
});

test("what is misspelt is refused", () =>
  withStore(async (store) => {
    const wrong = (definition, path) => refused(() => defineProjection({ name: "n", on: {}, ...definition }), "INVALID_ARGUMENT", { path });
    await wrong({ name: "" }, "definition.name");
    await wrong({ on: { Noted: 1 } }, "definition.on.Noted");
    await wrong({ handlers: {} }, "definition.handlers");
    await wrong({ indexes: { by: [] } }, "definition.indexes.by");
    await wrong({ indexes: { by: "a..b" } }, "definition.indexes.by");
    await wrong({ indexes: { by: { path: "a", each: false } } }, "definition.indexes.by.each");
    await refused(() => store.project({ name: "orders", on: {} }), "INVALID_ARGUMENT", { path: "projection" });
    await refused(() => store.project(define({ query: { types: [] } })), "INVALID_ARGUMENT", { path: "projection.query.types" });
    const model = await store.project(define());
    const asked = (options, path) => refused(() => model.find(options), "INVALID_ARGUMENT", { path });
    await asked({ index: "byName" }, "options.index");
    await asked({ equals: ["open"] }, "options.equals");
    await asked({ index: "byStatus", equals: [null] }, "options.equals[0]");
    await asked({ index: "byStatus", equals: ["open", 1, 2] }, "options.equals");
    await asked({ index: "byStatus", equals: ["open"], from: [1, 2] }, "options.from");
    await asked({ from: 1 }, "options.from");
    await asked({ cursor: "zz" }, "options.cursor");
    await asked({ sort: "total" }, "options.sort");
    await refused(() => model.find({ limit: 10_001 }), "LIMIT_EXCEEDED", { limit: "documents per answer", maximum: 10_000 });
    await refused(() => model.get(""), "INVALID_ARGUMENT", { path: "key" });
  }));

test("the last position that there can be is waited for like any other", () =>
  withStore(async (store) => {
    const model = await store.project(define());
    await store.append("order-1", placed(1));
    for (const position of [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]) {
      await assert.rejects(model.waitFor(position, { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
    }
  }));

for (const [what, key] of [["of a key", async () => { throw new Error("no key"); }], ["among keys", () => ["a", Promise.reject(new Error("no key"))]]]) {
  test(`a promise ${what} is refused as one, and what it rejects with is nobody's failure`, () =>
    withStore(async (store) => {
      const model = await store.project(define({ key }));
      await store.append("order-1", placed(1));
      const error = await refused(() => model.waitFor(store.position), "PROJECTION_FAILED");
      assert.match(error.message, /a promise is no key/);
    }));
}

test("of a function that does not show its source the console is told once, unless a version is said", async (context) => {
  const { mock } = context.mock.method(console, "warn", () => {});
  const bound = { OrderPlaced: handlers.OrderPlaced.bind(undefined) };
  const upcasting = { OrderPlaced: eventType({ version: 2, upcast: { 1: ((data) => data).bind(undefined) } }) };
  for (const [changes, warningCount] of [[{}, 0], [{ on: bound }, 1], [{ on: bound, version: 2 }, 0], [{ key: (({ stream }) => stream).bind(undefined) }, 1], [{ events: defineEvents(upcasting) }, 1]]) {
    mock.resetCalls();
    const projection = define(changes);
    for (const _ of ["once", "again"]) await withStore((store) => store.project(projection));
    assert.equal(mock.callCount(), warningCount, JSON.stringify(Object.keys(changes)));
    if (0 < warningCount) assert.match(mock.calls[0].arguments[0], /projection orders does not show its source/);
  }
});
