import { callback, option, options as optionBag, show } from "./arguments.js";
import type { AllReadMessage } from "./engine.js";
import { invalidArgument } from "./errors.js";
import type { AnyEvents, EventRegistry } from "./events.js";
import type { AnyRecorded } from "./page.js";
import { pauseUntil } from "./pause.js";
import type { ProgressListener } from "./progress.js";
import { tell } from "./progress.js";
import type { Query, QueryContext } from "./query.js";
import type { EventPage } from "./reading.js";
import { allRead } from "./reading.js";
import type { TimeInput } from "./time.js";

/** What a replay is asked. */
export interface ReplayOptions<Registry extends EventRegistry = AnyEvents, Wanted extends Query<Registry> = Query<Registry>> {
  /** The last position of no interest. 0 where it is left out. */
  readonly after?: number | undefined;
  /** The first position of no interest. The end, as it is when the replay begins, where it is left out. */
  readonly before?: number | undefined;
  /** The first time of interest. */
  readonly since?: TimeInput | undefined;
  /** The first time of no interest. */
  readonly until?: TimeInput | undefined;
  /** Which events are wanted. All where it is left out. */
  readonly query?: Wanted | undefined;
  /**
   * How many times faster than it happened: 1 is real time, 60 a minute in a second. As fast as the handler takes
   * the events where it is left out.
   */
  readonly rate?: number | undefined;
  /** Stops the replay: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told, page by page, how far the replay has come: positions of the log. */
  readonly onProgress?: ProgressListener | undefined;
}

/** What a replay did. */
export interface ReplayResult {
  /** How many events the handler was given. */
  readonly events: number;
  /** The last position looked at, be it of an event that was wanted or not: go on after it. */
  readonly lastPosition: number;
}

/** The options of a replay. */
const REPLAY_OPTIONS = ["after", "before", "since", "until", "query", "rate", "signal", "onProgress"] as const;

/** How a replay runs. */
interface ReplayPace {
  readonly rate: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Hands the events of the log to a handler, from what `pages` gives. */
export async function replay(
  context: QueryContext,
  options: unknown,
  handler: unknown,
  pages: (request: AllReadMessage, signal: AbortSignal | undefined) => AsyncIterable<EventPage>,
): Promise<ReplayResult> {
  const bag = optionBag(options, REPLAY_OPTIONS);
  const handle = callback<(event: AnyRecorded) => unknown>(handler, "handler");
  const { request, signal } = allRead(bag, context);
  const listener = option(bag, "onProgress", callback<ProgressListener>);
  const rate = checkRate(bag.rate);
  let lastPosition = request.after;
  const events = await replayPages(pages(request, signal), { rate, signal }, handle, (page) => {
    const end = Math.min(page.asOf, (request.before ?? Infinity) - 1);
    lastPosition = Math.max(request.after, end);
    tell(listener, { done: page.next ?? lastPosition, total: lastPosition, phase: "replay" });
  });
  return { events, lastPosition };
}

/** Checks a rate. */
function checkRate(value: unknown): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  if (typeof value === "number" && 0 < value) return value;
  throw invalidArgument("options.rate", `is ${show(value)}; a number above 0 is needed, such as 50 for fifty times real time`);
}

/** Hands over events one by one, each after the handler is done with the one before. Gives their number. */
async function replayPages(
  pages: AsyncIterable<EventPage>,
  pace: ReplayPace,
  handler: (event: AnyRecorded) => unknown,
  onPage: (page: EventPage) => void,
): Promise<number> {
  const { rate, signal } = pace;
  let count = 0;
  // Where the replay began, by its own clock and by that of the events.
  let start: { readonly clock_ms: number; readonly time: number } | undefined;
  for await (const page of pages) {
    for (const event of page.events) {
      if (rate !== undefined) {
        start ??= { clock_ms: performance.now(), time: event.time };
        // A time that a caller gave may lie before that of the event before it: then there is no wait.
        await pauseUntil(start.clock_ms + (event.time - start.time) / rate, signal);
      }
      signal?.throwIfAborted();
      await handler(event);
      count += 1;
    }
    onPage(page);
  }
  signal?.throwIfAborted();
  return count;
}
