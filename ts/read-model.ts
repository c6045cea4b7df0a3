import { onAbort } from "./abort.js";
import { abortSignal, callback, list, name, oneOf, option, options as optionBag, unfit, whole } from "./arguments.js";
import type { DocumentIndex } from "./document-index.js";
import { isKey } from "./document-index.js";
import { keysOf } from "./document-keys.js";
import type { Engine } from "./engine.js";
import { closed, invalidArgument } from "./errors.js";
import type { Live } from "./live.js";
import { LiveDocuments } from "./live-documents.js";
import type { ProgressListener } from "./progress.js";
import { tell } from "./progress.js";
import type { Indexing } from "./projection.js";
import type { FindMessage, IndexValueMessage } from "./projection-messages.js";
import type { ChangeListener, Projector } from "./projector.js";
import { isNothingBetween, replaced } from "./projector.js";
import type { Direction } from "./reading.js";

/** A value that documents are found by: booleans come before numbers, numbers before texts, and texts are in the order of code points. */
export type IndexKey = boolean | number | string;

/** Which documents are wanted. */
export type DocumentRange<Index extends string = string> =
  | {
      readonly index?: undefined;
      readonly equals?: undefined;
      /** The first key of a document that is of interest. */
      readonly from?: string | undefined;
      /** The first key of no interest. */
      readonly before?: string | undefined;
    }
  | {
      /** By which index. By the keys of the documents where it is left out. */
      readonly index: Index;
      /** The first values of the index, or all of them. */
      readonly equals?: readonly IndexKey[] | undefined;
      /** The first of interest among what follows these, a value or several. */
      readonly from?: IndexKey | readonly IndexKey[] | undefined;
      /** The first of no interest. */
      readonly before?: IndexKey | readonly IndexKey[] | undefined;
    };

/** What `find` is asked. */
export type FindOptions<Index extends string = string> = DocumentRange<Index> & {
  /** `"forwards"`, by ascending values, where it is left out. */
  readonly direction?: Direction | undefined;
  /** Most documents wanted: 100 where it is left out, 10,000 at most. */
  readonly limit?: number | undefined;
  /** Where to go on: the `cursor` of the page before, of the same question. */
  readonly cursor?: string | undefined;
};

/** A document, with its key. */
export interface Row<Doc> {
  readonly key: string;
  readonly doc: Doc;
}

/** Documents that were found, all of one moment. */
export interface Rows<Doc> {
  readonly rows: Row<Doc>[];
  /** Where to go on; nothing where there are no more. */
  readonly cursor: string | undefined;
}

const FIND_LIMIT = 100;
/** How often it is looked whether another tab has come further. */
const LOOK_MS = 50;
const CURSOR = /^(?:[0-9a-f]{2})+$/;

/**
 * The documents of a projection. They follow the log by themselves; {@link ReadModel.waitFor} says when they have come as far as one
 * needs. In whichever tab they are asked for, they are the same.
 *
 * Where the definition changed, the documents of the old one answer until those of the new one are ready.
 */
export class ReadModel<Doc, Indexes extends Indexing = Record<never, never>> {
  readonly #engine: Engine;
  readonly #projector: Projector;
  readonly #indexes: readonly DocumentIndex[];
  readonly #live: LiveDocuments;

  /** @internal Made by the store alone. */
  constructor(engine: Engine, projector: Projector, indexes: readonly DocumentIndex[], listening: Set<() => void>) {
    this.#engine = engine;
    this.#projector = projector;
    this.#indexes = indexes;
    this.#live = new LiveDocuments(engine, projector, listening);
  }

  /** Up to where the log is in the documents, as far as this tab knows. What comes after it and is of no interest does not count. */
  get position(): number {
    return this.#projector.position;
  }

  /** Why the documents do not follow the log any more: `PROJECTION_FAILED`, for one. `rebuild` begins anew. */
  get failure(): unknown {
    return this.#projector.failure;
  }

  /** The document under a key; nothing where there is none. */
  async get(key: string): Promise<Doc | undefined> {
    const text = await this.#engine.documents(this.#name, undefined, [name(key, "key")]);
    const documents = text === undefined ? [] : (JSON.parse(text) as (Doc | null)[]);
    return documents[0] ?? undefined;
  }

