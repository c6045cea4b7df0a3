import type { World } from "./engine.js";
import { pauseUntil } from "./pause.js";
import { MILLIS_MAX } from "./time.js";
import { randomId } from "./uuid.js";

/** What the facade needs of the world around it: in a test kit a world of its own. */
export interface Host {
  /** Unix milliseconds. */
  now(): number;
  /** A UUID that nobody has had. */
  newId(): string;
  /** At least 0 and below 1. */
  random(): number;
  /** Waits; rejects with the signal's reason. */
  pause(duration_ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** Where events get their times and ids from, where they are not to come from the core. */
  readonly stamp?: { time(): number; id(): string } | undefined;
  /** What the core is to be told as well. */
  readonly world?: HostWorld | undefined;
}

/** A world that a test decides of, for the core. */
export interface HostWorld {
  /** The name of the memory, which is shared with the other worlds that have it. */
  readonly memory: string;
  readonly ask: World;
}

/** The browser, or Node. */
export const PLATFORM: Host = {
  // As the core reads it: a page may have put anything in the place of its clock.
  now: () => Math.min(Math.max(Date.now() || 0, 0), MILLIS_MAX),
  newId: randomId,
  random: () => Math.random(),
  pause: (duration_ms, signal) => pauseUntil(performance.now() + duration_ms, signal),
};
