// Contestants take turns in one page, so that whatever drifts drifts for all of them.

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(round: number) => Promise<Turn>} prepare makes what a round needs, before the clock runs
 *
 * @typedef {object} Turn
 * @property {() => Promise<object | void>} run is timed; what it gives is kept
 * @property {() => Promise<void>} check fails unless the work was done, and cleans up
 */

/**
 * Runs rounds; who begins changes from round to round. One round before them is not counted.
 *
 * @param {number} rounds
 * @param {Contestant[]} contestants
 * @returns {Promise<Record<string, object[]>>} for each contestant its rounds, with `elapsed_ms`
 */
export async function takeTurns(rounds, contestants) {
  const results = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const start = round % contestants.length;
    for (const { name, prepare } of [...contestants.slice(start), ...contestants.slice(0, start)]) {
      const result = await takeTurn(await prepare(round));
      if (0 < round) results[name].push(result);
    }
  }
  return results;
}

async function takeTurn({ run, check }) {
  await rest();
  const begun_ms = performance.now();
  const kept = await run();
  const elapsed_ms = performance.now() - begun_ms;
  await check();
  return { elapsed_ms, ...kept };
}

/** Gives the browser time for what the last turn left behind. */
function rest() {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

/** Runs one after another, awaited, and says how long each took. */
export async function eachAwaited(items, run) {
  const latencies_ms = new Array(items.length);
  for (let index = 0; index < items.length; index += 1) {
    const begun_ms = performance.now();
    await run(items[index]);
    latencies_ms[index] = performance.now() - begun_ms;
  }
  return { latencies_ms };
}
