// Opening and reading everything, in a page that was just loaded.

import { bankEvents, chunks } from "./bank.js";
import { assertEqualWork, content } from "./checksum.js";
import { expectedAccounts } from "./cold-folds.js";
import { loadDexie } from "./dexie-database.js";
import { databaseOfStore, destroyStore, loadPackage, openStore, readAll } from "./everfold-store.js";
import { fillEverfold, fillUncompacted } from "./logs.js";
import { PEERS, databaseOf, writeBatches } from "./peers.js";
import { storedBytes } from "./stored-bytes.js";

/** One log, as it is after `compact()`, and as it was appended. */
export const COLD_STORE = "cold";
const STORES = { everfold: COLD_STORE, uncompacted: "cold-uncompacted" };
export const PEER_STORE = "cold";

/** Writes what is to be read, once; says what it is, and how the store was compacted, where it can be. */
export async function prepareColdReads({ seed, count, batchEvents }) {
  const events = bankEvents(seed, count);
  const compaction = await fillEverfold(STORES.everfold, events, batchEvents);
  await fillUncompacted(STORES.uncompacted, events, batchEvents);
  for (const [peer, { Database, given }] of Object.entries(PEERS)) {
    const database = await Database.open(databaseOf(peer, PEER_STORE));
    await writeBatches(peer, database, chunks(events, batchEvents).map(given));
    database.close();
  }
  return { expected: content(events), accounts: expectedAccounts(events), compaction };
}

/** Opens and reads, once; call it in a page that was just loaded. The wasm is started within the time, JavaScript is loaded before it. */
export async function coldRead({ contestant, expected }) {
  const { open, read, close } = await readerOf(contestant);
  const begun_ms = performance.now();
  const opened = await open();
  const open_ms = performance.now() - begun_ms;
  const events = await read(opened);
  const elapsed_ms = performance.now() - begun_ms;
  assertEqualWork(`a cold read of ${contestant}`, expected, content(events));
  await close(opened);
  return { elapsed_ms, open_ms };
}

/** What each database takes. */
export async function coldSizes() {
  const names = Object.keys(PEERS).map((peer) => [peer, databaseOf(peer, PEER_STORE)]);
  const sizes = {};
  for (const [contestant, name] of [["everfold", databaseOfStore(STORES.everfold)], ...names]) sizes[contestant] = await storedBytes(name);
  return sizes;
}

/** Deletes what was read. */
export async function endColdReads() {
  for (const store of Object.values(STORES)) await destroyStore(store);
  for (const [peer, { Database }] of Object.entries(PEERS)) await Database.destroy(databaseOf(peer, PEER_STORE));
}

async function readerOf(contestant) {
  const store = STORES[contestant];
  if (store !== undefined) {
    await loadPackage();
    return { open: () => openStore(store), read: (store) => readAll(store), close: (store) => store.close() };
  }
  if (contestant === "dexie") await loadDexie();
  const { Database, decode } = PEERS[contestant];
  return {
    open: () => Database.open(databaseOf(contestant, PEER_STORE)),
    read: async (database) => decode(await database.all()),
    close: (database) => database.close(),
  };
}
