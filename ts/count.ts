import { abortSignal, callback, oneOf, option, options as optionBag } from "./arguments.js";
import type { CountMessage, CountPageMessage } from "./engine.js";
import { Breath } from "./pause.js";
import type { ProgressListener } from "./progress.js";
import { tell } from "./progress.js";
import type { QueryContext } from "./query.js";
import { checkQuery } from "./query.js";
import type { TimeInput } from "./time.js";
import { unixMillis } from "./time.js";

/** How counted events are told apart. Days are those of UTC: `2026-01-31`. */
export type CountBy = "type" | "category" | "stream" | "day";

/** What a count is asked. */
export interface CountOptions {
  /** The first time of interest. */
  readonly since?: TimeInput | undefined;
  /** The first time of no interest. */
  readonly until?: TimeInput | undefined;
  /** Ends the count: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far the count has come: positions of the log. */
  readonly onProgress?: ProgressListener | undefined;
}

/** A count, checked. */
interface CheckedCount {
  readonly request: CountMessage;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
}

/** Counts events: all of them, or by what the options say. */
export async function countEvents(
  query: unknown,
  options: unknown,
  context: QueryContext,
  read: (request: CountMessage) => Promise<CountPageMessage>,
): Promise<number | Record<string, number>> {
  const count = checkCount(query, options, context);
  const counts = await countStretches(count, context, read);
  return count.request.by === "nothing" ? (counts.get("") ?? 0) : countsByKey(counts);
}

/** Checks the arguments of a count. */
function checkCount(query: unknown, options: unknown, context: QueryContext): CheckedCount {
  const bag = optionBag(options, ["since", "until", "by", "signal", "onProgress"]);
  const by = option(bag, "by", (value, path) => oneOf<CountBy>(value, ["type", "category", "stream", "day"], path)) ?? "nothing";
  return {
    request: {
      query: checkQuery(query, "query", context),
      since: option(bag, "since", unixMillis),
      until: option(bag, "until", unixMillis),
      by,
      after: 0,
      asOf: undefined,
    },
    signal: option(bag, "signal", abortSignal),
    onProgress: option(bag, "onProgress", callback<ProgressListener>),
  };
}

/** Counts stretch by stretch, and gives way between them. Gives counts by key, where it is a type by that of today. */
async function countStretches(
  count: CheckedCount,
  { upcaster }: QueryContext,
  read: (request: CountMessage) => Promise<CountPageMessage>,
): Promise<Map<string, number>> {
  const { signal, onProgress } = count;
  const counts = new Map<string, number>();
  const breath = new Breath();
  let request = count.request;
  for (;;) {
    signal?.throwIfAborted();
    const page = await read(request);
    for (const [stored, count] of page.counts) {
      const key = request.by === "type" && upcaster !== undefined ? upcaster.currentType(stored) : stored;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
    tell(onProgress, { done: page.next ?? page.asOf, total: page.asOf, phase: "count" });
    if (page.next === undefined) return counts;
    request = { ...request, after: page.next, asOf: page.asOf };
    await breath.take();
  }
}

/** Counts as an object, in the order of its keys. `fromEntries` makes even `__proto__` a key as any other. */
function countsByKey(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([one], [other]) => (one < other ? -1 : 1)));
}
