// The engine in the page: the wasm runs on the same thread as the caller.
import type { Core } from "./core.js";
import { loadCore } from "./core.js";
import type { Engine as CoreEngine } from "./everfold.js";
import type {
  AllReadMessage,
  AppendMessage,
  AppendOutcome,
  CompactProgress,
  CompactedMessage,
  CountMessage,
  CountPageMessage,
  Engine,
  EngineLimits,
  MarkMessage,
  MarkOutcome,
  OpenMessage,
  OpenProgress,
  PageMessage,
  StatsMessage,
  StorageKind,
  StoredPageMessage,
  StoredReadMessage,
  StreamInfoMessage,
  StreamReadMessage,
  StreamsMessage,
  SubscribeMessage,
  World,
} from "./engine.js";
import { DURABILITY } from "./engine.js";
import type { ConsumerChangeMessage, ConsumerInfoMessage, ConsumerMessage, ReportMessage } from "./consumer-messages.js";
import type {
  ExportedReducerMessage,
  FoldEventsMessage,
  FoldMessage,
  FoldOutcome,
  FoldProgress,
  FoldedMessage,
  ReducerMessage,
} from "./fold-messages.js";
import type { Capability } from "./foreseen.js";
import { foreseen } from "./foreseen.js";
import { MessageWriter } from "./message-writer.js";
import type {
  AdvanceMessage,
  CarriedMessage,
  CarryOnMessage,
  ClaimMessage,
  DocumentReducerMessage,
  FindMessage,
  FoundMessage,
  GivenEventMessage,
  IndexValueMessage,
  ProjectionMessage,
  StandingMessage,
} from "./projection-messages.js";
import type { KeepSnapshotMessage, SnapshotAnswer, SnapshotMessage } from "./snapshot-messages.js";
import { SUPPLEMENT } from "./supplements.js";
import { wasmCalls as calls } from "./wasm-calls.js";

// The codes are the places.
const CALLS = ["mark", "readStream", "readAll", "close", "subscribe", "nextPage", "requestPersistence"] as const;
const INQUIRIES = ["event", "streamInfo", "streams", "count", "stats", "readStored", "snapshot", "keepSnapshot"] as const;
const FOLDING = ["defineReducer", "foldEvents", "fold", "defineDocuments"] as const;
const PROJECTIONS = ["project", "standing", "claim", "advance", "documents", "findDocuments", "countDocuments", "carryOn", "carryOnBy"] as const;
const CONSUMERS = ["consume", "nextHandout", "reportHandout", "changeConsumer", "consumers"] as const;
const REPORTS: readonly ReportMessage["kind"][] = ["pending", "failed", "parked", "returned"];
const CONSUMER_CHANGES: readonly ConsumerChangeMessage["kind"][] = ["reset", "retry", "remove"];
const COMPACT = 0;
/** How long a browser is waited for that is asked which databases it has. */
const LIST_MS = 1_000;
/** What has the code of what an application may ask. */
const SUPPLEMENT_OF: Partial<Record<Capability, number>> = { folding: SUPPLEMENT.folding, projections: SUPPLEMENT.projections, snapshots: SUPPLEMENT.inquiries };
const FOLDS = { stream: 0, query: 1, all: 2 } as const;
const STORAGES: readonly StorageKind[] = ["indexeddb", "memory"];
const DIRECTIONS: readonly StreamReadMessage["direction"][] = ["forwards", "backwards"];
const MARKS: readonly MarkMessage["mark"][] = ["delete", "tombstone", "truncate"];
const COUNTS_BY: readonly CountMessage["by"][] = ["nothing", "type", "category", "stream", "day"];

/**
 * Opens a store in the page. The first call loads the wasm. `onProgress` is told how many bytes of how many were
 * read of the log; `world` is that of a test.
 */
