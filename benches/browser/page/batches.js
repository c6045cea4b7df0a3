// Commits of many events, each awaited.

import { bankEvents, chunks, writesOf } from "./bank.js";
import { checkAndDestroy, openStore } from "./everfold-store.js";
import { blobs, dexie, rows } from "./peers.js";
import { takeTurns } from "./rounds.js";

/** Measures `batchCount` commits of `batchEvents` in each of `rounds`, each round in a new database. */
export async function batches({ seed, rounds, batchCount, batchEvents }) {
  const cut = chunks(bankEvents(seed, batchCount * batchEvents), batchEvents);
  const contestants = [everfoldBatches(cut), blobs("batches", cut), rows("batches", cut), dexie("batches", cut)];
  return { count: batchCount * batchEvents, results: await takeTurns(contestants, rounds) };
}

/** The store, with a new log in each round. */
export function everfoldBatches(cut) {
  const prepare = async (round) => {
    const store = await openStore(`batches-${round}`);
    const given = cut.map((events) => writesOf(events));
    const run = async () => {
      for (const writes of given) await store.appendAll(writes);
    };
    return { run, rest: () => store.close(), check: () => checkAndDestroy(store, cut.flat()) };
  };
  return { name: "everfold", prepare };
}
