// What indexes have of a document.
import type { IndexPathsMessage, IndexValueMessage } from "./projection-messages.js";
import type { IndexDefinition } from "./projection.js";

/** Longest text that is a key. */
const TEXT_LENGTH_MAX = 1_024;
// With the flag `u` only surrogates without a partner match.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The values under which an index has a document: a list for each entry. */
export type IndexEntries = readonly (readonly IndexValueMessage[])[];

const NONE: IndexEntries = [];

/** An index, ready to look into documents. */
export class DocumentIndex {
  readonly name: string;
  /** Tells it apart from one of the same name that is defined otherwise. */
  readonly text: string;
  /** What it finds documents by, as it crosses. */
  readonly paths: IndexPathsMessage;
  readonly #paths: readonly (readonly string[])[];
  readonly #isEach: boolean;

  constructor(name: string, definition: IndexDefinition) {
    const isEach = typeof definition === "object" && "each" in definition;
    const paths = isEach ? [definition.path] : [definition].flat();
    this.name = name;
    this.text = JSON.stringify([name, paths, isEach]);
    this.paths = { paths, isEach };
    this.#paths = paths.map((path) => path.split("."));
    this.#isEach = isEach;
  }

  /** How many values an entry has. */
  get valueCount(): number {
    return this.#paths.length;
  }

  /** The entries of a document. */
  of(document: unknown): IndexEntries {
    if (document === undefined) return NONE;
    if (this.#isEach) return entriesOfEach(valueAt(document, this.#paths[0] as readonly string[]));
    const values: IndexValueMessage[] = [];
    for (const path of this.#paths) {
      const value = valueAt(document, path);
      if (!isKey(value)) return NONE;
      values.push(value);
    }
    return [values];
  }
}

/** The entries that are in one list and not in another. */
export function entriesBeyond(entries: IndexEntries, others: IndexEntries): IndexEntries {
  if (others.length === 0) return entries;
  return entries.filter((values) => !others.some((other) => values.every((value, place) => value === other[place])));
}

/** Whether a value can be found by. */
export function isKey(value: unknown): value is IndexValueMessage {
  if (typeof value === "string") return value.length <= TEXT_LENGTH_MAX && !LONE_SURROGATE.test(value);
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

function entriesOfEach(items: unknown): IndexEntries {
  return Array.isArray(items) ? Array.from(new Set(items.filter(isKey)), (item) => [item]) : NONE;
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
