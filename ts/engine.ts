// The seam between this package and its core: plain messages in, plain messages out. What implements
// `Engine` may be in the page, in a worker, or somebody's own wasm; nothing behind the seam knows of it.
//
// The layouts that are described here are written down once more on the other side, in `src/web/message/`,
// under the same names. What is said of folds is in `fold-messages`, of snapshots in `snapshot-messages`, of projections in
// `projection-messages`, of consumers in `consumer-messages`, of aggregates in Rust in `domain-messages`.

import type { ExportedReducerMessage, FoldEventsMessage, FoldMessage, FoldOutcome, FoldProgress, ReducerMessage } from "./fold-messages.js";
import type { ConsumerChangeMessage, ConsumerInfoMessage, ConsumerMessage, ReportMessage } from "./consumer-messages.js";
import type {
  AdvanceMessage,
  CarriedMessage,
  CarryOnMessage,
  ClaimMessage,
  DocumentReducerMessage,
  FindMessage,
  FoundMessage,
  GivenEventMessage,
  ProjectionMessage,
  StandingMessage,
} from "./projection-messages.js";
import type { KeepSnapshotMessage, SnapshotAnswer, SnapshotMessage } from "./snapshot-messages.js";

/** How much an append outlives, once it is acknowledged. */
export type Durability = "memory" | "relaxed" | "strict";

/** Where a store keeps its records. */
export type StorageKind = "indexeddb" | "memory";

/** Bounds that are judged before anything is encoded. The core has them; it judges all others itself. */
export interface EngineLimits {
  /** Deepest nesting of arrays and objects in data and metadata. */
  readonly jsonDepth: number;
  /** Most tags on one event. */
  readonly tagsPerEvent: number;
  /** Largest event, in bytes of UTF-8. */
  readonly eventBytes: number;
  /** Most events in one commit. */
  readonly commitEvents: number;
  /** Largest commit, in bytes of UTF-8. */
  readonly commitBytes: number;
  /** Most items in a query, and most entries in each of its lists. */
  readonly queryEntries: number;
  /** Most names in all lists of a query together. */
  readonly queryNames: number;
}

/** How a store is opened. */
export interface OpenMessage {
  readonly name: string;
  readonly storage: StorageKind;
  readonly durability: "relaxed" | "strict";
}

/**
 * Who decides, in a test, of time, of chance, and of what becomes of the memory: it is asked by the codes of {@link WORLD}, and
 * answers a number, or of the memory a promise of one of {@link ADMISSION}. Stores of one name share what they keep there.
 */
export type World = (question: number) => number | Promise<number>;

/** What a world is asked: Unix milliseconds, a byte of chance, whether something may be read, or written. */
export const WORLD = { now: 0, chance: 1, read: 2, write: 3 } as const;

/** What becomes of an access to the memory: it is done; there is no room; it is done, and its answer is lost; the tab is no more. */
export const ADMISSION = { granted: 0, full: 1, answerLost: 2, killed: 3 } as const;

/** Is told how many bytes of how many were read of the log. */
export type OpenProgress = (done: number, total: number) => void;

/** Is told how many bytes of how many were read of what is compacted, and says whether it is still wanted. */
export type CompactProgress = (done: number, total: number) => boolean;

/** What a compaction came to. */
export interface CompactedMessage {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly eventsErased: number;
  readonly units: number;
}

