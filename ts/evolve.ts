import type { AnyAggregate, EvolveFunction, EvolveMap } from "./aggregate.js";
import { RustEvolve, initialOf } from "./aggregate.js";
import type { Engine } from "./engine.js";
import { isDocument } from "./declarative.js";
import { DocumentReducer } from "./document-reducer.js";
import { EverfoldError, textOfThrown } from "./errors.js";
import { foldStored, pagesAfter, passed } from "./fold-pages.js";
import { frozen } from "./frozen.js";
import type { AnyRecorded } from "./page.js";
import type { ProgressListener } from "./progress.js";
import { ahead } from "./reading.js";
import { isUnawaited } from "./schema.js";
import type { Source } from "./source.js";
import type { Upcaster } from "./upcast.js";
import { upcasterOf } from "./upcast.js";

/** How far a fold has come. A fold may begin with any, of the same reducer: with one that was kept as with one just made. */
export interface Folded<State> {
  readonly state: State;
  /** How many events were met since the fold began, with nothing or with a snapshot; those included that upcasters dropped. */
  readonly count: number;
  /** The revision of the last event; `undefined` where there was none. Facts are no events. */
  readonly revision: number | undefined;
  /** The position of the last event; 0 where there was none. */
  readonly lastPosition: number;
  /** Up to which position the log was looked at. */
  readonly asOf: number;
}

/** How far a source is to be folded. */
export interface Stretch {
  readonly source: Source;
  /** The first revision of a stream that does not count any more; all count where it is left out. */
  readonly before?: number | undefined;
  /** The state of the log that is read; where it is left out, the newest. */
  readonly asOf?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What folds events into states of one aggregate. */
export interface Reducer<State> {
  /** The fold of nothing. */
  start(): Folded<State>;
  /** Folds the next events, of the log as it was at `asOf`, which are as they are stored. */
  fold(engine: Engine, folded: Folded<State>, events: AnyRecorded[], asOf: number): Folded<State> | Promise<Folded<State>>;
  /** Folds what comes after `folded` in the log. */
  foldStretch(engine: Engine, folded: Folded<State>, stretch: Stretch): Promise<Folded<State>>;
  /** Folds each stream. */
  foldAll(engine: Engine, all: AllStreams): Promise<AllFolded<State>>;
}

/** Which streams are folded, each into a state of its own. */
export interface AllStreams {
  /** Those of this category; all where it is left out. */
  readonly category: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Is told how far it has come: positions of the log. */
  readonly onProgress: ProgressListener | undefined;
}

/** The folds of all streams. */
export interface AllFolded<State> {
  readonly folds: Map<string, Folded<State>>;
  /** As of which position of the log they are. */
  readonly asOf: number;
}

/** The reducer of an aggregate, for a store with these upcasters, which count where the aggregate has no events of its own. */
export function reducerOf<State>(aggregate: AnyAggregate<State>, ofStore: Upcaster | undefined): Reducer<State> {
  const upcaster = upcasterOf(aggregate) ?? ofStore;
  const isOfCore = aggregate.evolve instanceof RustEvolve || isDocument(aggregate.evolve);
  return isOfCore ? new DocumentReducer(aggregate, upcaster) : new ScriptReducer(aggregate, upcaster);
}

/** A reducer that is a function of the caller's, or one for each type. */
export class ScriptReducer<State> implements Reducer<State> {
  readonly #aggregate: AnyAggregate<State>;
  readonly #upcaster: Upcaster | undefined;
  readonly #evolve: EvolveFunction<State> | undefined;
  readonly #handlers: ReadonlyMap<string, EvolveFunction<State>>;

  constructor(aggregate: AnyAggregate<State>, upcaster: Upcaster | undefined) {
    const { evolve } = aggregate;
    const byType = typeof evolve === "function" ? {} : (evolve as EvolveMap<State>);
    this.#aggregate = aggregate;
    this.#upcaster = upcaster;
    this.#evolve = typeof evolve === "function" ? (evolve as EvolveFunction<State>) : byType["*"];
    this.#handlers = new Map(Object.entries(byType) as [string, EvolveFunction<State>][]);
  }

  start(): Folded<State> {
    return { state: frozen(initialOf(this.#aggregate)), count: 0, revision: undefined, lastPosition: 0, asOf: 0 };
  }

  fold(_: unknown, folded: Folded<State>, events: AnyRecorded[], asOf: number): Folded<State> {
    let { state } = folded;
    for (const event of this.#upcaster?.current(events, "refused") ?? events) {
      const evolve = this.#handlers.get(event.type) ?? this.#evolve;
      // A fact of the store's own is no event of an aggregate.
      if (evolve === undefined || event.revision === undefined) continue;
      try {
        state = evolve(state, event);
        if (isUnawaited(state)) throw new TypeError("a promise is no state; evolve must be synchronous");
        if (state === undefined && initialOf(this.#aggregate) !== undefined) throw new TypeError(NOTHING);
        frozen(state);
      } catch (error) {
        throw reducerFailed(this.#aggregate.name, event, error);
      }
    }
    return { ...passed(folded, events), state, asOf };
  }

  async foldStretch(engine: Engine, folded: Folded<State>, stretch: Stretch): Promise<Folded<State>> {
    let current = folded;
    for await (const { events, asOf } of ahead(pagesAfter(engine, folded, stretch))) {
      current = this.fold(engine, current, events, asOf);
    }
    return current;
  }

  foldAll(engine: Engine, all: AllStreams): Promise<AllFolded<State>> {
    return foldStored(engine, this, all);
  }
}

/** A state may be nothing where the first one is. Elsewhere a `return` was forgotten, and whoever reads the state next would fail. */
const NOTHING = "it gave nothing; evolve must return the next state";

/** What a fold fails with, where the reducer does. */
export function reducerFailed(aggregate: string, { stream, revision, type }: AnyRecorded, cause: unknown): EverfoldError {
  const message = `evolve of the aggregate ${aggregate} failed at revision ${revision} of "${stream}", ${type}: ${textOfThrown(cause)}`;
  return new EverfoldError(message, { code: "REDUCER_FAILED", aggregate, stream, revision, type, cause });
}
