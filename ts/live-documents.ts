// Documents of a projection that follow the log: read again where they changed, and not before.
import { BackOff, mayPass } from "./back-off.js";
import type { DocumentIndex } from "./document-index.js";
import { closed } from "./errors.js";
import type { Following, Live, LiveState } from "./live.js";
import { LiveValues } from "./live.js";
import type { IndexValueMessage } from "./projection-messages.js";
import type { Projector } from "./projector.js";

/** Rows that are followed: what finds them, and whether they may be others with a document. */
export interface LiveQuery<Doc> {
  readonly key: string;
  readonly index: DocumentIndex | undefined;
  readonly equals: readonly IndexValueMessage[] | undefined;
  find(): Promise<FoundRows<Doc>>;
}

/** As `find` gives them. */
interface FoundRows<Doc> {
  readonly rows: readonly { readonly key: string; readonly doc: Doc }[];
  readonly cursor: string | undefined;
}

/** Reads documents by their keys: the JSON text of an array, `null` where there is none. */
type ReadDocuments = (keys: readonly string[]) => Promise<string>;

/** Somebody who follows: hears of a failure as of a value. */
type Tell<Value> = (state: LiveState<Value>) => void;

/** The live documents and rows of one read model. */
export class LiveDocuments {
  readonly #read: ReadDocuments;
  readonly #projector: Projector;
  readonly #values = new LiveValues();
  readonly #documents = new Map<string, LiveDocument>();
  readonly #queries = new Set<LiveRows<unknown>>();
  readonly #backOff = new BackOff();
  /** What changed and was not looked at yet. */
  #changed: Set<string> | "everything" = new Set();
  /** The keys of documents that were not read yet. */
  #asked = new Set<string>();
  #isRunning = false;
  #isClosed = false;
  #stopListening: (() => void) | undefined;

