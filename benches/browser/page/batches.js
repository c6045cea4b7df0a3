// Commits of many events, each awaited.

import { bankEvents, newEvent } from "./bank.js";
import { checkAndDestroy, openStore } from "./everfold-store.js";
import { blobs, rows } from "./raw-contestants.js";
import { takeTurns } from "./rounds.js";

/** Measures `batchCount` commits of `batchEvents` in each of `rounds`, each round in a new database. */
export async function batches({ seed, rounds, batchCount, batchEvents, streams, rawAlone }) {
  const all = streams === "one" ? ofOneStream(bankEvents(seed, batchCount * batchEvents)) : bankEvents(seed, batchCount * batchEvents);
  const cut = chunks(all, batchEvents);
  const contestants = [blobs("batches", cut), rows("batches", cut)];
  if (!rawAlone) contestants.unshift(everfoldBatches(cut, streams));
  return { count: all.length, results: await takeTurns(contestants, rounds) };
}

/** Fills a store in commits of many events. */
export async function fillStore(store, events, batchEvents, eventOf = newEvent) {
  for (const chunk of chunks(events, batchEvents)) {
    await store.appendAll(chunk.map((event) => ({ stream: event.stream, events: [eventOf(event)] })));
  }
}

/** Cuts a list into lists of `size`; the last may be shorter. */
export function chunks(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** The store, with a new log in each round. */
export function everfoldBatches(cut, streams) {
  const prepare = async (round) => {
    const store = await openStore(`batches-${streams}-${round}`);
    const commit = streams === "one" ? intoOneStream(store) : intoManyStreams(store);
    const given = cut.map((events) => commit.given(events));
    const run = async () => {
      for (const batch of given) await commit.append(batch);
    };
    return { run, check: () => checkAndDestroy(store, cut.flat()) };
  };
  return { name: "everfold", prepare };
}

function intoOneStream(store) {
  return {
    given: (events) => ({ stream: events[0].stream, events: events.map(newEvent) }),
    append: ({ stream, events }) => store.append(stream, events),
  };
}

/** A write for each event, so that the log has them in the order of the workload. */
function intoManyStreams(store) {
  return {
    given: (events) => events.map((event) => ({ stream: event.stream, events: [newEvent(event)] })),
    append: (writes) => store.appendAll(writes),
  };
}

function ofOneStream(events) {
  return events.map((event, index) => ({ ...event, stream: "account-1", revision: index }));
}
