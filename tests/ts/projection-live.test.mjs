// Documents and rows that follow the log: what `get` and `find` give, without being asked for each commit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, EverfoldError, defineEvents, defineProjection, eventType } from "../../dist/index.js";
import { openTestTabs } from "../../dist/testing.js";
import { SEED, seeded } from "./bank.mjs";
import { newName, refused, until, withStore } from "./check.mjs";
import { listening, ready } from "./live.mjs";

const shop = defineEvents({ OrderPlaced: eventType(), OrderPaid: eventType(), OrderCancelled: eventType() });
const Orders = defineProjection({
  name: "orders",
  events: shop,
  query: { categories: ["order"] },
  on: {
    OrderPlaced: (_order, { data }) => ({ status: "open", total: data.total }),
    OrderPaid: (order) => {
      if (order?.total === 666) throw new Error("not 666");
      return order && { ...order, status: "paid" };
    },
    OrderCancelled: () => undefined,
  },
  indexes: { byStatus: ["status", "total"] },
});
const placed = (total) => ({ type: "OrderPlaced", data: { total } });
const paid = { type: "OrderPaid" };
const cancelled = { type: "OrderCancelled" };
const keysOf = ({ rows }) => rows.map(({ key }) => key);

/** A store, and its orders. */
const withOrders = (body) => withStore(async (store) => body(store, await store.project(Orders)), { events: shop });

test("a live document is what get gives, and follows it", () =>
  withOrders(async (store, orders) => {
    const live = orders.live("order-1");
    assert.deepEqual(live.get(), { status: "loading" });
    const { states, stop } = listening(live);
    await ready(live);
    assert.equal(live.get().value, undefined);
    await store.append("order-1", placed(5));
    await ready(live, (doc) => doc?.total === 5);
    const before = live.get();
    const { lastPosition } = await store.append("order-2", placed(7));
    await orders.waitFor(lastPosition);
    assert.equal(live.get(), before);
    await store.append("order-1", paid);
    await ready(live, (doc) => doc?.status === "paid");
    await store.append("order-1", cancelled);
    await ready(live, (doc) => doc === undefined);
    assert.equal(states.length, 4);
    stop();
  }));

test("live rows are what find gives, and a row that did not change is the same object", () =>
  withOrders(async (store, orders) => {
    const question = { index: "byStatus", equals: ["open"], limit: 3 };
    const live = orders.live(question);
    assert.equal(orders.live({ limit: 3, equals: ["open"], index: "byStatus" }), live);
    assert.notEqual(orders.live({ ...question, limit: 4 }), live);
    assert.notEqual(orders.live("order-1"), orders.live("order-2"));
    const { states, stop } = listening(live);
    await ready(live);
    for (const total of [3, 1]) await store.append(`order-${total}`, placed(total));
    const two = await ready(live, ({ rows }) => rows.length === 2);
    assert.deepEqual(keysOf(two), ["order-1", "order-3"]);
    await store.append("order-2", placed(2));
    const three = await ready(live, ({ rows }) => rows.length === 3);
    assert.deepEqual([three.rows[0] === two.rows[0], three.rows[2] === two.rows[1], three.cursor], [true, true, undefined]);
    await store.append("order-4", placed(4));
    const { cursor } = await ready(live, (found) => found.cursor !== undefined);
    assert.deepEqual(await orders.find({ ...question, cursor }), { rows: [{ key: "order-4", doc: { status: "open", total: 4 } }], cursor: undefined });
    await store.append("order-4", cancelled);
    await ready(live, (found) => found.cursor === undefined);
    const count = states.length;
    await store.append("order-1", paid);
    await ready(live, ({ rows }) => rows.length === 2);
    assert.equal(states.length, count + 1);
    stop();
  }));

test(`live documents and rows are what get and find give (seed ${SEED})`, async () => {
  const random = seeded(SEED);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const tabs = await openTestTabs(2, { events: shop });
  try {
    const [{ store }, other] = tabs;
    const [orders] = [await store.project(Orders), await other.store.project(Orders)];
    const keys = Array.from({ length: 8 }, (_, index) => `order-${index}`);
    const questions = [{ index: "byStatus", equals: ["open"] }, { index: "byStatus", equals: ["paid"], limit: 2 }, { index: "byStatus", from: ["open", 2], direction: "backwards" }, { from: "order-3" }, undefined];
    const lives = [...keys.map((key) => [() => orders.get(key), orders.live(key)]), ...questions.map((question) => [() => orders.find(question), orders.live(question)])];
    const stops = lives.map(([, live]) => live.subscribe(() => {}));
    for (let round = 0; round < 15; round += 1) {
      for (let count = Math.floor(random() * 8); 0 < count; count -= 1) await pick([store, other.store]).append(pick(keys), pick([placed(Math.floor(random() * 4)), paid, cancelled]));
      if (random() < 0.2) await other.store.delete(pick(keys));
      const end = (await store.readAll({ query: [{}, { types: ["$deleted"] }], direction: "backwards", limit: 1 }).toArray())[0]?.position ?? 0;
      await orders.waitFor(end);
      for (const [ask, live] of lives) {
        const expected = JSON.stringify(await ask());
        await ready(live, (value) => JSON.stringify(value) === expected);
      }
    }
    for (const stop of stops) stop();
  } finally {
    await tabs.close();
  }
});

