// Projections in several tabs, which come and go: whoever is left carries the documents on, and hears of what others make of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineProjection } from "../../dist/index.js";
import { Projector } from "../../dist/projector.js";
import { openTestTabs } from "../../dist/testing.js";
import { refused } from "./check.mjs";

const define = (changes = {}) =>
  defineProjection({ name: "counts", on: { Noted: (sum) => ({ count: (sum?.count ?? 0) + 1 }) }, indexes: { byCount: "count" }, ...changes });
const noted = { type: "Noted" };

async function withTabs(body, options) {
  const tabs = await openTestTabs(2, options);
  try {
    return await body(...tabs);
  } finally {
    await tabs.close();
  }
}

function deferred() {
  let resolve;
  const there = new Promise((come) => (resolve = come));
  return { there, resolve };
}

/** Waits until something holds that no promise tells of. */
async function later(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const delay of [0, 1, 2, 3, 5, 8, 20]) {
  test(`a store that is closed ${delay} turns after a projection was opened lets go of it`, { timeout: 20_000 }, () =>
    withTabs(async ({ store }) => {
      await store.append("note-1", noted);
      const model = await store.project(define());
      for (let turn = 0; turn < delay; turn += 1) await undefined;
      await store.close();
      await refused(() => model.waitFor(1_000), "CLOSED");
    }));
}

test("a store that is closed while its storage is slow lets go of its projections", { timeout: 20_000 }, () =>
  withTabs(async (tab) => {
    await tab.store.append("note-1", noted);
    await tab.store.project(define());
    tab.freeze();
    const closing = tab.store.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    tab.thaw();
    await closing;
  }));

for (const [clock, tell] of [["stands still", () => 0], ["is set back meanwhile", (start_ms) => 3_600_000 - 3_600 * Math.min(1_000, performance.now() - start_ms)]]) {
  test(`where the tab that carries documents on is gone another one does, also where the clock ${clock}`, { timeout: 60_000 }, () => {
    const start_ms = performance.now();
    return withTabs(async (one, two) => {
      const model = await two.store.project(define());
      await (await one.store.project(define())).waitFor((await one.store.append("note-1", noted)).lastPosition);
      one.kill();
      const { lastPosition } = await two.store.append("note-1", noted);
      await model.waitFor(lastPosition);
      assert.deepEqual(await model.get("note-1"), { count: 2 });
    }, { clock: () => Math.floor(tell(start_ms)) });
  });
}

test("documents that were folded to the end and do not answer are taken over", { timeout: 20_000 }, async () => {
  let [claims, subscriptions] = [0, 0];
  const ended = new Map();
  const end = { data: "[]", metadata: "[]", ids: "[]", names: "", nameLengths: new Uint32Array(), numbers: new Float64Array(), tags: new Uint32Array(), next: undefined, asOf: 1 };
  const standing = { build: 1, answering: 1, own: 1, isAnswering: false };
  const engine = {
    position: 1,
    claim: async () => ({ position: 1, isAnswering: false, number: (claims += 1) }),
    subscribe: async () => (subscriptions += 1),
    // First the end of the log, and then nothing more.
    nextPage: async (number) => (ended.has(number) ? ended.get(number).there : (ended.set(number, deferred()), end)),
    lookedAt: () => 1,
    unsubscribe: (number) => ended.get(number)?.resolve(undefined),
    // Whoever had the first claim lost it to somebody who was never seen again.
    advance: async ({ claim }) => 1 < claim.number,
    standing: async () => standing,
  };
  const projecting = { projection: define(), upcaster: undefined, indexes: [], limits: {} };
  const projector = new Projector({ engine, message: { name: "counts" }, query: [{}], projecting }, standing);
  projector.start();
  await later(() => claims === 2);
  assert.equal(projector.failure, undefined);
  await projector.stop();
});

