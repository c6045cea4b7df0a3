// A batch of events, folded into documents. What it comes to is written as a whole, or not at all.
import { name } from "./arguments.js";
import { bytesOf } from "./bytes.js";
import type { DocumentIndex, IndexEntries } from "./document-index.js";
import { entriesBeyond } from "./document-index.js";
import type { EngineLimits } from "./engine.js";
import { EverfoldError, invalidArgument, limitExceeded, textOfThrown } from "./errors.js";
import { frozen } from "./frozen.js";
import type { AnyRecorded } from "./page.js";
import type { Breath } from "./pause.js";
import { plainDocument } from "./plain-document.js";
import type { AnyProjection, Handler } from "./projection.js";
import type { DocumentChangeMessage, EntryChangeMessage } from "./projection-messages.js";
import { isUnawaited } from "./schema.js";
import type { Upcaster } from "./upcast.js";

/** Longest key of a document, in bytes of UTF-8. */
const KEY_BYTES_MAX = 1_024;
/** With every so many events or documents it is looked whether others are to have their turn. */
const STRIDE = 32;

type AnyHandler = Handler<unknown, AnyRecorded>;

/** What projects: a definition, with the upcasters that apply. */
export interface Projecting {
  readonly projection: AnyProjection<unknown>;
  readonly upcaster: Upcaster | undefined;
  readonly indexes: readonly DocumentIndex[];
  readonly limits: EngineLimits;
}

/** A document in a batch. */
interface Entry {
  /** As it is stored; `undefined` where there is none. */
  readonly stored: unknown;
  document: unknown;
}

/** Gives documents as they are stored; nothing where the right to write them was lost. */
export type ReadDocuments = (keys: readonly string[]) => Promise<readonly unknown[] | undefined>;

/** What has become of documents with the events of a batch. */
export class ProjectionBatch {
  /** Why it goes no further. */
  failure: unknown;
  /** Up to where the log is in it. */
  position: number;
  /** How many events are in it. */
  eventCount = 0;
  /** Up to where the log was in it before the page that is folded. */
  #folded: number;
  readonly #projecting: Projecting;
  readonly #handlers: ReadonlyMap<string, AnyHandler>;
  readonly #entries = new Map<string, Entry>();

  constructor(projecting: Projecting, position: number) {
    const { key, on } = projecting.projection;
    this.#projecting = projecting;
    this.position = position;
    this.#folded = position;
    // Documents that are kept by stream go with it.
    const ofFacts = key === undefined ? ["$deleted", "$tombstoned"].map((type) => [type, () => undefined] as const) : [];
    this.#handlers = new Map<string, AnyHandler>([...ofFacts, ...Object.entries(on as { readonly [type: string]: AnyHandler })]);
  }

  /** Folds a page of events as they are stored, which ends at a position. Gives whether the right to do so still holds. */
  async fold(stored: AnyRecorded[], end: number, read: ReadDocuments, breath: Breath): Promise<boolean> {
    this.#folded = this.position;
    this.eventCount += stored.length;
    const events = this.#current(stored);
    const keysOf = this.#keysOf(events);
    const lacking = [...new Set(keysOf.flat())].filter((key) => !this.#entries.has(key));
    if (0 < lacking.length) {
      const documents = await read(lacking);
      if (documents === undefined) return false;
      lacking.forEach((key, place) => {
        const document = frozen(documents[place] ?? undefined);
        this.#entries.set(key, { stored: document, document });
      });
    }
    for (const [place, keys] of keysOf.entries()) {
      const event = events[place] as AnyRecorded;
      if (!this.#tryTo(event, () => this.#foldOne(event, keys))) return true;
      if (place % STRIDE === 0) await breath.take();
    }
    if (this.failure === undefined) this.position = end;
    return true;
  }

  /** The changes, as they are to be written. */
  async changes(breath: Breath): Promise<DocumentChangeMessage[]> {
    const changes: DocumentChangeMessage[] = [];
    for (const [key, { stored, document }] of this.#entries) {
      if (document === stored) continue;
      if (changes.length % STRIDE === 0) await breath.take();
      const text = document === undefined ? undefined : JSON.stringify(document);
      changes.push({ key, text, entries: this.#entriesOf(stored, document) });
    }
    return changes;
  }

  #entriesOf(stored: unknown, document: unknown): EntryChangeMessage[] {
    const changes: EntryChangeMessage[] = [];
    this.#projecting.indexes.forEach((of, index) => {
      const [before, after] = [of.of(stored), of.of(document)];
      const put = (entries: IndexEntries, isAdded: boolean) => entries.forEach((values) => changes.push({ index, isAdded, values }));
      put(entriesBeyond(before, after), false);
      put(entriesBeyond(after, before), true);
    });
    return changes;
  }

  #current(stored: AnyRecorded[]): AnyRecorded[] {
    const { events, failed } = currentUpTo(this.#projecting.upcaster, stored);
    if (failed !== undefined) this.#fail(failed.event, failed.error);
    return events;
  }

  /** The keys of the documents of each event, up to the first for which that cannot be said. */
  #keysOf(events: readonly AnyRecorded[]): (readonly string[])[] {
    const keysOf: (readonly string[])[] = [];
    for (const event of events) {
      if (!this.#tryTo(event, () => keysOf.push(this.#handlerOf(event) === undefined ? [] : this.#keys(event)))) break;
    }
    return keysOf;
  }

  #keys(event: AnyRecorded): readonly string[] {
    const { key } = this.#projecting.projection;
    if (key === undefined) return [event.stream];
    const keys = (key as (event: AnyRecorded) => unknown)(event);
    if (keys === undefined) return [];
    return [...new Set(Array.isArray(keys) ? keys.map(checkKey) : [checkKey(keys)])];
  }