/** An open store, as the facade sees the core. A failed call rejects with an `EverfoldError`. */
export interface Engine {
  /** Where this store keeps its records. */
  readonly storage: StorageKind;
  /** The bounds of the core. */
  readonly limits: EngineLimits;
  /** The last position that this tab has seen. */
  readonly position: number;
  /** Hears why calls were rejected. */
  onFailure: ((error: unknown) => void) | undefined;
  /**
   * Queues appends, in the order of the calls and of the message, which is read before this returns. Resolves when the last of
   * them is settled.
   */
  append(message: AppendMessage): Promise<AppendOutcome>;
  /** Withdraws the appends of the message with this ticket; without effect once their transaction has begun. */
  abort(ticket: number): void;
  mark(message: MarkMessage): Promise<MarkOutcome>;
  readStream(message: StreamReadMessage): Promise<PageMessage>;
  readAll(message: AllReadMessage): Promise<PageMessage>;
  event(id: string, stream: string | undefined): Promise<PageMessage>;
  streamInfo(stream: string): Promise<StreamInfoMessage | undefined>;
  streams(message: StreamsMessage): Promise<readonly StreamInfoMessage[]>;
  count(message: CountMessage): Promise<CountPageMessage>;
  /** Reads a page in the order in which the log is stored. */
  readStored(message: StoredReadMessage): Promise<StoredPageMessage>;
  /** Compiles a reducer, and gives a handle to it. Errors: `INVALID_ARGUMENT` with a path that begins with `evolve` or `initial`. */
  defineReducer(message: ReducerMessage | ExportedReducerMessage): Promise<number>;
  /** Folds what stands in the log, as long as `progress` says that it is wanted. */
  fold(message: FoldMessage, progress: FoldProgress): Promise<FoldOutcome>;
  /** Folds events that are given. */
  foldEvents(message: FoldEventsMessage): Promise<FoldOutcome>;
  stats(): Promise<StatsMessage>;
  /** Finds the snapshot with which the load of a stream may begin, where there is one that holds. */
  snapshot(message: SnapshotMessage): Promise<SnapshotAnswer>;
  /** Keeps a snapshot, unless it would be stale: nothing depends on whether it does. */
  keepSnapshot(message: KeepSnapshotMessage): Promise<void>;
  /** Asks the browser not to evict what the origin keeps, and gives whether it promised. */
  requestPersistence(): Promise<boolean>;
  /** Subscribes to what comes after a position, and gives the subscription a number. */
  subscribe(message: SubscribeMessage): Promise<number>;
  /**
   * The next page of a subscription, as soon as there is one: of events, or of none where the end of the log is reached anew. Nothing
   * once it was ended. Its `next` is left out where it ends with the log. Asked for by one at a time.
   */
  nextPage(subscription: number): Promise<PageMessage | undefined>;
  /** The last position that a subscription has looked at. A page counts when the next one is asked for. 0 once it was ended. */
  lookedAt(subscription: number): number;
  /** Ends a subscription. */
  unsubscribe(subscription: number): void;
  /** Begins to consume, stores a consumer where there is none, and gives it a number. */
  consume(message: ConsumerMessage): Promise<number>;
  /**
   * The next events of a consumer, as soon as this tab has the lead and there are some; nothing once it has ended. Those that were given
   * before count as handled. Its `next` is how often they were tried in vain. Asked for by one at a time.
   */
  nextHandout(consumer: number): Promise<PageMessage | undefined>;
  /** Says something of events that were handed out. Gives whether this tab has the lead; where it has not, they are of no concern here. */
  reportHandout(consumer: number, report: ReportMessage): Promise<boolean>;
  /** How far a consumer is, as far as this tab knows: the position where it has the lead, or less it and one where it has not; `NaN` once it has ended. */
  consumerPosition(consumer: number): number;
  /** Has a consumer end, once what it handed out is handled: who waits for events gets none. */
  stopConsumer(consumer: number): void;
  /** Changes a consumer in all tabs. Gives whether there was anything to change. */
  changeConsumer(name: string, change: ConsumerChangeMessage): Promise<boolean>;
  /** The consumers that are stored, with what each has parked. */
  consumers(): Promise<readonly ConsumerInfoMessage[]>;
  /** Looks how far a projection is, and begins a build where there is none: with `anew`, whatever there is. */
  project(message: ProjectionMessage, begin: "ifNew" | "anew"): Promise<StandingMessage>;
  /** Looks how far a projection is, and what changed after a position in the documents that answer. */
  standing(message: ProjectionMessage, changedAfter: number | undefined): Promise<StandingMessage>;
  /** Takes the right to carry a build on, whoever has it; nothing where there is none. */
  claim(message: ProjectionMessage): Promise<ClaimMessage | undefined>;
  /** Writes what the log has come to. Gives whether it was done: not where somebody else has claimed the build since. */
  advance(message: AdvanceMessage): Promise<boolean>;
  /** Compiles a declarative projection, and gives its handle. */
  defineDocuments(message: DocumentReducerMessage): Promise<number>;
  /** Folds a batch of the next pages of a subscription, and writes what it comes to. Nothing once either is over. */
  carryOn(message: CarryOnMessage, subscription: number): Promise<CarriedMessage | undefined>;
  /** The same with events that are all that is wanted up to a position, which may be the end of the log. */
  carryOnBy(message: CarryOnMessage, events: readonly GivenEventMessage[], end: number, isReady: boolean): Promise<CarriedMessage | undefined>;
  /** The JSON text of an array of documents, `null` where there is none: those that answer, or those of a claim. Nothing where the claim is over. */
  documents(name: string, claim: ClaimMessage | undefined, keys: readonly string[]): Promise<string | undefined>;
  /** Finds documents; nothing where those that answer have no such index. */
  findDocuments(message: FindMessage): Promise<FoundMessage | undefined>;
  /** Counts what {@link Engine.findDocuments} would find without a limit. */
  countDocuments(message: FindMessage): Promise<number | undefined>;
  /** Compacts the log, as long as `progress` says that it is wanted. */
  compact(progress: CompactProgress): Promise<CompactedMessage>;
  /** Waits for the appends under way, and lets go of the storage. */
  close(): Promise<void>;
}