export async function openPageEngine(message: OpenMessage, onProgress?: OpenProgress, world?: World): Promise<Engine> {
  const glue = await loadCore();
  for (const capability of foreseen) {
    // Where it fails, who needs it tries again, and hears of it.
    const supplement = SUPPLEMENT_OF[capability];
    if (supplement !== undefined) glue.loadSupplement?.(supplement).catch(() => undefined);
  }
  const { name, storage, durability } = message;
  const code = STORAGES.indexOf(storage);
  const core = await calls.make(() => glue.openEngine(name, code, DURABILITY[durability], onProgress, glue.loadSupplement, world) as Promise<CoreEngine>);
  return new PageEngine(core, storage, glue);
}

/** Whether there can be databases. Where there is no IndexedDB, as in Node, nothing was kept. */
function hasDatabases(): boolean {
  return "indexedDB" in globalThis;
}

/** Whether there is a database of this name. */
export async function databaseExists(name: string): Promise<boolean> {
  if (!hasDatabases()) return false;
  const { exists } = await loadCore();
  return calls.make(() => exists(name) as Promise<boolean>);
}

/**
 * Whether the browser may have a database of this name. {@link databaseExists} opens it, and so would wait behind what is in the way of
 * that; here the browser is asked for its list. Where it does not allow that it has none; where it does not answer, it may have one.
 */
export async function mayHaveDatabase(name: string): Promise<boolean> {
  try {
    const databases = await Promise.race([indexedDB.databases(), new Promise<undefined>((resolve) => setTimeout(resolve, LIST_MS))]);
    return databases?.some((database) => database.name === `everfold:${name}`) ?? true;
  } catch {
    return false;
  }
}

/** Deletes the database of this name. Open stores of every tab are told and closed. */
export async function destroyDatabase(name: string): Promise<void> {
  if (!hasDatabases()) return;
  const { destroy } = await loadCore();
  await calls.make(() => destroy(name) as Promise<void>);
}

class PageEngine implements Engine {
  readonly storage: StorageKind;
  onFailure: ((error: unknown) => void) | undefined;
  readonly #core: CoreEngine;
  readonly #glue: Core;
  #limits: EngineLimits | undefined;

  constructor(core: CoreEngine, storage: StorageKind, glue: Core) {
    this.#core = core;
    this.#glue = glue;
    this.storage = storage;
  }

  /** Asked for when something is judged by them: opening has no use for them. */
  get limits(): EngineLimits {
    this.#limits ??= calls.makeNow(() => this.#glue.limits() as EngineLimits);
    return this.#limits;
  }

