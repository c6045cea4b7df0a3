// Opening and reading everything, in a page that was just loaded.

import { bankEvents } from "./bank.js";
import { chunks, fillStore } from "./batches.js";
import { assertEqualWork, content } from "./checksum.js";
import { destroyStore, loadPackage, openStore, readAll } from "./everfold-store.js";
import { RawDatabase } from "./raw-database.js";

const STORE = "cold";
const RAW = { blobs: "raw-cold-blobs", rows: "raw-cold-rows" };

/** Writes what is to be read, once. */
export async function prepareColdReads({ seed, count, batchEvents, rawAlone }) {
  const events = bankEvents(seed, count);
  if (!rawAlone) {
    const store = await openStore(STORE);
    await fillStore(store, events, batchEvents);
    await store.close();
  }
  await fillRaw(RAW.blobs, chunks(events, batchEvents).map((chunk) => [JSON.stringify(chunk)]));
  await fillRaw(RAW.rows, chunks(events, batchEvents));
  return content(events);
}

/** Opens and reads, once; call it in a page that was just loaded. The wasm is loaded within the time, the JavaScript before it. */
export async function coldRead({ contestant, expected }) {
  const { open, read, close } = await READERS[contestant]();
  const begun_ms = performance.now();
  const opened = await open();
  const open_ms = performance.now() - begun_ms;
  const events = await read(opened);
  const elapsed_ms = performance.now() - begun_ms;
  assertEqualWork(`a cold read of ${contestant}`, expected, content(events));
  await close(opened);
  return { elapsed_ms, open_ms };
}

/** Deletes what was read. */
export async function endColdReads({ rawAlone }) {
  if (!rawAlone) await destroyStore(STORE);
  for (const name of Object.values(RAW)) await RawDatabase.destroy(name);
}

const READERS = {
  everfold: async () => {
    await loadPackage();
    return { open: () => openStore(STORE), read: readAll, close: (store) => store.close() };
  },
  blobs: async () => rawReader(RAW.blobs, (records) => records.flatMap((text) => JSON.parse(text))),
  rows: async () => rawReader(RAW.rows, (records) => records),
};

function rawReader(name, decode) {
  return {
    open: () => RawDatabase.open(name),
    read: async (raw) => decode(await raw.all()),
    close: (raw) => raw.close(),
  };
}

async function fillRaw(name, batches) {
  const raw = await RawDatabase.open(name);
  let key = 1;
  for (const values of batches) {
    await raw.putAll(key, values);
    key += values.length;
  }
  raw.close();
}