/**
 * What is asked of the core, as it crosses: names, and numbers of which some are places of names. The numbers end
 * with the lengths of the names, in UTF-16 units; of a number that is left out, `NaN` takes the place.
 *
 *     nameLength...  nameCount
 */
export interface FlatMessage {
  /** All names, put together. */
  readonly names: string;
  readonly numbers: Float64Array;
}

/**
 * Appends, as one crossing takes them. Before the lengths of the names, `numbers` has one run for each append:
 *
 *     append     numberCount  textLength  idCount  durability  writeCount  hasCondition  condition
 *     condition  after  query
 *     write      stream  expected  eventCount
 *     event      type  dataLength  metadataLength  hasId  time  tagCount  tag...
 *
 * An append is followed by its writes, a write by its events; there is a condition where `hasCondition` is 1.
 * `numberCount` counts the whole run, `textLength` and `idCount` say how much of `texts` and `ids` belongs to it, so
 * that a run which is refused can be stepped over. Streams, types and tags are names; lengths are in UTF-16 units.
 * A query is its items, and an item four lists, of which each may be left out:
 *
 *     query      itemCount  item...
 *     item       typeCount  type...  tagCount  tag...  streamCount  stream...  categoryCount  category...
 */
export interface AppendMessage extends FlatMessage {
  /** Names the message, so that its appends can be withdrawn. */
  readonly ticket: number;
  /** The JSON texts of data and metadata, in the order of the events, put together. */
  readonly texts: string;
  /** The ids that callers gave, 16 bytes each, put together. */
  readonly ids: Uint8Array;
}

/** Codes of an expectation; a revision stands for itself. */
export const EXPECTED = { any: -1, noStream: -2, streamExists: -3 } as const;

/** Codes of a durability; 0 is as the store was opened. */
export const DURABILITY = { memory: 1, relaxed: 2, strict: 3 } as const;

/** A revision or a position that is none. */
export const NONE = -1;

/** An append condition. */
export interface ConditionMessage {
  readonly query: readonly QueryItemMessage[];
  readonly after: number;
}

/** The lists of an item of a query, in the order in which they cross. */
export const QUERY_LISTS = ["types", "tags", "streams", "categories"] as const;

/** An item of a query. */
export interface QueryItemMessage {
  types?: readonly string[];
  tags?: readonly string[];
  streams?: readonly string[];
  categories?: readonly string[];
}

/**
 * What became of appends, in the order of the message:
 *
 *     appended   1  durability  duplicate  lastPosition  and for each write
 *                firstRevision  lastRevision  firstPosition  lastPosition
 *     refused    0
 *
 * A revision or a position that is none is {@link NONE}.
 */
export interface AppendOutcome {
  readonly numbers: Float64Array;
  /** Why, for each append that was refused. */
  readonly errors: readonly ErrorMessage[];
}

/** An error as it crosses: the fields of its code stand beside these. */
export interface ErrorMessage {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly [field: string]: unknown;
}

