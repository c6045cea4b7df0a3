import { checkAggregate } from "./aggregate.js";
import { abortSignal, callback, option, options as optionBag } from "./arguments.js";
import { reducerOf } from "./evolve.js";
import type { Loaded } from "./load.js";
import { Breath } from "./pause.js";
import type { ProgressListener } from "./progress.js";
import type { Session } from "./session.js";

/** How all instances of an aggregate are loaded. */
export interface LoadAllOptions {
  /** Ends the loading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told about how far it has come: positions of the log. */
  readonly onProgress?: ProgressListener | undefined;
}

/** After so many streams it is looked how long the page was kept busy. */
const STREAMS_PER_LOOK = 1_024;

/** Loads all streams of an aggregate in one pass over the log. */
export async function loadAll<State>(session: Session, aggregate: unknown, options: unknown): Promise<Map<string, Loaded<State>>> {
  const checked = checkAggregate<State>(aggregate, "aggregate");
  const bag = optionBag(options, ["signal", "onProgress"]);
  const signal = option(bag, "signal", abortSignal);
  const onProgress = option(bag, "onProgress", callback<ProgressListener>);
  signal?.throwIfAborted();
  const reducer = reducerOf(checked, session.upcaster);
  const { folds, asOf: position } = await reducer.foldAll(session.engine, { category: checked.category, signal, onProgress });
  const all = new Map<string, Loaded<State>>();
  const breath = new Breath();
  for (const [stream, { state, revision }] of folds) {
    if (all.size % STREAMS_PER_LOOK === 0) await breath.take();
    all.set(stream, { state, exists: true, revision, position, expected: revision ?? "noStream" });
  }
  return all;
}
