// What is said to an engine of reducers and folds, and what it answers.
import type { QueryItemMessage } from "./engine.js";

/** A declarative reducer. */
export interface ReducerMessage {
  /** The JSON text of its document. */
  readonly evolve: string;
  /** The JSON text of the state that a fold begins with. */
  readonly initial: string;
  /**
   * The versions of stored types: a fold ends before an event of another one. A type of which none is said is folded
   * whatever its version, one of version 0 never.
   */
  readonly versions: readonly (readonly [type: string, version: number])[];
}

/** A reducer that an aggregate in Rust is. */
export interface ExportedReducerMessage {
  /** The name of the aggregate. */
  readonly rust: string;
  /** As of a {@link ReducerMessage}. */
  readonly versions: readonly (readonly [type: string, version: number])[];
}

/** What a fold goes on from. */
export interface FoldedMessage {
  /** The JSON text of the state; where it is left out, the first one. */
  readonly state: string | undefined;
  /** How many events were met. */
  readonly count: number;
  readonly revision: number | undefined;
  readonly lastPosition: number;
  readonly asOf: number;
}

/** A fold is asked for: of a stream, of what matches a query, or of each stream of a category. */
export type FoldMessage = {
  /** The handle of a reducer. */
  readonly reducer: number;
  readonly asOf: number | undefined;
} & (
  | { readonly stream: string; readonly before: number | undefined; readonly from: FoldedMessage }
  | { readonly query: readonly QueryItemMessage[]; readonly from: FoldedMessage }
  | { readonly category: string | undefined }
);

/** Is told how many positions of how many are folded, about, and says whether it is still wanted. */
export type FoldProgress = (done: number, total: number) => boolean;

/** Events are to be folded, whatever their version. */
export interface FoldEventsMessage {
  readonly reducer: number;
  readonly from: FoldedMessage;
  readonly events: readonly FoldEventMessage[];
}

/** An event as reducers see it: data and metadata are JSON texts. */
export interface FoldEventMessage {
  readonly type: string;
  readonly stream: string;
  readonly data: string | undefined;
  readonly metadata: string | undefined;
  readonly revision: number;
  readonly position: number;
  readonly time: number;
}

/**
 * What a fold came to. `numbers` has {@link FOLD_COLUMNS} for each state:
 *
 *     count  revision  lastPosition
 *
 * A revision that is none is `NONE`.
 */
export interface FoldOutcome {
  /** The JSON texts of arrays: the states in portions, of which each is read in little time. */
  readonly states: readonly string[];
  /** The streams of the states, put together, where there is one for each. */
  readonly names: string;
  /** The length of each name, in UTF-16 units. */
  readonly nameLengths: Uint32Array;
  readonly numbers: Float64Array;
  /** The state of the log that was read. */
  readonly asOf: number;
  /** Whether it ended before an event that has to be made one of today first. A fold of each stream has no states then. */
  readonly isCutShort: boolean;
}

export const FOLD_COLUMNS = 3;
