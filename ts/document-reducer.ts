import type { AnyAggregate } from "./aggregate.js";
import { RustEvolve, initialOf } from "./aggregate.js";
import { BOUNDLESS } from "./boundless.js";
import type { Engine } from "./engine.js";
import { NONE } from "./engine.js";
import { EverfoldError, isEverfoldError } from "./errors.js";
import type { AllFolded, AllStreams, Folded, Reducer, Stretch } from "./evolve.js";
import type { ExportedReducerMessage, FoldEventMessage, FoldOutcome, FoldedMessage, ReducerMessage } from "./fold-messages.js";
import { FOLD_COLUMNS } from "./fold-messages.js";
import { foldStored, pagesAfter, passed } from "./fold-pages.js";
import { frozen } from "./frozen.js";
import type { AnyRecorded } from "./page.js";
import { Breath } from "./pause.js";
import { jsonText } from "./payload.js";
import { tell } from "./progress.js";
import type { Upcaster } from "./upcast.js";

/** A reducer as it crosses to engines, and its handles there. */
interface Compiled {
  readonly definition: ReducerMessage | ExportedReducerMessage;
  readonly initial: string;
  readonly handles: WeakMap<Engine, Promise<number>>;
}

/** By aggregate, what was made of its document or of its name in Rust; and by upcasters, because they say which events it can be handed as they are. */
const known = new WeakMap<AnyAggregate<unknown>, WeakMap<object, Compiled>>();
/** In place of upcasters, where there are none. */
const NO_UPCASTER = {};

function compiledOf(aggregate: AnyAggregate<unknown>, upcaster: Upcaster | undefined): Compiled {
  const own = known.get(aggregate) ?? new WeakMap<object, Compiled>();
  known.set(aggregate, own);
  let compiled = own.get(upcaster ?? NO_UPCASTER);
  if (compiled === undefined) {
    const initial = jsonText(initialOf(aggregate), "initial", "", BOUNDLESS);
    const versions = upcaster?.versions ?? [];
    const { evolve } = aggregate;
    const definition = evolve instanceof RustEvolve ? { rust: evolve.aggregate, versions } : { evolve: JSON.stringify(evolve), initial, versions };
    compiled = { definition, initial, handles: new WeakMap() };
    own.set(upcaster ?? NO_UPCASTER, compiled);
  }
  return compiled;
}

/**
 * A reducer that the core folds with: a document, or an aggregate in Rust.
 *
 * Events that upcasters change, and those that are newer than this tab, are not for the core: it folds up to the first of
 * them, and goes on behind the page in which it stands; that page is read, made one of today, and handed back.
 */
export class DocumentReducer<State> implements Reducer<State> {
  readonly #name: string;
  readonly #compiled: Compiled;
  readonly #upcaster: Upcaster | undefined;

  constructor(aggregate: AnyAggregate<State>, upcaster: Upcaster | undefined) {
    this.#name = aggregate.name;
    this.#compiled = compiledOf(aggregate, upcaster);
    this.#upcaster = upcaster;
  }

