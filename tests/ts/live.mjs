// What the tests of live values share.
import { until } from "./check.mjs";

/** Listens, and records each state that was told. */
export function listening(live) {
  const states = [];
  const stop = live.subscribe(() => states.push(live.get()));
  return { states, stop };
}

/** Waits until a live value is ready and holds to something. */
export async function ready(live, holds = () => true) {
  await until(() => live.get().status === "ready" && holds(live.get().value));
  return live.get().value;
}
