// The peers that write many events, with one way to measure all of them.

import { assertEqualWork, content } from "./checksum.js";
import { DexieDatabase } from "./dexie-database.js";
import { RawDatabase } from "./raw-database.js";

/**
 * @typedef {object} Peer
 * @property {typeof RawDatabase | typeof DexieDatabase} Database
 * @property {(events: object[]) => object[]} given what a caller has of a batch before the clock runs
 * @property {(events: object[]) => unknown[]} encode makes the records of a batch; it is timed
 * @property {(records: unknown[]) => object[]} decode
 */

/** @type {Record<string, Peer>} */
export const PEERS = {
  /** IndexedDB by hand, one JSON text a batch. */
  blobs: {
    Database: RawDatabase,
    given: (events) => events,
    encode: (events) => [JSON.stringify(events)],
    decode: (records) => records.flatMap((text) => JSON.parse(text)),
  },
  /** IndexedDB by hand, one record an event. */
  rows: { Database: RawDatabase, given: (events) => events, encode: (events) => events, decode: (records) => records },
  /** Dexie, which finds the positions. It may write into what it is given, so each batch is a copy. */
  dexie: {
    Database: DexieDatabase,
    given: (events) => events.map(({ position: _, ...event }) => event),
    encode: (events) => events,
    decode: (records) => records,
  },
};

export const blobs = (prefix, batches) => contestant("blobs", prefix, batches);
export const rows = (prefix, batches) => contestant("rows", prefix, batches);
export const dexie = (prefix, batches) => contestant("dexie", prefix, batches);

/** The name of a peer's database. */
export function databaseOf(peer, name) {
  return `${peer}-${name}`;
}

/** Writes batches, each in a transaction of its own, from a key on; gives the next key. */
export async function writeBatches(peer, database, batches, firstKey = 1) {
  let key = firstKey;
  for (const events of batches) {
    const records = PEERS[peer].encode(events);
    await database.putAll(key, records);
    key += records.length;
  }
  return key;
}

function contestant(peer, prefix, batches) {
  const { Database, given, decode } = PEERS[peer];
  const prepare = async (round) => {
    const name = databaseOf(peer, `${prefix}-${round}`);
    const database = await Database.open(name);
    const mine = batches.map(given);
    const run = async () => {
      await writeBatches(peer, database, mine);
    };
    const check = async () => {
      database.close();
      const again = await Database.open(name);
      assertEqualWork(name, content(batches.flat()), content(decode(await again.all())));
      again.close();
      await Database.destroy(name);
    };
    return { run, check };
  };
  return { name: peer, prepare };
}
