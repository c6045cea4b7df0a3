import { checkAggregate } from "./aggregate.js";
import { abortSignal, callback, option, options as optionBag } from "./arguments.js";
import type { Folded } from "./evolve.js";
import { pagesAfter, reducerOf } from "./evolve.js";
import type { Loaded } from "./load.js";
import type { AnyRecorded } from "./page.js";
import type { ProgressListener } from "./progress.js";
import { tell } from "./progress.js";
import { ahead } from "./reading.js";
import type { Session } from "./session.js";

/** How all instances of an aggregate are loaded. */
export interface LoadAllOptions {
  /** Ends the loading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far it has come: positions of the log. */
  readonly onProgress?: ProgressListener | undefined;
}

/** Loads all streams of an aggregate in one pass over the log. */
export async function loadAll<State>(session: Session, aggregate: unknown, options: unknown): Promise<Map<string, Loaded<State>>> {
  const checked = checkAggregate<State>(aggregate, "aggregate");
  const bag = optionBag(options, ["signal", "onProgress"]);
  const signal = option(bag, "signal", abortSignal);
  const onProgress = option(bag, "onProgress", callback<ProgressListener>);
  const { category } = checked;
  const reducer = reducerOf(checked, session.upcaster);
  const start = reducer.start();
  const source = { query: [category === undefined ? {} : { categories: [category] }] };
  const folds = new Map<string, Folded<State>>();
  let position = 0;
  for await (const { events, next, asOf } of ahead(pagesAfter(session.engine, start, { source, signal }))) {
    for (const [stream, own] of byStream(events)) {
      // Each has an initial state of its own: in production nothing keeps one from being changed in place.
      folds.set(stream, reducer.fold(folds.get(stream) ?? reducer.start(), own, asOf));
    }
    position = asOf;
    tell(onProgress, { done: next ?? asOf, total: asOf, phase: "loadAll" });
  }
  const all = new Map<string, Loaded<State>>();
  for (const [stream, { state, revision }] of folds) {
    all.set(stream, { state, exists: true, revision, position, expected: revision ?? "noStream" });
  }
  return all;
}

/** The events of each stream, in their order. */
function byStream(events: readonly AnyRecorded[]): Map<string, AnyRecorded[]> {
  const streams = new Map<string, AnyRecorded[]>();
  for (const event of events) {
    const own = streams.get(event.stream);
    if (own === undefined) streams.set(event.stream, [event]);
    else own.push(event);
  }
  return streams;
}
