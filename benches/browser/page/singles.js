// Single appends, each awaited: the latency of one fact.

import { bankEvents, newEvent } from "./bank.js";
import { Checksum, assertEqualWork, content } from "./checksum.js";
import { checkAndDestroy, openStore, readAll } from "./everfold-store.js";
import { RawDatabase, valueLengths } from "./raw-database.js";
import { eachAwaited, takeTurns } from "./rounds.js";

const STORE = "singles";
const RAW = "raw-singles";
/** Appends before anything is measured, to learn how long a stored record is. */
const TRIAL_EVENTS = 100;

/**
 * Measures `count` appends in each of `rounds`, in turns of `slice`, a part of `count`; each contestant has one log, which
 * grows. The peer's records are as long as the store's, or `recordBytes`, where the peer runs alone.
 */
export async function singles({ seed, rounds, count, slice, rawAlone, recordBytes }) {
  const events = bankEvents(seed, (rounds + 1) * count);
  const bytes = rawAlone ? recordBytes : await storedRecordBytes(seed);
  const raw = await RawDatabase.open(RAW);
  const records = events.map((event) => record(event, bytes));
  const contestants = [rawContestant(raw, records, { count, slice })];
  const store = rawAlone ? undefined : await openStore(STORE);
  if (store !== undefined) contestants.unshift(everfoldSingles(store, events, { count, slice }));
  const results = await takeTurns(contestants, rounds, count / slice);
  if (store !== undefined) await checkAndDestroy(store, events);
  raw.close();
  await RawDatabase.destroy(RAW);
  return { count, recordBytes: bytes, results };
}

/** The store, in rounds of `count` and turns of `slice`. */
export function everfoldSingles(store, events, { count, slice }) {
  const prepare = async (round) => {
    const appends = part(events, count, round).map((event) => ({ stream: event.stream, event: newEvent(event) }));
    const run = (turn) => eachAwaited(part(appends, slice, turn), ({ stream, event }) => store.append(stream, event));
    const check = async () => {
      const written = events.slice(0, (round + 1) * count);
      assertEqualWork(STORE, content(written), content(await readAll(store)));
    };
    return { run, check };
  };
  return { name: "everfold", prepare };
}

function rawContestant(raw, records, { count, slice }) {
  const prepare = async (round) => {
    const mine = part(records, count, round);
    const run = (turn) => eachAwaited(part(mine, slice, turn), (value) => raw.append(value));
    const check = async () => {
      assertEqualWork(RAW, sumOf(records.slice(0, (round + 1) * count)), sumOf(await raw.all()));
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
  const lengths = (await valueLengths(`everfold:${store.name}`, "log")).sort((a, b) => a - b);
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