  get position(): number {
    return calls.makeNow(() => this.#core.position);
  }

  append({ ticket, texts, ids, names, numbers }: AppendMessage): Promise<AppendOutcome> {
    return this.#make(() => this.#core.append(ticket, texts, ids, names, numbers) as Promise<AppendOutcome>);
  }

  abort(ticket: number): void {
    calls.makeNow(() => this.#core.abort(ticket));
  }

  mark({ stream, mark, before, expected, durability }: MarkMessage): Promise<MarkOutcome> {
    const message = new MessageWriter().name(stream).number(MARKS.indexOf(mark), before, expected);
    return this.#call("mark", message.number(durability === undefined ? 0 : DURABILITY[durability]));
  }

  readStream({ stream, from, before, direction, limit, asOf }: StreamReadMessage): Promise<PageMessage> {
    const message = new MessageWriter().name(stream).number(from, before, DIRECTIONS.indexOf(direction), limit, asOf);
    return this.#call("readStream", message);
  }

  readAll({ after, before, since, until, direction, query, limit, asOf }: AllReadMessage): Promise<PageMessage> {
    const message = new MessageWriter().number(after, before, since, until, DIRECTIONS.indexOf(direction), limit, asOf);
    return this.#call("readAll", message.query(query));
  }

  event(id: string, stream: string | undefined): Promise<PageMessage> {
    return this.#inquire("event", new MessageWriter().name(id).name(stream));
  }

  streamInfo(stream: string): Promise<StreamInfoMessage | undefined> {
    return this.#inquire("streamInfo", new MessageWriter().name(stream));
  }

  streams({ prefix, after, limit }: StreamsMessage): Promise<readonly StreamInfoMessage[]> {
    return this.#inquire("streams", new MessageWriter().name(prefix).name(after).number(limit));
  }

  count({ query, since, until, by, after, asOf }: CountMessage): Promise<CountPageMessage> {
    const message = new MessageWriter().number(since, until, COUNTS_BY.indexOf(by), after, asOf);
    return this.#inquire("count", message.query(query));
  }

  readStored({ category, place, asOf }: StoredReadMessage): Promise<StoredPageMessage> {
    return this.#inquire("readStored", new MessageWriter().name(category).number(place?.[0] ?? 0, place?.[1], place?.[2], asOf));
  }

  defineReducer(definition: ReducerMessage | ExportedReducerMessage): Promise<number> {
    const { versions } = definition;
    const message = new MessageWriter();
    if ("rust" in definition) message.name(definition.rust);
    else message.name(definition.evolve).name(definition.initial);
    writeVersions(message, versions);
    if (!("rust" in definition)) return this.#consult(SUPPLEMENT.folding, FOLDING.indexOf("defineReducer"), message);
    const { names, numbers } = message.finish();
    // Who names an aggregate in Rust has found it in the wasm that has this.
    return calls.make(async () => this.#glue.everfoldDefine?.(this.#core, names, numbers) as number);
  }

  fold(fold: FoldMessage, progress: FoldProgress): Promise<FoldOutcome> {
    const { reducer, asOf } = fold;
    const message = new MessageWriter().number(reducer);
    if ("stream" in fold) writeFrom(message.number(FOLDS.stream, asOf), fold.from).name(fold.stream).number(fold.before);
    else if ("query" in fold) writeFrom(message.number(FOLDS.query, asOf), fold.from).query(fold.query);
    else message.number(FOLDS.all, asOf).name(fold.category);
    return this.#consult(SUPPLEMENT.folding, FOLDING.indexOf("fold"), message, progress);
  }

  foldEvents({ reducer, from, events }: FoldEventsMessage): Promise<FoldOutcome> {
    const message = writeEvents(writeFrom(new MessageWriter().number(reducer), from), events);
    return this.#consult(SUPPLEMENT.folding, FOLDING.indexOf("foldEvents"), message);
  }

  stats(): Promise<StatsMessage> {
    return this.#inquire("stats", new MessageWriter());
  }

  snapshot({ aggregate, stream, fingerprint, eventsMin, before, asOf }: SnapshotMessage): Promise<SnapshotAnswer> {
    return this.#inquire("snapshot", new MessageWriter().name(aggregate).name(stream).number(...fingerprint, eventsMin, before, asOf));
  }

  keepSnapshot({ aggregate, stream, fingerprint, revision, position, asOf, state }: KeepSnapshotMessage): Promise<void> {
    const message = new MessageWriter().name(aggregate).name(stream).number(...fingerprint, revision, position, asOf);
    return this.#inquire("keepSnapshot", message.name(state));
  }

  subscribe({ after, query }: SubscribeMessage): Promise<number> {
    return this.#call("subscribe", new MessageWriter().number(after).query(query));
  }

  nextPage(subscription: number): Promise<PageMessage | undefined> {
    return this.#call("nextPage", new MessageWriter().number(subscription));
  }

  async requestPersistence(): Promise<boolean> {
    return this.storage === "indexeddb" && this.#call("requestPersistence", new MessageWriter());
  }

  lookedAt(subscription: number): number {
    return calls.makeNow(() => this.#core.lookedAt(subscription));
  }

  unsubscribe(subscription: number): void {
    calls.makeNow(() => this.#core.unsubscribe(subscription));
  }

  consume({ name, after, batch, query }: ConsumerMessage): Promise<number> {
    return this.#consume("consume", new MessageWriter().name(name).number(after, batch).query(query));
  }

  nextHandout(consumer: number): Promise<PageMessage | undefined> {
    return this.#consume("nextHandout", new MessageWriter().number(consumer));
  }

  reportHandout(consumer: number, report: ReportMessage): Promise<boolean> {
    const message = new MessageWriter().number(consumer, REPORTS.indexOf(report.kind));
    if (report.kind === "failed") message.number(report.pause_ms);
    if (report.kind === "parked") message.number(report.attempts).name(report.reason);
    return this.#consume("reportHandout", message);
  }

  consumerPosition(consumer: number): number {
    return calls.makeNow(() => this.#core.consumerPosition(consumer));
  }

  stopConsumer(consumer: number): void {
    calls.makeNow(() => this.#core.stopConsumer(consumer));
  }

  changeConsumer(name: string, change: ConsumerChangeMessage): Promise<boolean> {
    const message = new MessageWriter().name(name).number(CONSUMER_CHANGES.indexOf(change.kind));
    if (change.kind === "reset") message.number(change.after);
    if (change.kind === "retry") message.name(change.id);
    return this.#consume("changeConsumer", message);
  }

  consumers(): Promise<readonly ConsumerInfoMessage[]> {
    return this.#consume("consumers", new MessageWriter());
  }

  project(message: ProjectionMessage, begin: "ifNew" | "anew"): Promise<StandingMessage> {
    return this.#project("project", writeProjection(message).number(begin === "ifNew" ? 0 : 1));
  }

  standing(message: ProjectionMessage, changedAfter: number | undefined): Promise<StandingMessage> {
    return this.#project("standing", writeProjection(message).number(changedAfter));
  }

  claim(message: ProjectionMessage): Promise<ClaimMessage | undefined> {
    return this.#project("claim", writeProjection(message));
  }

  advance({ projection, claim, position, isReady, documents }: AdvanceMessage): Promise<boolean> {
    const message = writeProjection(projection).number(claim.tokenUpper, claim.tokenLower, position, isReady ? 1 : 0, documents.length);
    for (const { key, text, entries } of documents) {
      message.name(key).name(text).number(entries.length);
      for (const { index, isAdded, values } of entries) writeValues(message.number(index, isAdded ? 1 : 0), values);
    }
    return this.#project("advance", message);
  }

  defineDocuments({ on, key, indexes, versions }: DocumentReducerMessage): Promise<number> {
    const message = new MessageWriter().name(on).name(key).number(indexes.length);
    for (const { paths, isEach } of indexes) {
      message.number(isEach ? 1 : 0, paths.length);
      for (const path of paths) message.name(path);
    }
    return this.#consult(SUPPLEMENT.folding, FOLDING.indexOf("defineDocuments"), writeVersions(message, versions));
  }

  carryOn(message: CarryOnMessage, subscription: number): Promise<CarriedMessage | undefined> {
    return this.#project("carryOn", writeCarryOn(message).number(subscription));
  }

  carryOnBy(carryOn: CarryOnMessage, events: readonly GivenEventMessage[], end: number, isReady: boolean): Promise<CarriedMessage | undefined> {
    return this.#project("carryOnBy", writeEvents(writeCarryOn(carryOn).number(end, isReady ? 1 : 0), events));
  }

  documents(name: string, claim: ClaimMessage | undefined, keys: readonly string[]): Promise<string | undefined> {
    const message = new MessageWriter().name(name);
    if (claim === undefined) message.number(0);
    else message.number(1, claim.tokenUpper, claim.tokenLower);
    message.number(keys.length);
    for (const key of keys) message.name(key);
    return this.#project("documents", message);
  }

  findDocuments(message: FindMessage): Promise<FoundMessage | undefined> {
    return this.#project("findDocuments", writeFind(message));
  }

  countDocuments(message: FindMessage): Promise<number | undefined> {
    return this.#project("countDocuments", writeFind(message));
  }

  compact(progress: CompactProgress): Promise<CompactedMessage> {
    return this.#consult(SUPPLEMENT.compaction, COMPACT, new MessageWriter(), progress);
  }

  close(): Promise<void> {
    return this.#call("close", new MessageWriter());
  }

  #inquire<Answer>(call: (typeof INQUIRIES)[number], message: MessageWriter): Promise<Answer> {
    return this.#consult(SUPPLEMENT.inquiries, INQUIRIES.indexOf(call), message);
  }

  #project<Answer>(call: (typeof PROJECTIONS)[number], message: MessageWriter): Promise<Answer> {
    return this.#consult(SUPPLEMENT.projections, PROJECTIONS.indexOf(call), message);
  }

  #consume<Answer>(call: (typeof CONSUMERS)[number], message: MessageWriter): Promise<Answer> {
    return this.#consult(SUPPLEMENT.consumers, CONSUMERS.indexOf(call), message);
  }

  #consult<Answer>(supplement: number, code: number, message: MessageWriter, progress?: FoldProgress | CompactProgress): Promise<Answer> {
    const { names, numbers } = message.finish();
    return this.#make(() => this.#core.consult(supplement, code, names, numbers, progress) as Promise<Answer>);
  }

  #make<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const made = calls.make(call);
    made.catch((error: unknown) => this.onFailure?.(error));
    return made;
  }

  #call<Answer>(call: (typeof CALLS)[number], message: MessageWriter): Promise<Answer> {
    const { names, numbers } = message.finish();
    return this.#make(() => this.#core.call(CALLS.indexOf(call), names, numbers) as Promise<Answer>);
  }
}

function writeFrom(message: MessageWriter, { state, count, revision, lastPosition, asOf }: FoldedMessage): MessageWriter {
  return message.name(state).number(count, revision, lastPosition, asOf);
}

function writeEvents(message: MessageWriter, events: readonly GivenEventMessage[]): MessageWriter {
  message.number(events.length);
  for (const { type, stream, data, metadata, revision, position, time } of events) {
    message.name(type).name(stream).name(data).name(metadata).number(revision, position, time);
  }
  return message;
}

function writeVersions(message: MessageWriter, versions: DocumentReducerMessage["versions"]): MessageWriter {
  message.number(versions.length);
  for (const [type, version] of versions) message.name(type).number(version);
  return message;
}

function writeCarryOn({ projection, claim, reducer }: CarryOnMessage): MessageWriter {
  return writeProjection(projection).number(claim.tokenUpper, claim.tokenLower, claim.position, claim.isAnswering ? 1 : 0, reducer);
}

function writeProjection({ name, version, fingerprint, indexes }: ProjectionMessage): MessageWriter {
  const message = new MessageWriter().name(name).number(version, ...fingerprint, indexes.length);
  for (const { text, valueCount } of indexes) message.name(text).number(valueCount);
  return message;
}

function writeFind({ name, index, direction, limit, equals, from, before, after }: FindMessage): MessageWriter {
  const message = new MessageWriter().name(name).name(index).number(DIRECTIONS.indexOf(direction), limit);
  for (const bound of [equals, from, before]) {
    message.number(bound?.length);
    if (bound === undefined) continue;
    if (index === undefined) message.name(bound[0] as string);
    else writeValues(message, bound);
  }
  return message.number(after?.length ?? 0, ...(after ?? []));
}

/** Each value as its kind and, of a number or a text, itself. */
function writeValues(message: MessageWriter, values: readonly IndexValueMessage[]): MessageWriter {
  for (const value of values) {
    if (typeof value === "string") message.number(3).name(value);
    else if (typeof value === "number") message.number(2, value);
    else message.number(value ? 1 : 0);
  }
  return message;
}
