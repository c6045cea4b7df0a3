// What is said to an engine of projections, and what it answers.
import type { PageMessage } from "./engine.js";
import type { FoldEventMessage } from "./fold-messages.js";
import type { FingerprintMessage } from "./snapshot-messages.js";

/** A value that documents are found by. */
export type IndexValueMessage = string | number | boolean;

/** A projection, as far as the core has to tell it apart. */
export interface ProjectionMessage {
  readonly name: string;
  readonly version: number;
  readonly fingerprint: FingerprintMessage;
  /** What tells each index apart, and how many values an entry of it has. */
  readonly indexes: readonly { readonly text: string; readonly valueCount: number }[];
}

/** What an index finds documents by: the values at paths, or each item of the list at one. */
export interface IndexPathsMessage {
  readonly paths: readonly string[];
  readonly isEach: boolean;
}

/** A declarative projection. */
export interface DocumentReducerMessage {
  /** The JSON text of its document. */
  readonly on: string;
  /** The JSON text of what gives the keys of documents; where it is left out, each stream has one. */
  readonly key: string | undefined;
  readonly indexes: readonly IndexPathsMessage[];
  /** The versions of stored types: events of another one are handed back. As of a `ReducerMessage`. */
  readonly versions: readonly (readonly [type: string, version: number])[];
}

/** How far a projection is. */
export interface StandingMessage {
  /** Tells the build whose documents answer apart from others; nothing where there is none. */
  readonly build: number | undefined;
  /** Up to where the log is in the documents that answer. */
  readonly answering: number | undefined;
  /** Up to where it is in the build of this definition; nothing where there is none. */
  readonly own: number | undefined;
  /** Whether that build is the one that answers. */
  readonly isAnswering: boolean;
  /** The keys of the documents that changed, put together; left out where not all are known, or nobody asked. */
  readonly keys?: string;
  /** The length of each, in UTF-16 units. */
  readonly keyLengths?: Uint32Array;
}

/** The right to carry a build on, until it is claimed again. */
export interface ClaimMessage {
  readonly tokenUpper: number;
  readonly tokenLower: number;
  readonly position: number;
  readonly isAnswering: boolean;
}

/** What the log has come to in a build. */
export interface AdvanceMessage {
  readonly projection: ProjectionMessage;
  readonly claim: ClaimMessage;
  /** Up to where it was folded. */
  readonly position: number;
  /** Whether the build is to answer from now on. */
  readonly isReady: boolean;
  readonly documents: readonly DocumentChangeMessage[];
}

/** The core is to carry a build on. */
export interface CarryOnMessage {
  readonly projection: ProjectionMessage;
  readonly claim: ClaimMessage;
  /** The handle of a {@link DocumentReducerMessage}. */
  readonly reducer: number;
}

/** An event or a fact that is handed to the core as it is: data and metadata are JSON texts. */
export interface GivenEventMessage extends Omit<FoldEventMessage, "revision"> {
  readonly revision: number | undefined;
}

/** How far the core has carried a build on. */
export interface CarriedMessage {
  /** Up to where the log is folded. */
  readonly position: number;
  /** Whether it was written: not where nothing has come that is worth it. */
  readonly isWritten: boolean;
  /** Whether the build answers, if it did not before. */
  readonly isReady: boolean;
  /** The keys of the documents that changed, put together. */
  readonly keys: string;
  /** The length of each, in UTF-16 units. */
  readonly keyLengths: Uint32Array;
  /** The page that comes next, where events in it have to be made such of today first. */
  readonly older?: PageMessage;
  /** Why it goes no further. */
  readonly problem?: string;
  /** Of which event, where there is a problem. */
  readonly failedStream?: string;
  readonly failedRevision?: number | undefined;
  readonly failedType?: string;
  readonly failedPosition?: number;
  /** How large the document would be, where that is the problem. */
  readonly documentBytes?: number | undefined;
}

/** What becomes of a document. */
export interface DocumentChangeMessage {
  readonly key: string;
  /** Its JSON text; nothing where there is to be none. */
  readonly text: string | undefined;
  readonly entries: readonly EntryChangeMessage[];
}

/** What becomes of an entry of an index. */
export interface EntryChangeMessage {
  /** The place of the index among those of the projection. */
  readonly index: number;
  readonly isAdded: boolean;
  readonly values: readonly IndexValueMessage[];
}

/** Documents are asked for by what an index has of them, or by their keys. */
export interface FindMessage {
  readonly name: string;
  /** What tells the index apart; where it is left out, bounds are keys of documents. */
  readonly index: string | undefined;
  readonly direction: "forwards" | "backwards";
  readonly limit: number;
  /** What all entries begin with. */
  readonly equals: readonly IndexValueMessage[] | undefined;
  /** The first values of interest, behind those. */
  readonly from: readonly IndexValueMessage[] | undefined;
  /** The first values of no interest. */
  readonly before: readonly IndexValueMessage[] | undefined;
  /** The entry behind which to go on. */
  readonly after: Uint8Array | undefined;
}

/** What was found. */
export interface FoundMessage {
  /** The JSON text of an array: the documents. */
  readonly documents: string;
  /** Their keys, put together. */
  readonly keys: string;
  /** The length of each, in UTF-16 units. */
  readonly keyLengths: Uint32Array;
  /** The entry behind which there is more. */
  readonly next: Uint8Array | undefined;
}
