// Shows live values.

/**
 * Calls back with what a live value is now, and whenever it is another.
 *
 * @template Value
 * @param {{ get: () => { status: string, value?: Value, error?: unknown }, subscribe: (listener: () => void) => () => void }} live
 * @param {(value: Value) => void} onValue
 * @param {(error: unknown) => void} onError
 * @returns {() => void} ends it
 */
export function follow({ get, subscribe }, onValue, onError) {
  const tell = () => {
    const now = get();
    if (now.status === "ready") onValue(now.value);
    if (now.status === "error") onError(now.error);
  };
  const stop = subscribe(tell);
  tell();
  return stop;
}
