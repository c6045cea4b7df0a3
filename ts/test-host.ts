import { callback, option } from "./arguments.js";
import type { Host } from "./host.js";
import type { TimeInput } from "./time.js";
import { unixMillis } from "./time.js";

/** Where the time and the ids of a test come from. */
export interface TestWorld {
  /** Says what time it is: Unix milliseconds. A {@link testClock} where it is left out. */
  readonly clock?: (() => number) | undefined;
  /** Gives a new UUID at each call. {@link testIds} where it is left out. */
  readonly ids?: (() => string) | undefined;
}

/** A clock that stands still until it is moved. */
export interface TestClock {
  (): number;
  /** Moves it on. */
  advance(duration_ms: number): void;
}

/** When a test clock begins, where nothing is said. */
const BEGINNING = "2026-01-01T00:00:00Z";

/** Makes a clock that stands still until it is moved. */
export function testClock(start: TimeInput = BEGINNING): TestClock {
  let now = unixMillis(start, "start");
  const advance = (duration_ms: number) => {
    now = unixMillis(now + duration_ms, "duration_ms");
  };
  return Object.assign(() => now, { advance });
}

/** Makes ids that are the same in every run: `00000000-0000-4000-8000-000000000001` and so on. */
export function testIds(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `00000000-0000-4000-8000-${count.toString(16).padStart(12, "0")}`;
  };
}

/** A world of which a test decides. */
export function testHost(world: Record<string, unknown>): Host {
  const clock = option(world, "clock", callback<() => number>) ?? testClock();
  const now = () => unixMillis(clock(), "options.clock");
  const newId = option(world, "ids", callback<() => string>) ?? testIds();
  const pause = async (_duration_ms: number, signal: AbortSignal | undefined) => signal?.throwIfAborted();
  return { now, newId, random: () => 0, pause, stamp: { time: now, id: newId } };
}