/** What is done to a stream as a whole. */
export interface MarkMessage {
  readonly stream: string;
  readonly mark: "delete" | "tombstone" | "truncate";
  /** The first revision that is still seen, of `truncate`. */
  readonly before: number;
  /** As in an {@link AppendMessage}. */
  readonly expected: number;
  readonly durability: Durability | undefined;
}

export interface MarkOutcome {
  readonly position: number | undefined;
  readonly durability: Durability;
}

/** A page of a stream is asked for. */
export interface StreamReadMessage {
  readonly stream: string;
  readonly from: number;
  readonly before: number | undefined;
  readonly direction: "forwards" | "backwards";
  readonly limit: number | undefined;
  readonly asOf: number | undefined;
}

/** A page of the log is asked for. */
export interface AllReadMessage {
  readonly after: number;
  readonly before: number | undefined;
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly direction: "forwards" | "backwards";
  readonly query: readonly QueryItemMessage[];
  readonly limit: number | undefined;
  readonly asOf: number | undefined;
}

/**
 * A page of events. `numbers` has {@link PAGE_COLUMNS} for each:
 *
 *     position  revision  time  stream  type  parts  tagCount
 *
 * The revision of a fact is {@link NONE}. Stream and type are places in `names`, as are `tags`, which has the tags
 * of all events one after the other. `parts` adds up {@link PAGE_HAS_DATA} and {@link PAGE_HAS_METADATA}.
 */
export interface PageMessage {
  /** The JSON text of an array: the data of those events that have some. */
  readonly data: string;
  /** The JSON text of an array: the metadata of those events that have some. */
  readonly metadata: string;
  /** All names, put together. */
  readonly names: string;
  /** The length of each name, in UTF-16 units. */
  readonly nameLengths: Uint32Array;
  /** The JSON text of an array: the id of each event. */
  readonly ids: string;
  readonly numbers: Float64Array;
  readonly tags: Uint32Array;
  /** Where the next page begins; nothing when this was the last. */
  readonly next: number | undefined;
  /** The state of the log that was read. */
  readonly asOf: number;
}

export const PAGE_COLUMNS = 7;
export const PAGE_HAS_DATA = 1;
export const PAGE_HAS_METADATA = 2;

/** What is subscribed to. */
export interface SubscribeMessage {
  /** The last position of no interest. */
  readonly after: number;
  readonly query: readonly QueryItemMessage[];
}

/** Streams are asked for, in the order of their names. */
export interface StreamsMessage {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

export interface StreamInfoMessage {
  readonly stream: string;
  readonly revision: number | undefined;
  readonly count: number;
  readonly firstPosition: number | undefined;
  readonly lastPosition: number | undefined;
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly deleted: boolean;
  readonly tombstoned: boolean;
  readonly truncatedBefore: number;
}

/** A stretch of the log is to be counted. */
export interface CountMessage {
  readonly query: readonly QueryItemMessage[];
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly by: "nothing" | "type" | "category" | "stream" | "day";
  readonly after: number;
  readonly asOf: number | undefined;
}

export interface CountPageMessage {
  /** How many there are of each key, in the order of the keys. */
  readonly counts: readonly (readonly [key: string, count: number])[];
  readonly next: number | undefined;
  readonly asOf: number;
}

export interface StatsMessage {
  readonly events: number;
  readonly streams: number;
  readonly segments: number;
  readonly snapshots: number;
  readonly bytes: number;
  readonly usage: number | undefined;
  readonly quota: number | undefined;
  readonly persisted: boolean | undefined;
}

/** A page of the log in the order in which it is stored is asked for. */
export interface StoredReadMessage {
  /** The category of the streams that are wanted; all where it is left out. */
  readonly category: string | undefined;
  /** Where the page begins: the `place` of the page before. */
  readonly place: Float64Array | undefined;
  readonly asOf: number | undefined;
}

/**
 * A page in the order in which the log is stored: of each stream the events come in their order. Where the log was
 * compacted since the page before, some may come again. `next` says about how far it has come, as a position.
 */
export interface StoredPageMessage extends PageMessage {
  /** Where the next page begins: a position, and a unit and a block or `NaN`; nothing when this was the last. */
  readonly place: Float64Array | undefined;
}
