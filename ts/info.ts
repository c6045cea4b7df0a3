import { abortSignal, option, options as optionBag, text, whole } from "./arguments.js";
import type { StatsMessage, StreamInfoMessage, StreamsMessage } from "./engine.js";

/** What is known of a stream. */
export interface StreamInfo {
  /** Its name. */
  readonly stream: string;
  /** The revision of the last event that it ever had, be it hidden or not; `undefined` where it never had one. */
  readonly revision: number | undefined;
  /** How many events are seen. */
  readonly count: number;
  /** The position of the first event that is seen. */
  readonly firstPosition: number | undefined;
  /** The position of the last event that is seen. */
  readonly lastPosition: number | undefined;
  /** The time of the first event that is seen: Unix milliseconds. */
  readonly createdAt: number | undefined;
  /** The time of the last event that is seen: Unix milliseconds. */
  readonly updatedAt: number | undefined;
  /** Whether it was deleted or tombstoned, and not written since. */
  readonly deleted: boolean;
  /** Whether it was tombstoned: it can never be written again. */
  readonly tombstoned: boolean;
  /** The first revision that is seen; 0 where nothing is hidden. */
  readonly truncatedBefore: number;
}

/** Which streams are listed. */
export interface StreamsOptions {
  /** What their names begin with. */
  readonly prefix?: string | undefined;
  /** The last name of no interest. */
  readonly after?: string | undefined;
  /** Most streams wanted. All where it is left out. */
  readonly limit?: number | undefined;
  /** Ends the listing: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The measures of a store. */
export interface Stats {
  /** Events that are seen. */
  readonly events: number;
  /** Streams that ever had an event, or were tombstoned. */
  readonly streams: number;
  /** Records of the log. */
  readonly segments: number;
  /** Cached folds. */
  readonly snapshots: number;
  /** Bytes of the keys and values of everything that the store keeps. */
  readonly bytes: number;
  /** `bytes` over `events`; 0 without events. */
  readonly bytesPerEvent: number;
  /** The room of the whole origin, as far as the browser says. */
  readonly quota: {
    /** Bytes in use. */
    readonly usage: number | undefined;
    /** Bytes allowed. */
    readonly quota: number | undefined;
    /** Whether the browser promised not to evict them. */
    readonly persisted: boolean | undefined;
  };
}

/** The measures of a store, as its users see them. */
export function statsOf(message: StatsMessage): Stats {
  const { usage, quota, persisted, ...measures } = message;
  const { bytes, events } = measures;
  return { ...measures, bytesPerEvent: events === 0 ? 0 : bytes / events, quota: { usage, quota, persisted } };
}

const STREAMS_PER_PAGE = 1_000;

/** Lists streams page by page. */
export async function* streamPages(
  options: StreamsOptions | undefined,
  read: (message: StreamsMessage) => Promise<readonly StreamInfoMessage[]>,
): AsyncGenerator<StreamInfo[], void, undefined> {
  const bag = optionBag(options, ["prefix", "after", "limit", "signal"]);
  const signal = option(bag, "signal", abortSignal);
  const prefix = option(bag, "prefix", text) ?? "";
  let after = option(bag, "after", text);
  let wanted = option(bag, "limit", whole) ?? Infinity;
  while (0 < wanted) {
    signal?.throwIfAborted();
    const limit = Math.min(wanted, STREAMS_PER_PAGE);
    const page = await read({ prefix, after, limit });
    if (0 < page.length) yield [...page];
    if (page.length < limit) return;
    after = page.at(-1)?.stream;
    wanted -= page.length;
  }
}
