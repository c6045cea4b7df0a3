// A page that follows everything while events come steadily holds hardly more in the end than when it was warm. `EVERFOLD_HEAP_MINUTES=10`
// looks at ten minutes in place of 20 seconds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { heapLine, measureHeap } from "./heap.mjs";

const DURATION_S = 60 * Number(process.env.EVERFOLD_HEAP_MINUTES ?? 1 / 3);
/** A page holds more and more at first: code is compiled, and caches fill. */
const WARM_UP_S = Math.max(8, 0.2 * DURATION_S);
/** So many times as much it may hold in the end. If it kept all events it would be a third more, in the short form already. */
const GROWTH_MAX = 1.1;

test(`Chromium: a page that follows everything for ${DURATION_S} s holds hardly more in the end`, { timeout: 1_000 * DURATION_S + 120_000 }, async () => {
  const [warm, end] = await measureHeap([WARM_UP_S, DURATION_S - WARM_UP_S]);
  console.log(`  when it was warm, after ${heapLine(warm)}\n  in the end, after ${heapLine(end)}`);
  assert.ok(0 < end.wasm_bytes, "the memory was not found");
  const growth = end.heap_bytes / warm.heap_bytes;
  assert.ok(growth <= GROWTH_MAX, `it holds ${growth.toFixed(2)} times as much`);
});
