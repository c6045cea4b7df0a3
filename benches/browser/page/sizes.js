// What an event takes on the disk, in logs of other kinds than those that are read.

import { bankEvents, chunks, newEvent, newEventWithoutId } from "./bank.js";
import { compactIfPossible } from "./compaction.js";
import { databaseOfStore, destroyStore, openStore } from "./everfold-store.js";
import { fillEverfold } from "./logs.js";
import { storedBytes } from "./stored-bytes.js";

const STORE = "sizes";

/** Bytes and records of each kind of log; beside them the bytes of the same events as JSON texts. */
export async function sizes({ seed, count, batchEvents }) {
  const events = bankEvents(seed, count);
  const own = await measured(() => fillEverfold(STORE, events, batchEvents, newEventWithoutId));
  const singly = await measured(() => fillSingly(events));
  const kinds = {
    own: { events: count, jsonBytes: bytesOf(events), ...own },
    singly: { events: count, jsonBytes: bytesOf(events), ...singly },
  };
  const trace = await editingTrace();
  if (trace === undefined) return kinds;
  const edited = await measured(() => fillTrace(trace, batchEvents));
  return { ...kinds, trace: { events: trace.length, jsonBytes: bytesOf(trace), ...edited } };
}

async function measured(fill) {
  await fill();
  const stored = await storedBytes(databaseOfStore(STORE));
  await destroyStore(STORE);
  return stored;
}

async function fillSingly(events) {
  const store = await openStore(STORE);
  await Promise.all(events.map((event) => store.append(event.stream, newEvent(event))));
  await compactIfPossible(store);
  await store.close();
}

async function fillTrace(trace, batchEvents) {
  const store = await openStore(STORE);
  for (const chunk of chunks(trace, batchEvents)) await store.append("document-rustcode", chunk);
  await compactIfPossible(store);
  await store.close();
}

/** The demo's recorded editing session, where it is served. */
async function editingTrace() {
  const response = await fetch("/data/editing-trace-rustcode.json.gz");
  if (!response.ok) return undefined;
  const { txns } = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).json();
  return txns.map(({ time, patches }) => ({ type: "Edited", time, data: { patches } }));
}

/** Bytes of the JSON texts, one by one. */
function bytesOf(events) {
  const encoder = new TextEncoder();
  return events.reduce((sum, event) => sum + encoder.encode(JSON.stringify(event)).length, 0);
}
