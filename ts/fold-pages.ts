// Folding page by page: what those share whose reducers are not in the core, or not for all events.
import type { Engine } from "./engine.js";
import type { AllFolded, AllStreams, Folded, Reducer, Stretch } from "./evolve.js";
import type { AnyRecorded } from "./page.js";
import { tell } from "./progress.js";
import { FORWARDS } from "./query.js";
import type { EventPage } from "./reading.js";
import { ahead, eventPages, storedPages } from "./reading.js";

/** The pages of what comes after a fold in the log, as they are stored. */
export function pagesAfter(engine: Engine, { revision, asOf: after }: Folded<unknown>, stretch: Stretch): AsyncGenerator<EventPage, void, undefined> {
  const { source, before, asOf, signal } = stretch;
  if ("stream" in source) {
    const from = revision === undefined ? 0 : revision + 1;
    const request = { stream: source.stream, from, before, direction: "forwards", limit: undefined, asOf } as const;
    return eventPages(request, signal, (message) => engine.readStream(message), "from");
  }
  const request = { ...FORWARDS, query: source.query, after, limit: undefined, asOf };
  return eventPages(request, signal, (message) => engine.readAll(message), "after");
}

/** How far a fold has come that has met these as well, as they are stored. */
export function passed(folded: Folded<unknown>, events: readonly AnyRecorded[]): Pick<Folded<unknown>, "count" | "revision" | "lastPosition"> {
  let { count, revision, lastPosition } = folded;
  for (const event of events) {
    // A fact of the store's own is no event of an aggregate, and counts for nothing.
    if (event.revision === undefined) continue;
    count += 1;
    ({ revision, position: lastPosition } = event);
  }
  return { count, revision, lastPosition };
}

/** Folds each stream by pages, in the order in which the log is stored. */
export async function foldStored<State>(engine: Engine, reducer: Reducer<State>, { category, signal, onProgress }: AllStreams): Promise<AllFolded<State>> {
  const folds = new Map<string, Folded<State>>();
  let position = 0;
  for await (const { events, next, asOf } of ahead(storedPages(engine, category, signal))) {
    for (const run of runsOf(events)) {
      const { stream } = run[0] as AnyRecorded;
      // Each has an initial state of its own: in production nothing keeps one from being changed in place.
      const folded = folds.get(stream) ?? reducer.start();
      // Where the log was compacted meanwhile, what was folded comes by again.
      const own = (run[0] as AnyRecorded).position <= folded.lastPosition ? run.filter((event) => folded.lastPosition < event.position) : run;
      const following = reducer.fold(engine, folded, own, asOf);
      folds.set(stream, following instanceof Promise ? await following : following);
    }
    position = asOf;
    tell(onProgress, { done: next ?? asOf, total: asOf, phase: "loadAll" });
  }
  return { folds, asOf: position };
}

/** The events that follow on one another and are of one stream. */
function* runsOf(events: AnyRecorded[]): Generator<AnyRecorded[], void, undefined> {
  let start = 0;
  for (let end = 1; end <= events.length; end += 1) {
    if (events[end]?.stream === events[start]?.stream) continue;
    yield events.slice(start, end);
    start = end;
  }
}