  start(): Folded<State> {
    const state = frozen(JSON.parse(this.#compiled.initial) as State);
    return { state, count: 0, revision: undefined, lastPosition: 0, asOf: 0 };
  }

  async fold(engine: Engine, folded: Folded<State>, events: AnyRecorded[], asOf: number): Promise<Folded<State>> {
    if (events.length === 0) return { ...folded, asOf };
    const current = this.#upcaster?.current(events, "refused") ?? events;
    const message = { reducer: await this.#handle(engine), from: messageOf(folded), events: current.flatMap(eventMessage) };
    const { state } = this.#foldedOf(await this.#named(engine.foldEvents(message)));
    return { state, ...passed(folded, events), asOf };
  }

  async foldStretch(engine: Engine, folded: Folded<State>, stretch: Stretch): Promise<Folded<State>> {
    const { source, before, signal } = stretch;
    const isWanted = () => signal?.aborted !== true;
    const reducer = await this.#handle(engine);
    let current = folded;
    let { asOf } = stretch;
    for (;;) {
      signal?.throwIfAborted();
      const message = { reducer, asOf, from: messageOf(current), before, ...source };
      const outcome = await this.#named(engine.fold(message, isWanted), signal);
      const next = this.#foldedOf(outcome);
      if (!outcome.isCutShort) return next;
      ({ asOf } = outcome);
      // The log was looked at up to the last event that was folded.
      current = { ...next, asOf: Math.max(current.asOf, next.lastPosition) };
      let isLast = true;
      for await (const page of pagesAfter(engine, current, { ...stretch, asOf })) {
        current = await this.fold(engine, current, page.events, "stream" in source ? asOf : (page.next ?? asOf));
        isLast = page.next === undefined;
        if (0 < page.events.length) break;
      }
      if (isLast) return current;
    }
  }

  async foldAll(engine: Engine, all: AllStreams): Promise<AllFolded<State>> {
    const { category, signal, onProgress } = all;
    const reducer = await this.#handle(engine);
    const progress = (done: number, total: number) => {
      tell(onProgress, { done, total, phase: "loadAll" });
      return signal?.aborted !== true;
    };
    const outcome = await this.#named(engine.fold({ reducer, category, asOf: undefined }, progress), signal);
    if (outcome.isCutShort) return foldStored(engine, this, all);
    const { names, nameLengths, numbers, asOf } = outcome;
    const folds = new Map<string, Folded<State>>();
    const breath = new Breath();
    let nameEnd = 0;
    for (const text of outcome.states) {
      for (const state of JSON.parse(text) as State[]) {
        const index = folds.size;
        const stream = names.slice(nameEnd, (nameEnd += nameLengths[index] as number));
        folds.set(stream, foldedAt(frozen(state), numbers, index, asOf));
      }
      // There may be as many as there are streams.
      await breath.take();
    }
    return { folds, asOf };
  }

  #handle(engine: Engine): Promise<number> {
    const { definition, handles } = this.#compiled;
    let handle = handles.get(engine);
    if (handle === undefined) {
      handle = engine.defineReducer(definition);
      handles.set(engine, handle);
    }
    return handle;
  }

  #foldedOf({ states, numbers, asOf }: FoldOutcome): Folded<State> {
    const [state] = JSON.parse(states[0] as string) as State[];
    return foldedAt(frozen(state as State), numbers, 0, asOf);
  }

  /** An outcome, or an error that names the aggregate, or the reason of who ended it. */
  async #named(outcome: Promise<FoldOutcome>, signal?: AbortSignal): Promise<FoldOutcome> {
    try {
      return await outcome;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isEverfoldError(error, "REDUCER_FAILED")) throw error;
      const { stream, revision, type, cause } = error;
      const aggregate = this.#name;
      const message = `evolve of the aggregate ${aggregate} failed at revision ${revision} of "${stream}", ${type}: ${String(cause)}`;
      throw new EverfoldError(message, { code: "REDUCER_FAILED", aggregate, stream, revision, type, cause });
    }
  }
}

function foldedAt<State>(state: State, numbers: Float64Array, index: number, asOf: number): Folded<State> {
  const [count, revision, lastPosition] = numbers.subarray(index * FOLD_COLUMNS) as unknown as [number, number, number];
  return { state, count, revision: revision === NONE ? undefined : revision, lastPosition, asOf };
}

function messageOf({ state, count, revision, lastPosition, asOf }: Folded<unknown>): FoldedMessage {
  // Before the first event the core has the state itself.
  return { state: lastPosition === 0 ? undefined : JSON.stringify(state), count, revision, lastPosition, asOf };
}

/** An event as the core takes it; of a fact there is none. */
function eventMessage({ type, stream, data, metadata, revision, position, time }: AnyRecorded): FoldEventMessage[] {
  if (revision === undefined) return [];
  const texts = { data: data === undefined ? undefined : JSON.stringify(data), metadata: JSON.stringify(metadata) };
  return [{ type, stream, ...texts, revision, position, time }];
}
