import { checkAggregate } from "./aggregate.js";
import { abortSignal, option, options as optionBag } from "./arguments.js";
import type { Engine } from "./engine.js";
import type { AnyEvents, EventRegistry, RecordedFact } from "./events.js";
import type { Folded, Reducer, Stretch } from "./evolve.js";
import { reducerOf } from "./evolve.js";
import { boundsOf } from "./moment.js";
import type { Query } from "./query.js";
import { FACT_TYPES, FORWARDS } from "./query.js";
import { eventPages } from "./reading.js";
import type { Session } from "./session.js";
import { snapshotsOf } from "./snapshot.js";
import type { Source } from "./source.js";
import { checkSource } from "./source.js";
import type { TimeInput } from "./time.js";

/** The state of an aggregate, and how much of the log it is the state of. */
export interface Loaded<State> {
  /** What its events come to. Never to be changed in place. */
  readonly state: State;
  /**
   * Whether there is such a stream: not where it was never written, or deleted. Of a fold of a query, whether an event
   * matched.
   */
  readonly exists: boolean;
  /** The revision of the stream's last event; `undefined` where it has none, and for a fold of a query. */
  readonly revision: number | undefined;
  /** As of which position of the log it is the state. */
  readonly position: number;
  /** What to expect of the stream when writing what follows from this state. Of a fold of a query it means nothing. */
  readonly expected: number | "noStream";
}

/** Which moment of a stream is loaded: now, where nothing is said. What was hidden later is seen as long as it is not erased. */
export type LoadOptions = {
  /** Ends the loading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
} & (
  | { readonly revision?: undefined; readonly position?: undefined; readonly time?: undefined }
  /**
   * As of the position of the event at this revision. Past the end gives the newest. Where that event is erased, its position is not
   * known any more: then the state is the one before any event, as of now, and `expected` is this revision as long as the stream is there.
   */
  | { readonly revision: number; readonly position?: undefined; readonly time?: undefined }
  /** After what stands at this position of the log. Past the end gives the newest. */
  | { readonly position: number; readonly revision?: undefined; readonly time?: undefined }
  /** Before the first event, in the order of positions, that is later than this and was not hidden until then. */
  | { readonly time: TimeInput; readonly revision?: undefined; readonly position?: undefined }
);

/** What a fold of a query is asked. */
export interface QuerySource<Registry extends EventRegistry = AnyEvents> {
  /** Which events are folded. */
  readonly query: Query<Registry>;
}

/** Which moment of the log a fold of a query is of. A log has no revisions. */
export type LoadQueryOptions = Exclude<LoadOptions, { readonly revision: number }>;

/** Loads a stream or a query, now or at another moment. */
export async function load<State>(session: Session, aggregate: unknown, source: unknown, options: unknown): Promise<Loaded<State>> {
  const checked = checkAggregate<State>(aggregate, "aggregate");
  const from = checkSource(source, checked, session);
  const moment = optionBag(options, ["revision", "position", "time", "signal"]);
  const signal = option(moment, "signal", abortSignal);
  const stretch: Stretch = { source: from, signal, ...(await boundsOf(session.engine, moment, from)) };
  const reducer = reducerOf(checked, session.upcaster);
  const snapshots = snapshotsOf(session);
  const folded = await snapshots.fold(checked, reducer, stretch);
  // Of another moment there is no use for one: the next load is of another moment again.
  if (stretch.before === undefined && stretch.asOf === undefined) snapshots.keep(checked, from, folded);
  return loadedOf(session.engine, folded, stretch);
}

/** A fold, as users see it. */
export async function loadedOf<State>(engine: Engine, folded: Folded<State>, { source, before }: Stretch): Promise<Loaded<State>> {
  const { state, count } = folded;
  const position = folded.asOf;
  if ("query" in source) return { state, exists: 0 < count, revision: undefined, position, expected: "noStream" };
  let { revision } = folded;
  // A stream of which everything is truncated is there all the same, and says only here where it goes on.
  revision ??= await (before === undefined ? revisionOfTruncated(engine, source.stream, position) : revisionOfErased(engine, source.stream, before));
  return { state, exists: revision !== undefined, revision, position, expected: revision ?? "noStream" };
}

/** The last revision before a bound of a stream whose events up to there are erased: there is one as long as it is not deleted. */
async function revisionOfErased(engine: Engine, stream: string, before: number): Promise<number | undefined> {
  const info = await engine.streamInfo(stream);
  if (info?.revision === undefined || info.deleted) return undefined;
  return Math.min(info.revision, before - 1);
}

/** As of a position, the last revision of a stream of which nothing is seen: there is one where it was truncated last, up to it. */
async function revisionOfTruncated(engine: Engine, stream: string, asOf: number): Promise<number | undefined> {
  const query = [{ streams: [stream], types: FACT_TYPES }];
  const request = { ...FORWARDS, direction: "backwards", after: 0, query, limit: 1, asOf } as const;
  for await (const { events } of eventPages(request, undefined, (message) => engine.readAll(message), "after")) {
    const fact = events[0] as RecordedFact | undefined;
    if (fact !== undefined) return fact.type === "$truncated" ? fact.data.before - 1 : undefined;
  }
  return undefined;
}

/** What was hidden since a fold. */
export interface Hidden {
  /** The streams of which something was hidden. */
  readonly streams: ReadonlySet<string>;
  /** The position of the log as of which that is so. */
  readonly asOf: number;
}

/** Which streams were deleted, tombstoned or truncated after a position, until now or as of another one: their folds cannot be carried on, but begin anew. */
export async function hiddenSince(engine: Engine, position: number, asOf?: number): Promise<Hidden> {
  const request = { ...FORWARDS, after: position, query: [{ types: FACT_TYPES }], limit: undefined, asOf };
  const streams = new Set<string>();
  let head = position;
  for await (const page of eventPages(request, undefined, (message) => engine.readAll(message), "after")) {
    for (const { stream } of page.events) streams.add(stream);
    head = page.asOf;
  }
  return { streams, asOf: head };
}

/** What a fold may be carried on from: itself, or nothing where what it has folded may be hidden by now. */
export function stillSeen<State>(folded: Folded<State>, source: Source, hidden: Hidden, reducer: Reducer<State>): Folded<State> {
  const isSeen = "stream" in source ? !hidden.streams.has(source.stream) : hidden.streams.size === 0;
  return isSeen ? folded : reducer.start();
}
