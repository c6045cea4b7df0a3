import type { Live } from "./live.js";
import type { ProgressListener } from "./progress.js";
import type { Indexing } from "./projection.js";
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

/**
 * The documents of a projection. They follow the log by themselves; {@link ReadModel.waitFor} says when they have come as far as one
 * needs. In whichever tab they are asked for, they are the same.
 *
 * Where the definition changed, the documents of the old one answer until those of the new one are ready.
 */
export abstract class ReadModel<Doc, Indexes extends Indexing = Record<never, never>> {
  /** Up to where the log is in the documents, as far as this tab knows. What comes after it and is of no interest does not count. */
  abstract get position(): number;

  /**
   * Why the documents do not follow the log any more: `PROJECTION_FAILED`, for one. `rebuild` begins anew. As long as this tab finds
   * no room for them it is `QUOTA_EXCEEDED`: then they go on by themselves when there is some.
   */
  abstract get failure(): unknown;

  /** The document under a key; nothing where there is none. */
  abstract get(key: string): Promise<Doc | undefined>;

  /**
   * Finds documents by an index, or by their keys, a page at a time. Where the documents that answer are of an older definition and
   * do not have the index, it waits for the new ones. Of an index with `each` a document is a row for each item that is wanted.
   *
   * Errors: `INVALID_ARGUMENT`, also for an index that the documents of a newer definition do not have; {@link ReadModel.failure}.
   *
   * @example
   * const { rows, cursor } = await orders.find({ index: "byStatus", equals: ["open"], from: 100, limit: 20 });
   */
  abstract find(options?: FindOptions<keyof Indexes & string>): Promise<Rows<Doc>>;

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
  abstract live(key: string): Live<Doc | undefined>;
  abstract live(options?: FindOptions<keyof Indexes & string>): Live<Rows<Doc>>;

  /** Counts documents, or the rows that `find` would give of a range. */
  abstract count(options?: DocumentRange<keyof Indexes & string>): Promise<number>;

  /**
   * Waits until all is in the documents that stands in the log up to a position, so that what was just appended is found.
   *
   * Errors: {@link ReadModel.failure} where the projection has stopped before it; `QUOTA_EXCEEDED` where there is no room for what it
   * waits for, which it may be asked again; `CLOSED`.
   *
   * @example
   * const { lastPosition } = await store.append("order-1", event);
   * await orders.waitFor(lastPosition);
   */
  abstract waitFor(position: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;

  /**
   * Hears which documents changed, in whichever tab, after they did: their keys, or `undefined` where these are too many or not known.
   * What the listener throws is reported by the platform. Gives a function that ends it.
   */
  abstract subscribe(listener: (changedKeys: readonly string[] | undefined) => void): () => void;

  /**
   * Makes the documents anew from the whole log. Those that are there answer until the new ones are ready, which is when it
   * resolves. What was deleted, truncated or changed outside of the log is then no longer in them.
   *
   * A signal ends the waiting, not the work. Errors: as {@link ReadModel.waitFor}; `INVALID_ARGUMENT` where the documents are those of a
   * newer definition.
   */
  abstract rebuild(options?: { readonly onProgress?: ProgressListener | undefined; readonly signal?: AbortSignal | undefined }): Promise<void>;
}
