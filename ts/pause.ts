import { onAbort } from "./abort.js";

/** Longest wait that `setTimeout` takes, in milliseconds. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** Waits until `deadline_ms` on the clock of `performance.now()`; rejects with the signal's reason. */
export async function pauseUntil(deadline_ms: number, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const left_ms = deadline_ms - performance.now();
    if (left_ms <= 0) return;
    await pause(Math.min(left_ms, TIMEOUT_MAX_MS), signal);
  }
}

/** Longest that work may keep input and painting waiting, in milliseconds. */
const WORK_MAX_MS = 8;

/** Lets long work give way to input, painting and timers, as often as is needed and no more. */
export class Breath {
  #since_ms: number = performance.now();

  /** Gives way where enough time has passed since it last did. */
  async take(): Promise<void> {
    if (performance.now() - this.#since_ms < WORK_MAX_MS) return;
    await nextTask();
    this.#since_ms = performance.now();
  }
}

/** Comes back when all that waits has had its turn. Timers would do, but browsers hold back those that follow on another. */
export function nextTask(): Promise<void> {
  const { scheduler } = globalThis as { readonly scheduler?: { readonly yield?: () => Promise<void> } };
  if (scheduler?.yield !== undefined) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      // An open port would keep a process of Node's alive.
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

function pause(duration_ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      forget();
      resolve();
    };
    const timer = setTimeout(wake, duration_ms);
    const forget = onAbort(signal, wake);
  });
}
