// Measures how long appends take on this machine: from the call to the moment at which they are stored.

/** Each run has a stream of its own. */
const CATEGORY = "run";

/** Payloads as an app has them: some fields, some hundred bytes. */
function eventOf(number) {
  return { type: "Measured", data: { number, sku: `sku-${number % 97}`, quantity: 1 + (number % 5), note: "as long as notes are that people write in passing" } };
}

/**
 * Appends one commit after the other, each when the one before is stored.
 *
 * @param {object} store
 * @param {object} run
 * @param {number} run.appends
 * @param {number} run.events in each of them
 * @param {"relaxed" | "strict"} run.durability
 * @param {AbortSignal} run.signal ends it after the append under way
 * @param {(done: number) => void} run.onProgress
 * @returns {Promise<{ latencies_ms: number[], elapsed_ms: number, durability: string }>} `durability` is what was reached
 */
export async function measureAppends(store, { appends, events, durability, signal, onProgress }) {
  const stream = `${CATEGORY}-${crypto.randomUUID()}`;
  const batch = Array.from({ length: events }, (_, number) => eventOf(number));
  const latencies_ms = [];
  let reached = durability;
  const begun_ms = performance.now();
  while (latencies_ms.length < appends && !signal.aborted) {
    const called_ms = performance.now();
    ({ durability: reached } = await store.append(stream, batch, { durability }));
    latencies_ms.push(performance.now() - called_ms);
    onProgress(latencies_ms.length);
  }
  return { latencies_ms, elapsed_ms: performance.now() - begun_ms, durability: reached };
}

/** The bounds of the bars: finer where most appends are. */
const BOUNDS_MS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256];

/** Latencies as a histogram: how many are below each bound and not below the one before; empty bars at both ends are left out. */
export function histogramOf(latencies_ms) {
  const counts = [...BOUNDS_MS, Infinity].map((bound, place) => {
    const from = BOUNDS_MS[place - 1] ?? 0;
    const label = bound === Infinity ? `${from} ms or more` : `${from} to ${bound} ms`;
    return [label, latencies_ms.filter((latency_ms) => from <= latency_ms && latency_ms < bound).length];
  });
  const first = counts.findIndex(([, count]) => 0 < count);
  const last = counts.findLastIndex(([, count]) => 0 < count);
  return first === -1 ? [] : counts.slice(Math.max(0, first - 1), last + 2);
}

/** The latency that so large a share of the appends does not exceed. */
export function percentile(latencies_ms, share) {
  const sorted = [...latencies_ms].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
