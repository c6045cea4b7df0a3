// Loops of the store alone, in three steps: a profile is to show the second only.

import { bankEvents, chunks } from "./bank.js";
import { everfoldBatches } from "./batches.js";
import { destroyStore, openStore } from "./everfold-store.js";
import { everfoldSingles } from "./singles.js";
import { everfoldUnawaited } from "./unawaited.js";

const STORE = "profiled";

/** The turn that is under way, and how to clean up after it. */
let current;

/** Prepares a loop, and runs it once so that everything is compiled. */
export async function beginProfiled({ loop, seed, count, batchEvents }) {
  const events = bankEvents(seed, 2 * count);
  const { contestant, end } = await LOOPS[loop](events, { count, batchEvents });
  const warmUp = await contestant.prepare(0);
  await warmUp.run(0);
  await warmUp.check();
  current = { ...(await contestant.prepare(1)), end };
}

/** Runs it. */
export async function runProfiled() {
  await current.run(0);
}

/** Checks what it did, and cleans up. */
export async function endProfiled() {
  await current.check();
  await current.end();
}

const LOOPS = {
  singles: async (events, { count }) => {
    const store = await openStore(STORE);
    const end = async () => {
      await store.close();
      await destroyStore(STORE);
    };
    return { contestant: everfoldSingles(store, events, { count, slice: count, after: 0 }), end };
  },
  unawaited: async (events) => ({ contestant: everfoldUnawaited(events), end: async () => {} }),
  batches: async (events, { batchEvents }) => ({
    contestant: everfoldBatches(chunks(events, batchEvents)),
    end: async () => {},
  }),
};
