// Appends the recorded session to its stream, batch by batch, from wherever the stream is.

import { isEverfoldError } from "../dist/index.js";

/** Events in one commit: few enough that a page stays live and a pause is quick, enough that commits cost little. */
const BATCH_EVENTS = 500;

/**
 * Appends what the stream does not have yet, until the end or until the signal aborts, which ends it after the
 * batch under way.
 *
 * Another tab may do the same at the same time: each batch says which revision it follows, so that an edit
 * is appended once whoever is faster, and the slower one goes on where the stream is.
 *
 * @param {object} store
 * @param {import("./trace.js").Recording} recording
 * @param {object} options
 * @param {AbortSignal} options.signal
 * @param {(progress: { count: number, appended: number, elapsed_ms: number, durability: string, others: number }) => void} options.onProgress
 *   `count` events are in the stream, `appended` of them by this run; `others` batches were refused because another tab was faster
 */
export async function appendSession(store, recording, { signal, onProgress }) {
  const { stream } = recording;
  const { events } = await recording.load();
  let count = await streamCount(store, stream);
  let appended = 0;
  let others = 0;
  let durability = "";
  const begun = performance.now();
  const report = () => onProgress({ count, appended, elapsed_ms: performance.now() - begun, durability, others });
  report();
  while (count < events.length && !signal.aborted) {
    const batch = events.slice(count, count + BATCH_EVENTS);
    const outcome = await appendBatch(store, stream, batch, count);
    if (outcome === undefined) {
      others += 1;
      count = await streamCount(store, stream);
    } else {
      count += batch.length;
      appended += batch.length;
      durability = outcome.durability;
    }
    report();
  }
}

/** How many events a stream has. */
export async function streamCount(store, stream) {
  const info = await store.streamInfo(stream);
  return info?.revision === undefined ? 0 : info.revision + 1;
}

/** Appends one batch; nothing where the stream has moved on. */
async function appendBatch(store, stream, batch, count) {
  try {
    return await store.append(stream, batch, { expected: count === 0 ? "noStream" : count - 1 });
  } catch (error) {
    if (isEverfoldError(error, "WRONG_EXPECTED_REVISION")) return undefined;
    throw error;
  }
}
