// Many single appends at once, and one wait for all of them.

import { bankEvents, newEvent } from "./bank.js";
import { checkAndDestroy, openStore } from "./everfold-store.js";
import { blobs, dexie, rows } from "./peers.js";
import { takeTurns } from "./rounds.js";

/** Measures `count` appends in each of `rounds`, each round in a new database; the peers write all in one transaction. */
export async function unawaited({ seed, rounds, count }) {
  const events = bankEvents(seed, count);
  const contestants = [everfoldUnawaited(events), ...[blobs, rows, dexie].map((peer) => peer("unawaited", [events]))];
  return { count, results: await takeTurns(contestants, rounds) };
}

/** The store, with a new log in each round. */
export function everfoldUnawaited(events) {
  const prepare = async (round) => {
    const name = `unawaited-${round}`;
    const store = await openStore(name);
    const appends = events.map((event) => ({ stream: event.stream, event: newEvent(event) }));
    const run = async () => {
      await Promise.all(appends.map(({ stream, event }) => store.append(stream, event)));
    };
    return { run, rest: () => store.close(), check: () => checkAndDestroy(store, events) };
  };
  return { name: "everfold", prepare };
}
