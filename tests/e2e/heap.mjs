// How much memory a page holds that follows everything while events come steadily: when it is warm, and in the end.

import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const DATABASE = "followed";
/** All of them append and follow; the first one is measured. */
const TABS = 2;
/** Of each tab: 200 events a second by both. */
const PACE = { appendsPerSecond: 25, eventsPerAppend: 4 };
/** What there is to compact at first. */
const START_S = 1;

/**
 * What a page holds.
 *
 * @typedef {object} Held
 * @property {number} events that came by now
 * @property {number} heap_bytes of JavaScript, after a collection
 * @property {number} wasm_bytes the length of the memory, which only grows
 */

/**
 * Has two tabs append and follow for a while, and looks at what the first one holds after each part of it.
 *
 * @param {number[]} parts_s
 * @returns {Promise<Held[]>} for each part
 */
export async function measureHeap(parts_s) {
  const server = await serveTests();
  const profile = makeProfile();
  const browser = await openChromium(profile.path);
  try {
    const tabs = [];
    for (let place = 0; place < TABS; place += 1) {
      const tab = await browser.openPage(server.url + BARE_PAGE);
      await tab.run(start, { database: DATABASE, writer: `tab-${place}` });
      tabs.push(tab);
    }
    const appendFor = (duration_s) => Promise.all(tabs.map((tab) => tab.run(append, { count: PACE.appendsPerSecond * duration_s, ...PACE })));
    // The background would load the code of compaction in the middle of what is measured.
    await appendFor(START_S);
    for (const tab of tabs) await tab.run(compact);
    const tools = await browser.context.newCDPSession(tabs[0].page);
    const measured = [];
    for (const duration_s of parts_s) {
      const positions = await appendFor(duration_s);
      const events = Math.max(...positions);
      const [{ wasm_bytes }] = await Promise.all(tabs.map((tab) => tab.run(settle, events)));
      measured.push({ events, heap_bytes: await heapBytes(tools), wasm_bytes });
    }
    return measured;
  } finally {
    await browser.close();
    profile.remove();
    await server.close();
  }
}

/** What was measured, in a line. */
export function heapLine({ events, heap_bytes, wasm_bytes }) {
  return `${events} events: ${(heap_bytes / 1e6).toFixed(2)} MB of JavaScript, ${(wasm_bytes / 1e6).toFixed(2)} MB of wasm`;
}

/** What weak references and finalisers let go of goes with a collection after the next. */
async function heapBytes(tools) {
  for (let round = 0; round < 3; round += 1) await tools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await tools.send("Runtime.getHeapUsage");
  return usedSize;
}

async function start(task) {
  const { follow } = await import("/pages/follower.js");
  globalThis.follower = await follow(task);
}

async function append(course) {
  return globalThis.follower.append(course);
}

async function compact() {
  return globalThis.follower.compact();
}

async function settle(position) {
  return globalThis.follower.settle(position);
}
