/** What waits for each signal. One listener hears it for all: of many on one signal Node warns, as of a leak. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` when the signal aborts, until the function that this gives is called. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => {};
  const acts = waiting.get(signal) ?? listen(signal);
  acts.add(act);
  return () => acts.delete(act);
}

function listen(signal: AbortSignal): Set<() => void> {
  const acts = new Set<() => void>();
  waiting.set(signal, acts);
  signal.addEventListener("abort", () => {
    for (const act of acts) {
      try {
        act();
      } catch {
        // Who has trapped says so to its own callers, and must not keep the others from hearing.
      }
    }
  });
  return acts;
}

/** Waits no longer than the signal allows. What comes too late is handed to `late`. */
export async function abortable<Value>(
  coming: Promise<Value>,
  signal: AbortSignal | undefined,
  late: (value: Value) => unknown,
): Promise<Value> {
  if (signal === undefined) return coming;
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([coming, aborted]);
  } catch (error) {
    if (signal.aborted) void coming.then(late, () => {});
    throw error;
  } finally {
    forget();
  }
}
