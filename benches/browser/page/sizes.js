// What an event takes on the disk.

import { bankEvents, newEvent, newEventWithoutId } from "./bank.js";
import { chunks, fillStore } from "./batches.js";
import { destroyStore, openStore } from "./everfold-store.js";

const STORE = "sizes";

/** Bytes an event, by the store's own account, of each kind of log; beside it what the same events take as JSON. */
export async function sizes({ seed, count, batchEvents }) {
  const events = bankEvents(seed, count);
  const jsonBytes = bytesOf(events);
  const withIds = (store) => fillStore(store, events, batchEvents, newEvent);
  const withoutIds = (store) => fillStore(store, events, batchEvents, newEventWithoutId);
  const singly = (store) => Promise.all(events.map((event) => store.append(event.stream, newEvent(event))));
  const kinds = [
    { what: "bank, ids from callers", jsonBytes, ...(await storedBytes(withIds)) },
    { what: "bank, ids from the store", jsonBytes, ...(await storedBytes(withoutIds)) },
    { what: "bank, ids from callers, appended singly without awaiting", jsonBytes, ...(await storedBytes(singly)) },
  ];
  const trace = await editingTrace();
  if (trace !== undefined) {
    const edits = async (store) => {
      for (const chunk of chunks(trace, batchEvents)) await store.append("document-rustcode", chunk);
    };
    kinds.push({ what: "editing session, ids from the store", jsonBytes: bytesOf(trace), ...(await storedBytes(edits)) });
  }
  return kinds;
}

async function storedBytes(fill) {
  const store = await openStore(STORE);
  await fill(store);
  const { events, bytes, segments, bytesPerEvent } = await store.stats();
  await store.close();
  await destroyStore(STORE);
  return { events, bytes, records: segments, bytesPerEvent };
}

/** The demo's recorded editing session, where it is served. */
async function editingTrace() {
  const response = await fetch("/data/editing-trace-rustcode.json.gz");
  if (!response.ok) return undefined;
  const { txns } = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).json();
  return txns.map(({ time, patches }) => ({ type: "Edited", time, data: { patches } }));
}

/** Bytes an event of the JSON texts, one by one. */
function bytesOf(events) {
  const encoder = new TextEncoder();
  return events.reduce((sum, event) => sum + encoder.encode(JSON.stringify(event)).length, 0) / events.length;
}
