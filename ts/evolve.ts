import type { AnyAggregate, EvolveFunction, EvolveMap } from "./aggregate.js";
import type { Engine, QueryItemMessage } from "./engine.js";
import { EverfoldError } from "./errors.js";
import type { EventRegistry } from "./events.js";
import type { AnyRecorded } from "./page.js";
import { FORWARDS } from "./query.js";
import type { EventPage } from "./reading.js";
import { ahead, eventPages } from "./reading.js";
import { Upcaster } from "./upcast.js";

/** How far a fold has come. A fold may begin with any, of the same reducer: with one that was kept as with one just made. */
export interface Folded<State> {
  readonly state: State;
  /** How many events were met, those included that upcasters dropped. */
  readonly count: number;
  /** The revision of the last event; `undefined` where there was none. */
  readonly revision: number | undefined;
  /** The position of the last event; 0 where there was none. */
  readonly lastPosition: number;
  /** Up to which position the log was looked at. */
  readonly asOf: number;
}

/** What is to be folded: a stream, or what matches a query. */
export type Source = { readonly stream: string } | { readonly query: readonly QueryItemMessage[] };

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
  fold(folded: Folded<State>, events: AnyRecorded[], asOf: number): Folded<State>;
  /** Folds what comes after `folded` in the log. */
  foldStretch(engine: Engine, folded: Folded<State>, stretch: Stretch): Promise<Folded<State>>;
}

/** The reducer of an aggregate, for a store with these upcasters, which count where the aggregate has no events of its own. */
export function reducerOf<State>(aggregate: AnyAggregate<State>, ofStore: Upcaster | undefined): Reducer<State> {
  return new ScriptReducer(aggregate, upcasterOf(aggregate) ?? ofStore);
}

const upcasters = new WeakMap<EventRegistry, Upcaster>();

/** The upcasters of an aggregate, where it has events of its own. */
export function upcasterOf({ events }: AnyAggregate<unknown>): Upcaster | undefined {
  if (events === undefined) return undefined;
  const known = upcasters.get(events) ?? new Upcaster(events);
  upcasters.set(events, known);
  return known;
}

/** A reducer that is a function of the caller's, or one for each type. */
class ScriptReducer<State> implements Reducer<State> {
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
    return { state: frozen(this.#aggregate.initial()), count: 0, revision: undefined, lastPosition: 0, asOf: 0 };
  }

  fold(folded: Folded<State>, events: AnyRecorded[], asOf: number): Folded<State> {
    const last = events.at(-1);
    if (last === undefined) return { ...folded, asOf };
    let { state } = folded;
    let event: AnyRecorded | undefined;
    const current = this.#upcaster?.current(events, "refused") ?? events;
    try {
      for (event of current) {
        const evolve = this.#handlers.get(event.type) ?? this.#evolve;
        // A fact of the store's own is no event of an aggregate.
        if (evolve === undefined || event.revision === undefined) continue;
        state = frozen(evolve(state, event));
      }
    } catch (error) {
      throw reducerFailed(this.#aggregate.name, event ?? last, error);
    }
    return { state, count: folded.count + events.length, revision: last.revision, lastPosition: last.position, asOf };
  }

  async foldStretch(engine: Engine, folded: Folded<State>, stretch: Stretch): Promise<Folded<State>> {
    let current = folded;
    for await (const { events, asOf } of ahead(pagesAfter(engine, folded, stretch))) {
      current = this.fold(current, events, asOf);
    }
    return current;
  }
}

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

function reducerFailed(name: string, { stream, revision, type }: AnyRecorded, cause: unknown): EverfoldError {
  const message = `evolve of the aggregate ${name} threw at revision ${revision} of "${stream}", ${type}: ${String(cause)}`;
  return new EverfoldError(message, { code: "REDUCER_FAILED", name, stream, revision, type, cause });
}

declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** Whether states are frozen. Bundlers write in its place what `process.env.NODE_ENV` is; where nobody does, nothing says so. */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== "production";
  } catch {
    return false;
  }
}

const FREEZES = isDevelopment();

/** In development, the value with every object and array in it frozen. What is frozen already was met before. */
function frozen<Value>(value: Value): Value {
  if (FREEZES) freeze(value);
  return value;
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  // Of other kinds the contents could change all the same, or could not be frozen at all.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
