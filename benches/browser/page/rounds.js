// Contestants take turns in one page, so that whatever drifts drifts for all of them.

import { watched } from "./long-tasks.js";

/** With half of it, those who came after Dexie's 100,000 events were still slower than others. */
const CLEARING_MAX_ms = 1_000;
/** When the browser was last given time to clear away. */
let cleared_ms = performance.now();

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(round: number) => Promise<Turn>} prepare makes what a round needs, before the clock runs
 *
 * @typedef {object} Turn
 * @property {(slice: number) => Promise<number[] | void>} run is timed; where it times what it does one by one, it gives the
 *   milliseconds of each
 * @property {() => Promise<void>} [rest] has it do nothing any more, such as compacting, while others have their turn
 * @property {() => Promise<void>} check fails unless the work of the round was done, and cleans up
 *
 * @typedef {object} Result of a round
 * @property {number} elapsed_ms
 * @property {number[]} latencies_ms
 * @property {number[]} longTasks_ms of a round that is not sliced
 */

/**
 * Runs rounds of slices; in each slice every contestant has a turn, and who begins, and who follows whom, changes. One round
 * before them is not counted. Before each turn that is a whole round the browser clears away what others have left.
 *
 * @param {Contestant[]} contestants
 * @param {number} rounds
 * @param {number} [slices] of each round
 * @returns {Promise<Record<string, Result[]>>} the rounds of each contestant
 */
export async function takeTurns(contestants, rounds, slices = 1) {
  const results = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const played = await playRound(contestants, round, slices);
    if (0 < round) played.forEach(({ name, result }) => results[name].push(result));
  }
  return results;
}

async function playRound(contestants, round, slices) {
  const turns = [];
  for (const { name, prepare } of contestants) {
    turns.push({ name, result: { elapsed_ms: 0, latencies_ms: [], longTasks_ms: [] }, ...(await prepare(round)) });
  }
  for (let slice = 0; slice < slices; slice += 1) {
    for (const index of orderOf(turns.length, round + slice)) {
      // A slice leaves little; and code of which some was thrown away with the garbage would begin each of them anew.
      if (slices === 1) await clearAway();
      await play(turns[index], slice);
      if (slices === 1) await turns[index].rest?.();
    }
  }
  for (const { check } of turns) await check();
  return turns;
}

/**
 * The order of play: in as many orders as there are contestants, each begins once, and where their number is even each comes
 * once right after each other, so that what one leaves behind is everybody's; where the rounds are no multiple of that, nearly.
 * After E. J. Williams, Experimental Designs Balanced for the Estimation of Residual Effects of Treatments, 1949.
 */
function orderOf(count, turn) {
  const zigzag = Array.from({ length: count }, (_, place) => (place % 2 === 1 ? (place + 1) / 2 : count - place / 2));
  return zigzag.map((offset) => (offset + turn) % count);
}

async function play({ run, result }, slice) {
  // The first turn of a contestant in a round gets a task of its own; later slices follow at once.
  const timed = slice === 0 ? await watched(() => run(slice)) : await clocked(() => run(slice));
  result.elapsed_ms += timed.elapsed_ms;
  result.latencies_ms.push(...(timed.result ?? []));
  result.longTasks_ms.push(...timed.longTasks_ms);
}

/**
 * Has the browser clear away what those left whose turn it was before: the garbage of the page, and what the storage still has to
 * sort, for which it gets as much time as they took. Else it would do so in the middle of the next turn.
 */
async function clearAway() {
  const since_ms = performance.now() - cleared_ms;
  await globalThis.gc({ type: "major", execution: "async" });
  await new Promise((resolve) => setTimeout(resolve, Math.min(since_ms, CLEARING_MAX_ms)));
  cleared_ms = performance.now();
}

async function clocked(run) {
  const begun_ms = performance.now();
  const result = await run();
  return { result, elapsed_ms: performance.now() - begun_ms, longTasks_ms: [] };
}

/** Runs one after another, awaited, and says how many milliseconds each took. */
export async function eachAwaited(items, run) {
  const latencies_ms = new Array(items.length);
  for (let index = 0; index < items.length; index += 1) {
    const begun_ms = performance.now();
    await run(items[index]);
    latencies_ms[index] = performance.now() - begun_ms;
  }
  return latencies_ms;
}