  /**
   * Finds documents by an index, or by their keys, a page at a time. Where the documents that answer are of an older definition and
   * do not have the index, it waits for the new ones. Of an index with `each` a document is a row for each item that is wanted.
   *
   * Errors: `INVALID_ARGUMENT`, also for an index that the documents of a newer definition do not have; {@link ReadModel.failure}.
   *
   * @example
   * const { rows, cursor } = await orders.find({ index: "byStatus", equals: ["open"], from: 100, limit: 20 });
   */
  async find(options?: FindOptions<keyof Indexes & string>): Promise<Rows<Doc>> {
    return this.#find(this.#findMessage(options));
  }

  /**
   * Follows a document, or the rows that {@link ReadModel.find} gives: what they are now, and then with each change, in whichever tab it was made. They are
   * read again only where they may have changed, documents that did together; a row that did not is the same object as before. Nothing
   * is folded for it: a document is `undefined` as long as it is not in what is kept.
   *
   * With a failure of the projection, and with the store closed, it is an error; so is what makes a read fail, until it succeeds.
   *
   * @example
   * const open = orders.live({ index: "byStatus", equals: ["open"], limit: 20 });
   * const stop = open.subscribe(() => console.log(open.get()));
   */
  live(key: string): Live<Doc | undefined>;
  live(options?: FindOptions<keyof Indexes & string>): Live<Rows<Doc>>;
  live(of?: string | FindOptions<keyof Indexes & string>): Live<Doc | undefined> | Live<Rows<Doc>> {
    if (typeof of === "string") return this.#live.document<Doc>(name(of, "key"));
    const message = this.#findMessage(of);
    const index = this.#indexes.find(({ text }) => text === message.index);
    return this.#live.rows<Rows<Doc>>({ key: JSON.stringify(message), index, equals: message.equals, find: () => this.#find(message) });
  }