  constructor(read: ReadDocuments, projector: Projector, listening: Set<() => void>) {
    this.#read = read;
    this.#projector = projector;
    listening.add(() => this.#close());
  }

  /** The document under a key. */
  document<Doc>(key: string): Live<Doc | undefined> {
    return this.#values.of<Doc | undefined>(`document ${key}`, (tell) =>
      this.#follow(tell, () => {
        this.#documents.set(key, new LiveDocument(tell as Tell<unknown>));
        this.#asked.add(key);
        this.#change([]);
        return () => this.#documents.delete(key);
      }),
    );
  }

  /** Rows, in their order. */
  rows<Rows extends FoundRows<unknown>>(query: LiveQuery<unknown>): Live<Rows> {
    return this.#values.of<Rows>(`rows ${query.key}`, (tell) =>
      this.#follow(tell, () => {
        const find = async () => {
          const found = await query.find();
          // They would be found all the same, and follow nothing.
          if (this.#projector.failure !== undefined) throw this.#projector.failure;
          return found;
        };
        const rows = new LiveRows({ ...query, find }, tell as Tell<unknown>);
        this.#queries.add(rows);
        rows.refresh();
        return () => {
          this.#queries.delete(rows);
          rows.end();
        };
      }),
    );
  }

  #follow<Value>(tell: Tell<Value>, join: () => () => void): ReturnType<Following<Value>> {
    const { failure } = this.#projector;
    if (this.#isClosed || failure !== undefined) tell({ status: "error", error: this.#isClosed ? closed() : failure });
    if (this.#isClosed) return () => {};
    this.#stopListening ??= this.#projector.listen((keys) => this.#hear(keys));
    const leave = join();
    return () => {
      leave();
      if (0 < this.#documents.size + this.#queries.size) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  #hear(keys: readonly string[] | undefined): void {
    const { failure, isStopped } = this.#projector;
    if (isStopped) this.#close();
    else if (failure !== undefined) this.#fail(failure);
    else this.#change(keys);
  }

  #change(keys: readonly string[] | undefined): void {
    if (this.#projector.failure !== undefined) return;
    if (keys === undefined || this.#changed === "everything") this.#changed = "everything";
    else for (const key of keys) this.#changed.add(key);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    // What changes in one task is looked at together.
    await undefined;
    while (!this.#isClosed && (this.#changed === "everything" || 0 < this.#changed.size + this.#asked.size)) {
      const [changed, asked] = [this.#changed, this.#asked];
      [this.#changed, this.#asked] = [new Set(), new Set()];
      try {
        await this.#look(changed, asked);
        this.#backOff.reset();
      } catch (error) {
        this.#fail(error);
        if (!mayPass(error)) continue;
        this.#changed = "everything";
        await this.#backOff.pause();
      }
    }
    this.#isRunning = false;
  }

  /** Reads what changed, as far as anybody follows it, at once. */
  async #look(changed: ReadonlySet<string> | "everything", asked: ReadonlySet<string>): Promise<void> {
    const isEverything = changed === "everything";
    const isChanged = (key: string) => isEverything || changed.has(key);
    const concerns = (key: string) => this.#documents.has(key) || (0 < this.#queries.size && isChanged(key));
    const wanted = isEverything ? [...this.#documents.keys()] : [...new Set([...changed, ...asked])].filter(concerns);
    const found = wanted.length === 0 ? [] : (JSON.parse(await this.#read(wanted)) as unknown[]);
    if (this.#isClosed || this.#projector.failure !== undefined) return;
    const documents = wanted.map((key, place) => ({ key, document: found[place] ?? undefined }));
    for (const { key, document } of documents) this.#documents.get(key)?.set(document);
    for (const rows of [...this.#queries]) {
      if (isEverything || documents.some(({ key, document }) => isChanged(key) && rows.mayConcern(key, document))) rows.refresh();
    }
  }

  #fail(error: unknown): void {
    for (const follower of [...this.#documents.values(), ...this.#queries]) follower.fail(error);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#backOff.end();
    this.#fail(closed());
    for (const rows of this.#queries) rows.end();
  }
}

/** A document that is followed. */
class LiveDocument {
  readonly #tell: Tell<unknown>;
  /** As it was told last. */
  #text: string | undefined;
  #isTold = false;

  constructor(tell: Tell<unknown>) {
    this.#tell = tell;
  }

  set(document: unknown): void {
    const text = JSON.stringify(document);
    if (this.#isTold && text === this.#text) return;
    this.#text = text;
    this.#isTold = true;
    this.#tell({ status: "ready", value: document });
  }

  fail(error: unknown): void {
    this.#isTold = false;
    this.#tell({ status: "error", error });
  }
}

/** Rows that are followed. */
class LiveRows<Doc> {
  readonly #query: LiveQuery<Doc>;
  readonly #tell: Tell<FoundRows<Doc>>;
  readonly #backOff = new BackOff();
  #found: FoundRows<Doc> | undefined;
  #isFinding = false;
  #isPast = false;
  #isOver = false;

  constructor(query: LiveQuery<Doc>, tell: Tell<FoundRows<Doc>>) {
    this.#query = query;
    this.#tell = tell;
  }

  /** Whether it may be other rows because a document is now what it is. */
  mayConcern(key: string, document: unknown): boolean {
    const { index, equals = [] } = this.#query;
    const found = this.#found;
    // What stood behind the rows is not known, nor whether anything stands there now; nor what is being found.
    if (this.#isFinding || found === undefined || found.cursor !== undefined || index === undefined) return true;
    if (found.rows.some((row) => row.key === key)) return true;
    return index.of(document).some((values) => equals.every((value, place) => value === values[place]));
  }

  /** Finds anew, once more where something changes meanwhile. */
  refresh(): void {
    this.#isPast = true;
    if (!this.#isFinding) void this.#find();
  }

  fail(error: unknown): void {
    this.#found = undefined;
    if (!this.#isOver) this.#tell({ status: "error", error });
  }

  end(): void {
    this.#isOver = true;
    this.#backOff.end();
  }

  async #find(): Promise<void> {
    this.#isFinding = true;
    while (this.#isPast && !this.#isOver) {
      this.#isPast = false;
      try {
        const found = await this.#query.find();
        this.#backOff.reset();
        if (!this.#isPast && !this.#isOver) this.#set(found);
      } catch (error) {
        this.fail(error);
        if (!mayPass(error)) continue;
        this.#isPast = true;
        await this.#backOff.pause();
      }
    }
    this.#isFinding = false;
  }

  /** Tells what was found, with the rows that are as they were. */
  #set(found: FoundRows<Doc>): void {
    const earlier = new Map(this.#found?.rows.map((row) => [row.key, row]));
    const rows = found.rows.map((row) => {
      const known = earlier.get(row.key);
      return known !== undefined && JSON.stringify(known.doc) === JSON.stringify(row.doc) ? known : row;
    });
    const isSame = this.#found?.cursor === found.cursor && this.#found?.rows.length === rows.length && rows.every((row, place) => row === this.#found?.rows[place]);
    if (this.#found !== undefined && isSame) return;
    this.#found = { rows, cursor: found.cursor };
    this.#tell({ status: "ready", value: this.#found });
  }
}
