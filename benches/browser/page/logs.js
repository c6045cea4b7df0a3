// Logs that are written once, part by part, and measured many times.

import { Bank, chunks, newEvent, writesOf } from "./bank.js";
import { compactIfPossible } from "./compaction.js";
import { openStore } from "./everfold-store.js";
import { PEERS, databaseOf, writeBatches } from "./peers.js";

/** The log that is being written: its workload, and a writer for each contestant. */
let growing;

/** Begins a log of events that are spread evenly over streams, for each of the contestants. */
export async function beginLog({ seed, name, streams, contestants }) {
  const writers = await Promise.all(contestants.map((contestant) => writerOf(contestant, name)));
  growing = { bank: Bank.inTurn(seed, streams), writers };
}

/** Writes the next events, in commits of `batchEvents`. */
export async function growLog({ count, batchEvents }) {
  const { bank, writers } = growing;
  for (const batch of chunks(bank.next(count), batchEvents)) {
    for (const { write } of writers) await write(batch);
  }
}

/** Closes the log; says how the store was compacted, where it can be. */
export async function endLog() {
  const { writers } = growing;
  growing = undefined;
  const ended = [];
  for (const { end } of writers) ended.push(await end());
  return ended.find((compaction) => compaction !== undefined);
}

/** Fills a store of its own in commits of many events, and compacts it, where it can be. */
export async function fillEverfold(name, events, batchEvents, eventOf = newEvent) {
  const { write, end } = await everfoldWriter(name, eventOf);
  for (const batch of chunks(events, batchEvents)) await write(batch);
  return end();
}

/** Fills a store of its own, and leaves it as it was appended. */
export async function fillUncompacted(name, events, batchEvents) {
  const store = await openStore(name);
  for (const batch of chunks(events, batchEvents)) await store.appendAll(writesOf(batch));
  await store.close();
}

function writerOf(contestant, name) {
  return contestant === "everfold" ? everfoldWriter(name) : peerWriter(contestant, name);
}

async function everfoldWriter(name, eventOf = newEvent) {
  const store = await openStore(name);
  return {
    write: (events) => store.appendAll(writesOf(events, eventOf)),
    end: async () => {
      const compaction = await compactIfPossible(store);
      await store.close();
      return compaction;
    },
  };
}

async function peerWriter(peer, name) {
  const { Database, given } = PEERS[peer];
  const database = await Database.open(databaseOf(peer, name));
  let position = 0;
  return {
    write: async (events) => {
      // Records of a log are kept under their first positions, so that it can go on behind its last.
      await writeBatches(peer, database, [given(events)], position + 1);
      position += events.length;
    },
    end: async () => {
      await database.setHead?.(position);
      database.close();
    },
  };
}