  #findMessage(options: unknown): FindMessage {
    const bag = optionBag(options, ["index", "equals", "from", "before", "direction", "limit", "cursor"]);
    return this.#rangeOf(bag, option(bag, "limit", whole) ?? FIND_LIMIT);
  }

  async #find(message: FindMessage): Promise<Rows<Doc>> {
    if (message.limit === 0) return { rows: [], cursor: undefined };
    const { documents, keys, keyLengths, next } = await this.#answered(() => this.#engine.findDocuments(message));
    const found = JSON.parse(documents) as Doc[];
    const rows = keysOf(keys, keyLengths).map((key, place) => ({ key, doc: found[place] as Doc }));
    return { rows, cursor: next && Array.from(next, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }

  /** Counts documents, or the rows that `find` would give of a range. */
  async count(options?: DocumentRange<keyof Indexes & string>): Promise<number> {
    const message = this.#rangeOf(optionBag(options, ["index", "equals", "from", "before"]), 0);
    return this.#answered(() => this.#engine.countDocuments(message));
  }

  /**
   * Waits until all is in the documents that stands in the log up to a position, so that what was just appended is found.
   *
   * Errors: {@link ReadModel.failure} where the projection has stopped before it; `CLOSED`.
   *
   * @example
   * const { lastPosition } = await store.append("order-1", event);
   * await orders.waitFor(lastPosition);
   */
  async waitFor(position: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const wanted = whole(position, "position");
    const signal = option(optionBag(options, ["signal"]), "signal", abortSignal);
    await this.#until(signal, async () => this.#has(wanted));
  }

  /**
   * Hears which documents changed, in whichever tab, after they did: their keys, or `undefined` where these are too many or not known.
   * What the listener throws is reported by the platform. Gives a function that ends it.
   */
  subscribe(listener: (changedKeys: readonly string[] | undefined) => void): () => void {
    const checked = callback<ChangeListener>(listener, "listener");
    // That something failed changes no document.
    return this.#projector.listen((keys) => keys?.length !== 0 && checked(keys));
  }

  /**
   * Makes the documents anew from the whole log. Those that are there answer until the new ones are ready, which is when it
   * resolves. What was deleted, truncated or changed outside of the log is then no longer in them.
   *
   * A signal ends the waiting, not the work. Errors: as {@link ReadModel.waitFor}; `INVALID_ARGUMENT` where the documents are those of a
   * newer definition.
   */
  async rebuild(options?: { readonly onProgress?: ProgressListener | undefined; readonly signal?: AbortSignal | undefined }): Promise<void> {
    const bag = optionBag(options, ["onProgress", "signal"]);
    const signal = option(bag, "signal", abortSignal);
    const onProgress = option(bag, "onProgress", callback<ProgressListener>);
    signal?.throwIfAborted();
    await this.#projector.rebuild();
    await this.#until(signal, async () => {
      const { own, isAnswering } = await this.#projector.look();
      tell(onProgress, { done: own ?? 0, total: this.#engine.position, phase: "project" });
      return isAnswering;
    });
  }

  get #name(): string {
    return this.#projector.context.message.name;
  }

  async #has(position: number): Promise<boolean> {
    if (position <= this.#projector.position) return true;
    const { answering } = await this.#projector.look();
    if (answering === undefined) return false;
    return position <= answering || isNothingBetween(this.#engine, this.#projector.context.query, answering, position);
  }

  /** What the documents answer, as soon as they are of this definition if those that are there cannot; an error where they never will be. */
  async #answered<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer> {
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await this.#until(undefined, async () => {
        const { own, isAnswering } = await this.#projector.look();
        if (own === undefined) throw replaced("options.index");
        return isAnswering;
      });
    }
  }

  /** Waits until something is so, which is looked after when documents change, and now and then. */
  async #until(signal: AbortSignal | undefined, isSo: () => Promise<boolean>): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      if (await isSo()) return;
      if (this.#projector.failure !== undefined) throw this.#projector.failure;
      if (this.#projector.isStopped) throw closed();
      await this.#change(signal);
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        stop();
        forget();
        resolve();
      };
      const timer = setTimeout(go, LOOK_MS);
      const stop = this.#projector.listen(go);
      const forget = onAbort(signal, go);
    });
  }

  #rangeOf(bag: Record<string, unknown>, limit: number): FindMessage {
    const index = option(bag, "index", (value, path) => oneOf(value, this.#indexes.map((of) => of.name), path));
    const of = this.#indexes.find((it) => it.name === index);
    if (of === undefined && bag.equals !== undefined) throw invalidArgument("options.equals", "is of an index; name one with `index`");
    const equals = option(bag, "equals", keyList);
    const [from, before] = [option(bag, "from", boundOf), option(bag, "before", boundOf)];
    for (const [key, bound] of Object.entries({ equals, from, before })) {
      const left = of === undefined ? 1 : of.valueCount - (bound === equals ? 0 : (equals?.length ?? 0));
      if (bound !== undefined && left < bound.length) throw invalidArgument(`options.${key}`, `has ${bound.length} values; at most ${left} can follow`);
      if (of === undefined && bound !== undefined) name(bound[0], `options.${key}`);
    }
    return {
      name: this.#name,
      index: of?.text,
      direction: option(bag, "direction", (value, path) => oneOf(value, ["forwards", "backwards"] as const, path)) ?? "forwards",
      limit,
      equals,
      from,
      before,
      after: option(bag, "cursor", cursorBytes),
    };
  }
}

/** A bound: of no values there is none. */
function boundOf(value: unknown, path: string): readonly IndexValueMessage[] | undefined {
  const values = keyList(value, path);
  return values.length === 0 ? undefined : values;
}

/** A value that documents are found by, or several. */
function keyList(value: unknown, path: string): readonly IndexValueMessage[] {
  const values = Array.isArray(value) ? list(value, path) : [value];
  return values.map((item, place) => {
    if (isKey(item)) return item;
    throw unfit(item, Array.isArray(value) ? `${path}[${place}]` : path, "a boolean, a number, or a text of at most 1,024 characters");
  });
}

function cursorBytes(value: unknown, path: string): Uint8Array {
  if (typeof value !== "string" || !CURSOR.test(value)) throw unfit(value, path, "the cursor of a page");
  return Uint8Array.from(value.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
