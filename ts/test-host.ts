import { callback, option } from "./arguments.js";
import type { World } from "./engine.js";
import { WORLD } from "./engine.js";
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

/**
 * Makes a clock that stands still until it is moved.
 *
 * @example
 * const clock = testClock("2026-01-01T00:00:00Z");
 * clock.advance(60_000);
 */
export function testClock(start: TimeInput = BEGINNING): TestClock {
  let now = unixMillis(start, "start");
  const advance = (duration_ms: number) => {
    now = unixMillis(now + duration_ms, "duration_ms");
  };
  return Object.assign(() => now, { advance });
}

/**
 * Makes ids that are the same in every run: `00000000-0000-4000-8000-000000000001` and so on.
 *
 * @example
 * const store = await openTestStore({ ids: testIds() });
 */
export function testIds(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `00000000-0000-4000-8000-${count.toString(16).padStart(12, "0")}`;
  };
}

/** A world of which a test decides: what a `Host` is made of. */
export interface TestParts {
  readonly now: () => number;
  readonly newId: () => string;
}

/** The clock and the ids of a test, checked. */
export function testParts(world: Record<string, unknown>): TestParts {
  const clock = option(world, "clock", callback<() => number>) ?? testClock();
  const newId = option(world, "ids", callback<() => string>) ?? testIds();
  return { now: () => unixMillis(clock(), "options.clock"), newId };
}

/** The world of one tab. What it is asked about its memory, `admit` answers. */
export function testHost({ now, newId }: TestParts, memory?: TestMemory): Host {
  const pause = async (_duration_ms: number, signal: AbortSignal | undefined) => signal?.throwIfAborted();
  const world = memory && { memory: memory.name, ask: askOf(now, memory) };
  return { now, newId, random: () => 0, pause, stamp: { time: now, id: newId }, world };
}

/** The memory of a tab, which others may share. */
export interface TestMemory {
  readonly name: string;
  /** Which tab it is, from 0: chance is another one in each. */
  readonly tab: number;
  /** What becomes of a read or a write: one of {@link ADMISSION}. */
  admit(access: "read" | "write"): number | Promise<number>;
}

function askOf(now: () => number, { tab, admit }: TestMemory): World {
  let chance = tab + 1;
  return (question) => {
    switch (question) {
      case WORLD.now:
        return now();
      case WORLD.chance:
        // The generator of Park and Miller, of which the low bits are the worst.
        chance = (chance * 48_271) % 2_147_483_647;
        return (chance >> 16) & 0xff;
      default:
        return admit(question === WORLD.read ? "read" : "write");
    }
  };
}
