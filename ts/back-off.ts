// What failed for a reason that may pass is tried again, at longer and longer intervals.
import { isEverfoldError } from "./errors.js";

/** The first pause, and the longest. */
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 5_000;

/** Whether the same may succeed later, without anybody's doing. */
export function mayPass(error: unknown): boolean {
  return isEverfoldError(error) && (error.retryable || error.code === "QUOTA_EXCEEDED");
}

/** Pauses between attempts, each twice as long as the one before. */
export class BackOff {
  #duration_ms: number = PAUSE_MS;
  #wake: () => void = () => {};

  /** Waits, and no longer than until it is ended: the next time twice as long, or as long as is said. */
  pause(given_ms?: number): Promise<void> {
    const duration_ms = given_ms ?? this.#duration_ms;
    if (given_ms === undefined) this.#duration_ms = Math.min(2 * duration_ms, PAUSE_MS_MAX);
    return new Promise((resolve) => {
      const timer: unknown = setTimeout(resolve, duration_ms);
      // That it waits keeps no process of Node's alive.
      (timer as { unref?(): void }).unref?.();
      this.#wake = () => {
        clearTimeout(timer as number);
        resolve();
      };
    });
  }

  /** Ends the one that is under way. */
  end(): void {
    this.#wake();
  }

  /** Begins with short ones again. */
  reset(): void {
    this.#duration_ms = PAUSE_MS;
  }
}
