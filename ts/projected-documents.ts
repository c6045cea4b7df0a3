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
import type { FindOptions, DocumentRange, Rows } from "./read-model.js";
import { ReadModel } from "./read-model.js";
import { sha1 } from "./sha1.js";

const FIND_LIMIT = 100;
/** How often it is looked whether another tab has come further. */
const LOOK_MS = 50;
/** A cursor is hexadecimal: two bytes that tell the index apart, and the entry behind which to go on. */
const CURSOR = /^(?:[0-9a-f]{2}){3,}$/;
const MARK_BYTES = 2;

const encoder = new TextEncoder();

/** The documents of a projection as a store has them. */
export class ProjectedDocuments<Doc, Indexes extends Indexing = Record<never, never>> extends ReadModel<Doc, Indexes> {
  readonly #engine: Engine;
  readonly #projector: Projector;
  readonly #indexes: readonly DocumentIndex[];
  readonly #live: LiveDocuments;

  constructor(engine: Engine, projector: Projector, indexes: readonly DocumentIndex[], listening: Set<() => void>) {
    super();
    this.#engine = engine;
    this.#projector = projector;
    this.#indexes = indexes;
    this.#live = new LiveDocuments((keys) => this.#documents(keys), projector, listening);
  }

  override get position(): number {
    return this.#projector.position;
  }

  override get failure(): unknown {
    return this.#projector.failure ?? this.#projector.refusal;
  }

  override async get(key: string): Promise<Doc | undefined> {
    const documents = JSON.parse(await this.#documents([name(key, "key")])) as readonly (Doc | null)[];
    return documents[0] ?? undefined;
  }

  override async find(options?: FindOptions<keyof Indexes & string>): Promise<Rows<Doc>> {
    return this.#find(this.#findMessage(options));
  }

  override live(key: string): Live<Doc | undefined>;
  override live(options?: FindOptions<keyof Indexes & string>): Live<Rows<Doc>>;
  override live(of?: string | FindOptions<keyof Indexes & string>): Live<Doc | undefined> | Live<Rows<Doc>> {
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
    return { rows, cursor: next && Array.from([...markOf(message.index), ...next], (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }

  override async count(options?: DocumentRange<keyof Indexes & string>): Promise<number> {
    const message = this.#rangeOf(optionBag(options, ["index", "equals", "from", "before"]), 0);
    return this.#answered(() => this.#engine.countDocuments(message));
  }

  override async waitFor(position: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const wanted = whole(position, "position");
    const signal = option(optionBag(options, ["signal"]), "signal", abortSignal);
    await this.#until(signal, async () => this.#has(wanted));
  }

  override subscribe(listener: (changedKeys: readonly string[] | undefined) => void): () => void {
    const checked = callback<ChangeListener>(listener, "listener");
    // That something failed changes no document.
    return this.#projector.listen((keys) => keys?.length !== 0 && checked(keys));
  }

  override async rebuild(options?: { readonly onProgress?: ProgressListener | undefined; readonly signal?: AbortSignal | undefined }): Promise<void> {
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

  #documents(keys: readonly string[]): Promise<string> {
    return this.#answered(() => this.#engine.documents(this.#name, undefined, keys));
  }

  /**
   * What the documents answer, as soon as they are of this definition if those that are there cannot, or are damaged; an error where they
   * never will be.
   */
  async #answered<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer> {
    for (let count = 0; ; count += 1) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      // They may be damaged, and others be coming.
      if (0 < count) await this.#change(undefined);
      await this.#until(undefined, async () => {
        const { own, isAnswering } = await this.#projector.look();
        if (own === undefined) throw replaced("options.index");
        return isAnswering;
      });
    }
  }

  /** Waits until something is so, which is looked after when documents change, and now and then. */
  async #until(signal: AbortSignal | undefined, isSo: () => Promise<boolean>): Promise<void> {
    // There may be room by now: it counts only what is refused from now on.
    const { refusal: earlier } = this.#projector;
    this.#projector.hurry();
    for (;;) {
      signal?.throwIfAborted();
      if (await isSo()) return;
      const { failure, refusal } = this.#projector;
      if (failure !== undefined) throw failure;
      if (refusal !== undefined && refusal !== earlier) throw refusal;
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
      after: option(bag, "cursor", (value, path) => entryBytes(value, path, of?.text)),
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

/** The entry that a cursor stands for: in another index it would stand for another place, or none. */
function entryBytes(value: unknown, path: string, index: string | undefined): Uint8Array {
  if (typeof value !== "string" || !CURSOR.test(value)) throw unfit(value, path, "the cursor of a page");
  const bytes = Uint8Array.from(value.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  if (markOf(index).some((byte, place) => byte !== bytes[place])) throw invalidArgument(path, "is of a page by another index; begin anew where the question changes");
  return bytes.subarray(MARK_BYTES);
}

/** What tells an index apart in a cursor; without one, the keys of the documents. */
function markOf(index: string | undefined): Uint8Array {
  return sha1(encoder.encode(index ?? "")).subarray(0, MARK_BYTES);
}
