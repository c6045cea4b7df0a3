import { checkAggregate } from "./aggregate.js";
import { abortSignal, flag, name, option, options as optionBag, whole } from "./arguments.js";
import type { AnyEvents, EventRegistry, RecordedEvent } from "./events.js";
import { reducerOf } from "./evolve.js";
import { pagesAfter } from "./fold-pages.js";
import type { JsonPatch } from "./json-patch.js";
import type { Session } from "./session.js";
import { upcasterOf } from "./upcast.js";

/** Which part of a history is wanted, and whether with patches. */
export interface HistoryOptions {
  /** The first revision of interest. 0 where it is left out. */
  readonly from?: number | undefined;
  /** The first revision of no interest. The end, as it is when reading begins, where it is left out. */
  readonly before?: number | undefined;
  /** Whether each step says what changed. What works that out is loaded by the first that asks for it. */
  readonly diff?: boolean | undefined;
  /** Ends the reading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One event of a stream, and what it made of the state. */
export interface HistoryStep<State, Registry extends EventRegistry = AnyEvents> {
  readonly event: RecordedEvent<Registry>;
  /** The state after it. */
  readonly state: State;
  /** Its revision. */
  readonly revision: number;
  /**
   * What changed in the state: a JSON Patch (RFC 6902). `undefined` where `diff` was not asked for. The state is to be as JSON has it:
   * changes within a Map, a Set or a Date are not seen.
   */
  readonly patch: JsonPatch | undefined;
}

/** Folds a stream event by event, and gives the steps from a revision on. */
export async function* historyPages<State>(
  session: Session,
  aggregate: unknown,
  stream: unknown,
  options: unknown,
): AsyncGenerator<HistoryStep<State>[], void, undefined> {
  const bag = optionBag(options, ["from", "before", "diff", "signal"]);
  const checked = checkAggregate<State>(aggregate, "aggregate");
  const source = { stream: name(stream, "stream") };
  const from = option(bag, "from", whole) ?? 0;
  const before = option(bag, "before", whole);
  const signal = option(bag, "signal", abortSignal);
  const wantsPatch = option(bag, "diff", flag) ?? false;
  const patchOf = wantsPatch ? (await import("./json-patch.js")).patchOf : undefined;
  const reducer = reducerOf(checked, session.upcaster);
  const upcaster = upcasterOf(checked) ?? session.upcaster;
  let folded = reducer.start();
  for await (const { events, asOf } of pagesAfter(session.engine, folded, { source, before, signal })) {
    const steps: HistoryStep<State>[] = [];
    for (const stored of events) {
      const earlier = folded.state;
      // An upcaster that changes what it is given would change it twice.
      const own = upcaster === undefined ? stored : structuredClone(stored);
      folded = await reducer.fold(session.engine, folded, [stored], asOf);
      const [event] = upcaster?.current([own], "asStored") ?? [own];
      if (event?.revision === undefined || event.revision < from) continue;
      steps.push({ event, state: folded.state, revision: event.revision, patch: patchOf?.(earlier, folded.state) });
    }
    if (0 < steps.length) yield steps;
  }
}
