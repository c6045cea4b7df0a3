// When an awaited append does what, beside the same transaction made by hand.

import { bankEvents, newEvent } from "./bank.js";
import { destroyStore, loadPackage, openStore } from "./everfold-store.js";
import { databaseOf } from "./peers.js";
import { RawDatabase } from "./raw-database.js";

const NAME = "timeline";
/** Each is done so often in a row. */
const TURN = 20;
const RECORD_BYTES = 190;
/** How long the page goes on working after it has asked for the head, to see whether the storage works meanwhile. */
const BUSY_ms = 1;

/** What is written down of each append, in its order. */
const MOMENTS = ["transaction", "head asked for", "head there", "commit", "complete", "answered"];

let moments;

/**
 * Medians, in milliseconds since the call, of `turns` turns: by contestant, of each moment. Those of a store in memory tell
 * what is left of an append without a transaction.
 */
export async function timeline({ seed, turns }) {
  const events = bankEvents(seed, turns * TURN);
  const [store, raw, memory] = await Promise.all([openStore(NAME), RawDatabase.open(databaseOf("blobs", NAME)), openMemory()]);
  const record = new Uint8Array(RECORD_BYTES);
  const contestants = [
    { name: "everfold", times: [], append: ({ stream, ...event }) => store.append(stream, newEvent({ stream, ...event })) },
    { name: "by hand", times: [], append: () => raw.append(record) },
    { name: `by hand, ${BUSY_ms} ms of work after asking`, times: [], append: () => busily(raw.append(record)) },
    { name: "everfold in memory, after a read of IndexedDB", times: [], before: () => raw.head(), append: ({ stream, ...event }) => memory.append(stream, newEvent({ stream, ...event })) },
  ];
  const restore = watch();
  try {
    for (let turn = 0; turn < turns; turn += 1) {
      for (const contestant of contestants) {
        for (const event of events.slice(turn * TURN, (turn + 1) * TURN)) await time(contestant, event);
      }
    }
  } finally {
    restore();
  }
  await Promise.all([store.close(), memory.close()]);
  raw.close();
  await destroyStore(NAME);
  await RawDatabase.destroy(databaseOf("blobs", NAME));
  return contestants.map(({ name, times }) => ({ name, medians_ms: mediansOf(times) }));
}

async function openMemory() {
  const { EventStore } = await loadPackage();
  return EventStore.open(NAME + " in memory", { storage: "memory" });
}

async function time({ before, append, times }, event) {
  await before?.();
  moments = new Map();
  const begun_ms = performance.now();
  await append(event);
  note("answered");
  times.push(Object.fromEntries([...moments].map(([moment, at_ms]) => [moment, at_ms - begun_ms])));
}

function busily(appending) {
  const end_ms = performance.now() + BUSY_ms;
  while (performance.now() < end_ms);
  return appending;
}

function note(moment) {
  if (!moments.has(moment)) moments.set(moment, performance.now());
}

function mediansOf(times) {
  // The first tenth warms up.
  const counted = times.slice(times.length / 10);
  const medians = {};
  for (const moment of MOMENTS) {
    const all = counted.map((time) => time[moment]).filter((at_ms) => at_ms !== undefined).sort((a, b) => a - b);
    if (0 < all.length) medians[moment] = all[Math.floor(all.length / 2)];
  }
  return medians;
}

/** Notes the calls of IndexedDB and what it calls, until what is returned is called. */
function watch() {
  const restores = [
    watchCall(IDBDatabase.prototype, "transaction", "transaction"),
    watchCall(IDBObjectStore.prototype, "get", "head asked for"),
    watchCall(IDBTransaction.prototype, "commit", "commit"),
    watchHandler(IDBRequest.prototype, "onsuccess", "head there"),
    watchHandler(IDBTransaction.prototype, "oncomplete", "complete"),
  ];
  return () => restores.forEach((restore) => restore());
}

function watchCall(prototype, name, moment) {
  const original = prototype[name];
  prototype[name] = function (...values) {
    const result = original.apply(this, values);
    note(moment);
    return result;
  };
  return () => (prototype[name] = original);
}

function watchHandler(prototype, name, moment) {
  const original = Object.getOwnPropertyDescriptor(prototype, name);
  const watched = new WeakMap();
  const set = function (handler) {
    if (typeof handler === "function" && !watched.has(handler)) {
      watched.set(handler, function (event) {
        note(moment);
        return handler.call(this, event);
      });
    }
    original.set.call(this, typeof handler === "function" ? watched.get(handler) : null);
  };
  Object.defineProperty(prototype, name, { ...original, set });
  return () => Object.defineProperty(prototype, name, original);
}