test("a hundred live documents and questions cost a commit one read of documents, and those alone are asked again whom it concerns", () =>
  withOrders(async (store, orders) => {
    // From the first end of the log on its documents answer.
    await orders.waitFor((await store.append("order-last", placed(1_000))).lastPosition);
    const { engine } = store.handle.session;
    const counts = { documents: 0, findDocuments: 0 };
    for (const name of Object.keys(counts)) {
      const asked = engine[name].bind(engine);
      // What the work on the projection itself reads has a claim.
      engine[name] = (...message) => {
        if (name !== "documents" || message[1] === undefined) counts[name] += 1;
        return asked(...message);
      };
    }
    const documents = Array.from({ length: 100 }, (_, index) => orders.live(`order-${index}`));
    const rows = Array.from({ length: 100 }, (_, total) => orders.live({ index: "byStatus", equals: ["open", total] }));
    const stops = [...documents, ...rows].map((live) => live.subscribe(() => {}));
    for (const live of [...documents, ...rows]) await ready(live);
    assert.deepEqual(counts, { documents: 1, findDocuments: 100 });
    await store.appendAll(Array.from({ length: 10 }, (_, index) => ({ stream: `order-${index}`, events: placed(7) })));
    await ready(rows[7], (found) => found.rows.length === 10);
    for (const live of documents.slice(0, 10)) await ready(live, (doc) => doc?.total === 7);
    assert.deepEqual(counts, { documents: 2, findDocuments: 101 });
    for (const stop of stops) stop();
  }));

test("a projection that failed is an error, until it was rebuilt", () =>
  withOrders(async (store, orders) => {
    const lives = [orders.live("order-1"), orders.live({ index: "byStatus", equals: ["open"] })];
    const stops = lives.map((live) => live.subscribe(() => {}));
    await store.append("order-1", placed(666));
    for (const live of lives) await ready(live, (value) => value !== undefined && value.rows?.length !== 0);
    await store.append("order-1", paid);
    for (const live of lives) await until(() => live.get().status === "error");
    const late = orders.live("order-2");
    const lateRows = orders.live();
    stops.push(late.subscribe(() => {}), lateRows.subscribe(() => {}));
    for (const live of [...lives, late, lateRows]) {
      await until(() => live.get().status === "error");
      assert.equal(live.get().error.code, "PROJECTION_FAILED");
    }
    await store.delete("order-1");
    await orders.rebuild();
    assert.equal((await ready(lives[0])) ?? (await ready(late)), undefined);
    assert.deepEqual((await ready(lives[1])).rows, (await ready(lateRows)).rows);
    for (const stop of stops) stop();
  }));

test("a read that fails is an error, told once, until it succeeds", () =>
  withOrders(async (store, orders) => {
    const { engine } = store.handle.session;
    const { findDocuments, documents } = engine;
    const fail = () => Promise.reject(new EverfoldError("the storage failed: a test", { code: "STORAGE_FAILED", retryable: true, cause: "a test" }));
    const lives = [orders.live("order-1"), orders.live()];
    Object.assign(engine, { findDocuments: fail, documents: fail });
    const listened = lives.map(listening);
    for (const live of lives) await until(() => live.get().status === "error");
    await new Promise((resolve) => setTimeout(resolve, 400));
    Object.assign(engine, { findDocuments, documents });
    for (const live of lives) await ready(live);
    assert.deepEqual(listened.map(({ states }) => states.length), [2, 2]);
    for (const { stop } of listened) stop();
  }));

test("documents of a store that is closed, and of one that is destroyed, are an error", async () => {
  for (const end of [(store) => store.close(), (store) => EventStore.destroy(store.name)]) {
    const store = await EventStore.open(newName(), { storage: "memory", events: shop });
    const orders = await store.project(Orders);
    const lives = [orders.live("order-1"), orders.live()];
    for (const live of lives) live.subscribe(() => {});
    for (const live of lives) await ready(live);
    await end(store);
    for (const live of lives) {
      await until(() => live.get().status === "error");
      assert.equal(live.get().error.code, "CLOSED");
    }
  }
});

for (const [what, of, path] of [
  ["an empty key", "", "key"],
  ["an unknown option", { where: 1 }, "options.where"],
  ["an unknown index", { index: "byCustomer" }, "options.index"],
]) {
  test(`${what} is refused, at ${path}`, () => withOrders((_, orders) => refused(() => orders.live(of), "INVALID_ARGUMENT", { path })));
}
