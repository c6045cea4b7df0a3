// Single appends, each awaited: the latency of one fact.

import { Bank, bankEvents, newEvent } from "./bank.js";
import { Checksum, assertEqualWork, content } from "./checksum.js";
import { checkAndDestroy, databaseOfStore, destroyStore, openStore, readAll } from "./everfold-store.js";
import { databaseOf } from "./peers.js";
import { RawDatabase } from "./raw-database.js";
import { eachAwaited, takeTurns } from "./rounds.js";
import { valueLengths } from "./stored-bytes.js";

const SMALL = "singles";
/** Appends before anything is measured, to learn how long a stored record is. */
const TRIAL_EVENTS = 100;

/**
 * Measures `count` appends in each of `rounds`, in turns of `slice`, a part of `count`; each contestant has one log, which
 * grows. The peer's records are as long as the store's. `log` is one that is there, with what it holds; a new one is
 * made where it is left out.
 */
export async function singles({ seed, rounds, count, slice, log }) {
  const after = log?.events ?? 0;
  const wanted = (rounds + 1) * count;
  const events = log === undefined ? bankEvents(seed, wanted) : Bank.inTurn(seed + 1, log.streams, after).next(wanted);
  const recordBytes = await storedRecordBytes(seed);
  const name = log?.name ?? SMALL;
  const [store, raw] = await Promise.all([openStore(name), RawDatabase.open(databaseOf("blobs", name))]);
  const records = events.map((event) => record(event, recordBytes));
  const work = { count, slice, after };
  const results = await takeTurns([everfoldSingles(store, events, work), rawSingles(raw, records, work)], rounds, count / slice);
  await store.close();
  raw.close();
  if (log === undefined) {
    await destroyStore(name);
    await RawDatabase.destroy(databaseOf("blobs", name));
  }
  return { count, events: after, recordBytes, results };
}

/** The store, in rounds of `count` and turns of `slice`, in a log that reaches to `after`. */
export function everfoldSingles(store, events, { count, slice, after }) {
  const prepare = async (round) => {
    const appends = part(events, count, round).map((event) => ({ stream: event.stream, event: newEvent(event) }));
    const run = (turn) => eachAwaited(part(appends, slice, turn), ({ stream, event }) => store.append(stream, event));
    const check = async () => {
      const written = events.slice(0, (round + 1) * count);
      assertEqualWork(store.name, content(written), content(await readAll(store, after)));
    };
    return { run, check };
  };
  return { name: "everfold", prepare };
}

function rawSingles(raw, records, { count, slice, after }) {
  const prepare = async (round) => {
    const mine = part(records, count, round);
    const run = (turn) => eachAwaited(part(mine, slice, turn), (value) => raw.append(value));
    const check = async () => {
      assertEqualWork("raw singles", sumOf(records.slice(0, (round + 1) * count)), sumOf(await raw.all(after)));
    };
    return { run, check };
  };
  return { name: "raw", prepare };
}

/** The length of the record that the store makes of a single event: the median of some. */
async function storedRecordBytes(seed) {
  const store = await openStore("singles-trial");
  const events = bankEvents(seed, TRIAL_EVENTS);
  for (const event of events) await store.append(event.stream, newEvent(event));
  const lengths = (await valueLengths(databaseOfStore(store.name), "log")).sort((a, b) => a - b);
  await checkAndDestroy(store, events);
  return lengths[Math.floor(lengths.length / 2)];
}

/** A record of so many bytes, beginning as the event's JSON text does. It is made before the clock runs. */
function record(event, bytes) {
  const whole = new Uint8Array(bytes);
  new TextEncoder().encodeInto(JSON.stringify(event), whole);
  return whole;
}

function sumOf(records) {
  const checksum = new Checksum();
  for (const bytes of records) checksum.bytes(bytes);
  return { count: records.length, checksum: checksum.value };
}

function part(items, size, index) {
  return items.slice(index * size, (index + 1) * size);
}
