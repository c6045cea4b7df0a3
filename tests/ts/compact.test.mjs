// Compaction, as callers ask for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { refused, withStore } from "./check.mjs";

/** Gives a store a log of many small commits, of which some are hidden. */
async function fill(store) {
  for (let number = 0; number < 300; number++) {
    await store.append(`cart-${number % 3}`, { type: "ItemAdded", data: { number } });
  }
  await store.delete("cart-0");
  await store.truncate("cart-1", { before: 40 });
  return numbers(store);
}

const numbers = async (store) => (await store.readAll().toArray()).map((event) => event.data.number);

test("what is hidden is erased, what is seen is as it was, and the log takes less room", () =>
  withStore(async (store) => {
    const before = await fill(store);
    const told = [];
    const result = await store.compact({ onProgress: (progress) => told.push(progress) });
    assert.equal(result.eventsErased, 140);
    assert.equal(result.units, 1);
    assert.ok(result.bytesAfter < result.bytesBefore, JSON.stringify(result));
    assert.deepEqual(await numbers(store), before);
    assert.ok(told.length > 0 && told.every(({ done, total, phase }) => done <= total && phase === "compact"));
    const again = await store.compact();
    assert.deepEqual(again, { ...result, bytesBefore: result.bytesAfter, eventsErased: 0 });
    await store.append("cart-0", { type: "ItemAdded", data: { number: 300 } }, { expected: "noStream" });
    assert.equal((await store.streamInfo("cart-0")).revision, 100);
    assert.deepEqual(await numbers(store), [...before, 300]);
  }));

test("a signal ends it, and the log says what it said", () =>
  withStore(async (store) => {
    const before = await fill(store);
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    const onProgress = () => controller.abort(reason);
    await assert.rejects(store.compact({ signal: controller.signal, onProgress }), reason);
    await assert.rejects(store.compact({ signal: controller.signal }), reason);
    assert.deepEqual(await numbers(store), before);
  }));

test("options are checked", () =>
  withStore(async (store) => {
    for (const options of [{ signal: 1 }, { onProgress: 1 }, { other: 1 }]) {
      await refused(() => store.compact(options), "INVALID_ARGUMENT");
    }
  }));