test("of a change that several learn of at once those who listen hear once", async () => {
  const standing = { build: 1, answering: 0, own: 0, isAnswering: true };
  const changed = { ...standing, answering: 5, own: 5, keys: "order-1", keyLengths: Uint32Array.of(7) };
  const engine = { standing: async (_, after) => (after < 5 ? changed : { ...changed, keys: "", keyLengths: Uint32Array.of() }) };
  const projector = new Projector({ engine, message: { name: "counts" } }, standing);
  const heard = [];
  projector.listen((keys) => heard.push(keys));
  await Promise.all([projector.look(), projector.look()]);
  await projector.look();
  assert.deepEqual([heard, projector.position], [[["order-1"]], 5]);
  Object.assign(changed, { build: 2, answering: 3 });
  await projector.look();
  assert.deepEqual([heard.at(-1), projector.position], [undefined, 3], "other documents answer");
});

test("what only documents of a replaced definition could answer is refused", { timeout: 20_000 }, () =>
  withTabs(async (old, young) => {
    await old.store.append("note-1", [noted, noted]);
    const model = await old.store.project(define());
    await model.waitFor(old.store.position);
    assert.equal(await model.count({ index: "byCount", equals: [2] }), 1);
    const renamed = await young.store.project(define({ version: 2, indexes: { byTotal: "count" } }));
    assert.equal(await renamed.count({ index: "byTotal", equals: [2] }), 1);
    for (const ask of [() => model.find({ index: "byCount" }), () => model.count({ index: "byCount" })]) {
      await refused(ask, "INVALID_ARGUMENT", { path: "options.index" });
    }
    await refused(() => model.rebuild(), "INVALID_ARGUMENT", { path: "projection" });
    await old.store.append("note-1", noted);
    await model.waitFor(old.store.position);
    assert.deepEqual(await model.get("note-1"), { count: 3 }, "by their keys they are found all the same");
    assert.equal(await renamed.count({ index: "byTotal", equals: [3] }), 1);
  }));

test("what another tab makes anew is heard of, and followed", { timeout: 60_000 }, () =>
  withTabs(async (one, two) => {
    await one.store.append("note-1", [noted, noted]);
    const model = await one.store.project(define());
    await model.waitFor(2);
    const [live, heard] = [model.live("note-1"), []];
    const stops = [live.subscribe(() => {}), model.subscribe((keys) => heard.push(keys))];
    const count = () => live.get().value?.count;
    await later(() => count() === 2);
    // What is hidden is no longer in documents that are made anew.
    await one.store.truncate("note-1", { before: 1 });
    await (await two.store.project(define())).rebuild();
    await later(() => count() === 1);
    assert.equal(heard.at(-1), undefined);
    await (await two.store.project(define({ version: 2, on: { Noted: () => ({ count: 7 }) } }))).waitFor(one.store.position);
    await later(() => count() === 7);
    stops.forEach((stop) => stop());
  }));

for (const [of, on] of Object.entries({ functions: undefined, "a document": { Noted: { $inc: { count: 1 } } } })) {
  test(`whoever waits for documents of ${of} for which there is no room is told, and they go on when there is some`, { timeout: 20_000 }, () =>
    withTabs(async (one, two) => {
      const model = await one.store.project(on === undefined ? define() : define({ on }));
      await one.store.append("note-1", noted);
      await model.waitFor(1);
      assert.equal(model.failure, undefined);
      one.fail("quota");
      const { lastPosition } = await two.store.append("note-1", noted);
      for (const _ of ["once", "again"]) await refused(() => model.waitFor(lastPosition), "QUOTA_EXCEEDED");
      assert.equal(model.failure.code, "QUOTA_EXCEEDED");
      assert.deepEqual(await model.get("note-1"), { count: 1 });
      one.recover();
      await model.waitFor(lastPosition);
      assert.deepEqual([await model.get("note-1"), model.failure], [{ count: 2 }, undefined]);
    }));
}
