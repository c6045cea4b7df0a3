// What somebody waits for who comes back to a log: opening it, one stream of it, and all of it. Each in a page that was just loaded.

import { streamOf } from "./bank.js";
import { loadDexie } from "./dexie-database.js";
import { databaseOfStore, loadPackage, openStore, startWasm } from "./everfold-store.js";
import { watched } from "./long-tasks.js";
import { PEERS, databaseOf } from "./peers.js";
import { wasmMemoryBytes } from "./wasm-memory.js";

/** Opens a log once. The clock runs from the call that opens to its answer; what `before` does is not in it. */
export async function openLog({ contestant, name }) {
  const { before, open, close } = OPENERS[contestant];
  await before();
  const begun_ms = performance.now();
  const opened = await open(name);
  const elapsed_ms = performance.now() - begun_ms;
  await close(opened);
  return { elapsed_ms };
}

/** Opens a log again and again in one page: the median, in milliseconds, of all but the first. */
export async function openAgain({ contestant, name, turns }) {
  const times_ms = [];
  for (let turn = 0; turn <= turns; turn += 1) times_ms.push((await openLog({ contestant, name })).elapsed_ms);
  return times_ms.slice(1).sort((a, b) => a - b)[Math.floor(turns / 2)];
}

/**
 * Opens a log, and reads one of its streams into an array: exactly these two calls are timed. The wasm is started before, and
 * a first question was put to IndexedDB.
 */
export async function readStream({ contestant, name, account, events }) {
  const { before, open, read, close } = STREAM_READERS[contestant];
  await before();
  const begun_ms = performance.now();
  const opened = await open(name);
  const found = await read(opened, streamOf(account));
  const elapsed_ms = performance.now() - begun_ms;
  const isWhole = found.length === events && found.every(({ stream, revision }, index) => stream === streamOf(account) && revision === index);
  if (!isWhole) throw new Error(`${contestant} gave ${found.length} events of ${streamOf(account)}, not its ${events} in their order`);
  await close(opened);
  return { elapsed_ms };
}

/** Opens a store and reads it from end to end, keeping nothing: what it holds up, and what it takes. */
export async function walkThrough({ name, events }) {
  await loadPackage();
  const opening = await watched(() => openStore(name));
  const store = opening.result;
  const reading = await watched(() => countAll(store));
  if (reading.result !== events) throw new Error(`${name} has ${reading.result} events, not ${events}`);
  const memoryBytes = wasmMemoryBytes();
  await store.close();
  return {
    memoryBytes,
    open_ms: opening.elapsed_ms,
    read_ms: reading.elapsed_ms,
    openLongTasks_ms: opening.longTasks_ms,
    readLongTasks_ms: reading.longTasks_ms,
  };
}

async function countAll(store) {
  let count = 0;
  for await (const page of store.readAll().pages()) count += page.length;
  return count;
}

const { Database: RawDatabase } = PEERS.blobs;
const { Database: DexieDatabase } = PEERS.dexie;

const OPENERS = {
  everfold: { before: startWasm, open: openStore, close: (store) => store.close() },
  everfoldUnstarted: { before: loadPackage, open: openStore, close: (store) => store.close() },
  /** Opens everfold's database, and asks for all that everfold asks for: format, root, the tail of the log, and head. */
  asked: {
    before: () => indexedDB.databases(),
    open: (name) => askedByHand(databaseOfStore(name)),
    close: (database) => database.close(),
  },
  /** Opens the database, and gets the head of its log. */
  raw: {
    before: () => indexedDB.databases(),
    open: async (name) => {
      const database = await RawDatabase.open(databaseOf("blobs", name));
      await database.head();
      return database;
    },
    close: (database) => database.close(),
  },
};

/** What an opening cannot do without, with nothing done about it. */
async function askedByHand(name) {
  const opening = indexedDB.open(name);
  const database = await succeeded(opening);
  const transaction = database.transaction(["meta", "log", "index"], "readonly");
  const [meta, log, index] = ["meta", "log", "index"].map((area) => transaction.objectStore(area));
  const key = (text) => new TextEncoder().encode(text);
  index.get(key("root"));
  meta.get(key("format"));
  log.getAllRecords({ query: IDBKeyRange.lowerBound(1), count: 64 });
  await succeeded(meta.get(key("head")));
  return database;
}

function succeeded(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const STREAM_READERS = {
  everfold: { ...OPENERS.everfold, read: (store, stream) => store.read(stream).toArray() },
  dexie: {
    before: async () => {
      await loadDexie();
      await indexedDB.databases();
    },
    open: (name) => DexieDatabase.open(databaseOf("dexie", name)),
    read: (database, stream) => database.stream(stream),
    close: (database) => database.close(),
  },
};
