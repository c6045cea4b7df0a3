// What is measured, and how often.

/** The seed makes the events; any other is as good. */
const SEED = 20_261_121;

/** Logs of so many events, 100 in each stream: the first is the small one, the last the large one. */
const QUICK_GROWTH = [10_000, 100_000];
const FULL_GROWTH = [10_000, 100_000, 1_000_000];

/**
 * A run of minutes.
 *
 * - `growth`: of each log, `openings` of a page, `singles` rounds of appends, and `walks` through the last one
 * - `wide`: a log with few events in each of many streams, which is what opening is hard with
 */
export const QUICK = {
  form: "quick",
  seed: SEED,
  singles: { rounds: 7, count: 300, slice: 30 },
  commands: { rounds: 7, count: 300, slice: 30 },
  unawaited: { rounds: 5, count: 10_000 },
  batches: { rounds: 5, batchCount: 10, batchEvents: 1_000 },
  coldReads: { rounds: 5, count: 100_000, batchEvents: 1_000 },
  coldLoads: { rounds: 7, count: 10_000 },
  projections: { rounds: 5, count: 100_000 },
  queries: { rounds: 7, count: 100_000 },
  sizes: { count: 100_000, batchEvents: 1_000 },
  growth: { events: QUICK_GROWTH, eventsPerStream: 100, openings: 9, walks: 3, singles: { rounds: 5, count: 100, slice: 20 } },
  wide: { events: 100_000, eventsPerStream: 10, openings: 9 },
};

/** A run whose numbers are kept: more rounds, and large logs. */
export const FULL = {
  ...QUICK,
  form: "full",
  singles: { rounds: 10, count: 300, slice: 30 },
  unawaited: { rounds: 8, count: 10_000 },
  batches: { rounds: 8, batchCount: 100, batchEvents: 1_000 },
  coldReads: { rounds: 10, count: 100_000, batchEvents: 1_000 },
  growth: { events: FULL_GROWTH, eventsPerStream: 100, openings: 15, walks: 5, singles: { rounds: 10, count: 300, slice: 30 } },
  wide: { events: 1_000_000, eventsPerStream: 10, openings: 15 },
};

/** A run of seconds, that shows whether everything works; its numbers mean nothing. */
export const SMOKE = {
  form: "smoke",
  seed: SEED,
  singles: { rounds: 2, count: 40, slice: 20 },
  commands: { rounds: 2, count: 40, slice: 20 },
  unawaited: { rounds: 1, count: 500 },
  batches: { rounds: 1, batchCount: 2, batchEvents: 500 },
  coldReads: { rounds: 1, count: 2_000, batchEvents: 1_000 },
  coldLoads: { rounds: 1, count: 2_000 },
  projections: { rounds: 1, count: 3_000 },
  queries: { rounds: 1, count: 3_000 },
  sizes: { count: 2_000, batchEvents: 1_000 },
  growth: { events: [1_000, 3_000], eventsPerStream: 100, openings: 2, walks: 1, singles: { rounds: 1, count: 20, slice: 10 } },
  wide: { events: 2_000, eventsPerStream: 10, openings: 2 },
};