  #handlerOf({ type, revision }: AnyRecorded): AnyHandler | undefined {
    return this.#handlers.get(type) ?? (revision === undefined ? undefined : this.#handlers.get("*"));
  }

  /** Folds an event into all of its documents, or into none. */
  #foldOne(event: AnyRecorded, keys: readonly string[]): void {
    const handler = this.#handlerOf(event);
    if (handler === undefined) return;
    const entries = keys.map((key) => this.#entries.get(key) as Entry);
    const documents = entries.map(({ document }) => this.#next(handler(document, event)));
    entries.forEach((entry, place) => (entry.document = documents[place]));
  }

  #next(document: unknown): unknown {
    if (document === undefined) return undefined;
    if (isUnawaited(document)) throw new TypeError("a promise is no document; handlers must be synchronous");
    if (document === null) throw invalidArgument("document", "is null; undefined is for no document");
    return frozen(plainDocument(document, this.#projecting.limits));
  }

  /** Does something for an event, or notes why the batch ends before it. */
  #tryTo(event: AnyRecorded, act: () => unknown): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#fail(event, this.#failed(event, error));
      return false;
    }
  }

  /** Ends the batch before an event. One that comes later may have ended it already: this one counts. */
  #fail({ position }: AnyRecorded, failure: unknown): void {
    this.failure = failure;
    this.position = Math.max(this.#folded, position - 1);
  }

  #failed(event: AnyRecorded, cause: unknown): EverfoldError {
    return projectionFailed(this.#projecting.projection.name, event, cause);
  }
}

/** The events of today, up to the first that cannot be made one. */
export function currentUpTo(
  upcaster: Upcaster | undefined,
  stored: AnyRecorded[],
): { readonly events: AnyRecorded[]; readonly failed?: { readonly event: AnyRecorded; readonly error: unknown } } {
  if (upcaster === undefined) return { events: stored };
  try {
    return { events: upcaster.current(stored, "refused") };
  } catch {
    const events: AnyRecorded[] = [];
    for (const event of stored) {
      try {
        events.push(...upcaster.current([event], "refused"));
      } catch (error) {
        return { events, failed: { event, error } };
      }
    }
    return { events };
  }
}

/** That an event could not be folded. */
export function projectionFailed(
  projection: string,
  { stream, revision, type, position }: Pick<AnyRecorded, "stream" | "revision" | "type" | "position">,
  cause: unknown,
): EverfoldError {
  const message = `the projection ${projection} failed at position ${position}, ${type} of "${stream}": ${textOfThrown(cause)}`;
  return new EverfoldError(message, { code: "PROJECTION_FAILED", projection, stream, revision, type, cause });
}

/** That a document is larger than it may be. */
export function tooLarge(bytes: number, maximum: number): EverfoldError {
  return limitExceeded("document", "document bytes", bytes, maximum);
}

function checkKey(value: unknown): string {
  if (isUnawaited(value)) throw new TypeError("a promise is no key; `key` must be synchronous");
  const key = name(value, "key");
  const bytes = bytesOf(key, KEY_BYTES_MAX);
  if (KEY_BYTES_MAX < bytes) throw limitExceeded("key", "document key bytes", bytes, KEY_BYTES_MAX);
  return key;
}
