import type { Aggregate, AnyAggregate } from "./aggregate.js";
import type { AppendOptions, AppendResult, CommitOptions, CommitResult, StreamWrite } from "./append.js";
import { COMMIT_OPTIONS, severalWrites, singleWrite } from "./append.js";
import { name as checkName, option, options as optionBag, uuid } from "./arguments.js";
import "./async-dispose.js";
import type { CompactOptions, CompactResult } from "./compact.js";
import { compact } from "./compact.js";
import type { CountBy, CountOptions } from "./count.js";
import { checkCount, countStretches, countsByKey } from "./count.js";
import type { AllReadMessage, MarkMessage, StorageKind } from "./engine.js";
import type { AnyEvents, EventRegistry, FactType, NewEvent, RecordedEvent, TypeOf } from "./events.js";
import type { ExecuteOptions, ExecuteResult } from "./execute.js";
import { Execution } from "./execute.js";
import type { OpenOptions } from "./handle.js";
import { Handle } from "./handle.js";
import type { HistoryOptions, HistoryStep } from "./history.js";
import { historyPages } from "./history.js";
import type { Host } from "./host.js";
import { PLATFORM } from "./host.js";
import type { Stats, StreamInfo, StreamsOptions } from "./info.js";
import { statsOf, streamPages } from "./info.js";
import type { LoadOptions, LoadQueryOptions, Loaded, QuerySource } from "./load.js";
import { load } from "./load.js";
import type { LoadAllOptions } from "./load-all.js";
import { loadAll } from "./load-all.js";
import type { MarkOptions, MarkResult } from "./mark.js";
import { markStream } from "./mark.js";
import { eventsOf } from "./page.js";
import type { Indexing, Projection, ReadModel } from "./projections.js";
import type { Matching, Query } from "./query.js";
import type { EventPage, ReadAllOptions, ReadOptions } from "./reading.js";
import { READ_ALL_OPTIONS, Reading, allRead, eventPages, filledPages, streamRead } from "./reading.js";
import type { ReplayOptions, ReplayResult } from "./replay.js";
import { replay } from "./replay.js";
import { destroyStore, storeExists } from "./shared-engine.js";
import type { EventSubscription, HandlerOptions, SubscribeOptions, Subscription } from "./subscription.js";
import { subscribe } from "./subscription.js";
import type { TransactDuplicate, TransactOptions, TransactResult, Transaction } from "./transact.js";
import { transact } from "./transact.js";

/**
 * An append-only log of events, kept in the browser.
 *
 * All methods reject with an {@link EverfoldError}: `INVALID_ARGUMENT` and `LIMIT_EXCEEDED` for arguments, with the
 * path to what is wrong; `STORAGE_FAILED` and `CORRUPT_DATA` for the storage; `CLOSED` after {@link EventStore.close}.
 *
 * @example
 * const store = await EventStore.open("bank");
 * await store.append("account-1", { type: "AccountOpened", data: { owner: "Ada" } }, { expected: "noStream" });
 * for await (const event of store.read("account-1")) console.log(event.type, event.data);
 */
export class EventStore<Registry extends EventRegistry = AnyEvents> {
  /** The name under which it was opened. */
  readonly name: string;
  readonly #handle: Handle;

  private constructor(name: string, handle: Handle) {
    this.name = name;
    this.#handle = handle;
  }

  /**
   * Opens the store of this name, and makes it where there is none. Stores of the same name in one tab share
   * one engine; in several tabs they share the log.
   *
   * Errors: `STORAGE_UNAVAILABLE` where the browser refuses, `VERSION_TOO_NEW` where a newer everfold wrote it,
   * `VERSION_TOO_OLD` where it is from before the first release.
   *
   * @example
   * const store = await EventStore.open("bank", { events: bank, durability: "strict" });
   */
  static async open<Registry extends EventRegistry = AnyEvents>(
    name: string,
    options: OpenOptions<Registry> = {},
  ): Promise<EventStore<Registry>> {
    return EventStore.openIn(PLATFORM, name, options);
  }

  /** @internal Opens a store in a world of its own: see `everfold/testing`. */
  static async openIn<Registry extends EventRegistry>(
    host: Host,
    name: string,
    options: OpenOptions<Registry>,
  ): Promise<EventStore<Registry>> {
    return new EventStore(name, await Handle.open(host, name, options));
  }

  /**
   * Whether there is a store of this name: open in memory, or kept in IndexedDB. Where there is no IndexedDB, as in Node,
   * none is kept.
   *
   * Errors: `STORAGE_UNAVAILABLE` where the browser refuses.
   *
   * @example
   * if (await EventStore.exists("bank")) console.log("welcome back");
   */
  static async exists(name: string): Promise<boolean> {
    return storeExists(checkName(name, "name"));
  }

  /**
   * Deletes the store of this name with everything in it. Open stores of that name in every tab are closed first. Where
   * there is none, it is done at once.
   *
   * Errors: `STORAGE_UNAVAILABLE`, also where another tab does not let go in time.
   *
   * @example
   * await EventStore.destroy("bank");
   */
  static async destroy(name: string): Promise<void> {
    await destroyStore(checkName(name, "name"));
  }

  /** Where it keeps its records. */
  get storage(): StorageKind {
    return this.#handle.session.engine.storage;
  }

  /** The last position that this tab has seen. 0 for an empty log. */
  get position(): number {
    return this.#handle.position;
  }

  /**
   * Appends one event or many to a stream: all of them or none. Resolves when they are stored, and never earlier.
   * Appends are made in the order of the calls; those that are not awaited share a transaction.
   *
   * Events that carry ids may be appended again: when all of them stand in the stream already, in that order and with the
   * same type and data, nothing is written, and the result is that of the first time, with `duplicate`.
   *
   * Errors: `WRONG_EXPECTED_REVISION`, `APPEND_CONDITION_FAILED`, `ID_CONFLICT`, `STREAM_DELETED`, `QUOTA_EXCEEDED`.
   *
   * @example
   * await store.append("account-1", { type: "MoneyDeposited", data: { amount: 5 } }, { expected: 4 });
   */
  append(
    stream: string,
    events: NewEvent<Registry> | readonly NewEvent<Registry>[],
    options?: AppendOptions<Registry>,
  ): Promise<AppendResult> {
    return this.#handle.begin((session) => session.queue.addWrite(singleWrite(stream, events, options), options, session));
  }

  /**
   * Appends to several streams in one commit, in this order: all of it or nothing. A write without events only
   * checks its expectation. Errors: as {@link EventStore.append}.
   *
   * @example
   * await store.appendAll([
   *   { stream: "account-1", events: withdrawn, expected: 4 },
   *   { stream: "account-2", events: deposited, expected: "streamExists" },
   * ]);
   */
  appendAll(writes: readonly StreamWrite<Registry>[], options?: CommitOptions<Registry>): Promise<CommitResult> {
    return this.#handle.begin((session) => {
      optionBag(options, COMMIT_OPTIONS);
      return session.queue.add(severalWrites(writes), options, session);
    });
  }

  /**
   * Reads a stream. One that never existed, or was deleted, has no events.
   *
   * @example
   * for await (const event of store.read("account-1", { from: 10 })) console.log(event.revision);
   * const lastTen = await store.read("account-1", { direction: "backwards", limit: 10 }).toArray();
   */
  read(stream: string, options?: ReadOptions): Reading<RecordedEvent<Registry>> {
    return new Reading(() => {
      const { request, signal } = streamRead(stream, options);
      const { upcaster } = this.#handle.session;
      const pages = eventPages(request, signal, (message) => this.#handle.open().engine.readStream(message), "from", upcaster);
      return filledPages<RecordedEvent<Registry>>(pages, request.limit);
    });
  }

  /**
   * Reads the log: the events of all streams, in the order of their positions.
   *
   * Where each item of the query names types, the events are known to be of these types.
   *
   * @example
   * for await (const event of store.readAll({ query: { types: ["MoneyDeposited"], tags: ["currency:EUR"] } })) {
   *   console.log(event.data.amount);
   * }
   */
  readAll<const Wanted extends Query<Registry> = Record<never, never>>(
    options?: ReadAllOptions<Registry, Wanted>,
  ): Reading<Matching<Registry, Wanted>> {
    return new Reading(() => {
      const { request, signal } = allRead(optionBag(options, READ_ALL_OPTIONS), this.#handle.session);
      return filledPages<Matching<Registry, Wanted>>(this.#allPages(request, signal), request.limit);
    });
  }

  /**
   * Hands the events of the log to a handler, one after the other, up to the end as it is when the replay begins:
   * as fast as the handler takes them, or at a multiple of the speed at which they happened.
   *
   * What the handler throws ends the replay and comes out as it is.
   *
   * @example
   * await store.replay({ query: { streams: ["account-1"] }, rate: 50 }, (event) => console.log(event.type));
   */
  async replay<const Wanted extends Query<Registry> = Record<never, never>>(
    options: ReplayOptions<Registry, Wanted>,
    handler: (event: Matching<Registry, Wanted>) => unknown,
  ): Promise<ReplayResult> {
    return replay(this.#handle.session, options, handler, (request, signal) => this.#allPages(request, signal));
  }

  /**
   * Subscribes to events: first those that stand in the log after a position, then those that come, from every tab. Each comes once,
   * in the order of the log, and an event of this tab after its append has resolved.
   *
   * A handler is called for one event after the other, and waited for. Without one the subscription is iterated over. Who takes long
   * delays only himself, and who throws ends only his own subscription. While the storage fails, it tries again and again.
   *
   * Errors, to `onError` or out of the iteration: what the handler throws, `UPCASTER_FAILED`, `CORRUPT_DATA`; `CLOSED` where the
   * database was destroyed.
   *
   * @example
   * const subscription = store.subscribe({ after: 0, query: { types: ["MoneyDeposited"] } }, async (event) => {
   *   console.log(event.data.amount);
   * });
   * await subscription.caughtUp;
   * for await (const event of store.subscribe()) if (event.type === "MoneyDeposited") break;
   */
  subscribe<const Wanted extends Query<Registry> = Record<never, never>>(
    options: HandlerOptions<Registry, Wanted>,
    handler: (event: Matching<Registry, Wanted>) => unknown,
  ): Subscription;
  subscribe<const Wanted extends Query<Registry> = Record<never, never>>(
    options?: SubscribeOptions<Registry, Wanted>,
  ): EventSubscription<Matching<Registry, Wanted>>;
  subscribe(options?: unknown, handler?: unknown): Subscription | EventSubscription<never> {
    return subscribe(this.#handle.open(), options, handler) as EventSubscription<never>;
  }

  /**
   * Listens to events of a type that are appended from now on, in every tab. In this tab an event comes after its append has resolved.
   * Listeners are called in the order of the log, and not waited for; what one throws is reported by the platform, and no other
   * hears of it. Gives a function that ends the listening, which may be called at any time.
   *
   * @example
   * const stop = store.on("MoneyDeposited", (event) => console.log(event.data.amount));
   */
  on<Type extends TypeOf<Registry> | FactType>(
    type: Type,
    handler: (event: Matching<Registry, { readonly types: readonly [Type] }>) => unknown,
  ): () => void {
    this.#handle.open();
    return this.#handle.bus.on(type, handler);
  }

  /**
   * Finds an event by its id; nothing where there is none. With its stream it is found without a search of the log.
   *
   * @example
   * const cause = await store.event(id, { stream: "account-1" });
   */
  async event(id: string, options?: { readonly stream?: string | undefined }): Promise<RecordedEvent<Registry> | undefined> {
    const bag = optionBag(options, ["stream"]);
    const checkedId = uuid(id, "id");
    const { engine, upcaster } = this.#handle.open();
    const events = eventsOf(await engine.event(checkedId, option(bag, "stream", checkName)));
    return (upcaster?.current(events, "asStored") ?? events)[0] as RecordedEvent<Registry> | undefined;
  }

  /**
   * Describes a stream; nothing where it never existed.
   *
   * @example
   * const revision = (await store.streamInfo("account-1"))?.revision;
   */
  async streamInfo(stream: string): Promise<StreamInfo | undefined> {
    const checked = checkName(stream, "stream");
    return this.#handle.open().engine.streamInfo(checked);
  }

  /**
   * Lists streams, in the order of their names (UTF-8).
   *
   * @example
   * for await (const { stream, count } of store.streams({ prefix: "account-" })) console.log(stream, count);
   */
  streams(options?: StreamsOptions): Reading<StreamInfo> {
    return new Reading(() => streamPages(options, (message) => this.#handle.open().engine.streams(message)));
  }

  /**
   * Counts the events that match a query: all of them, or by `"type"`, `"category"`, `"stream"` or `"day"` (UTC).
   *
   * @example
   * await store.count({ categories: ["account"] });              // 1234
   * await store.count({}, { by: "day", since: "2026-01-01T00:00:00Z" }); // { "2026-01-01": 17, ... }
   */
  async count(query?: Query<Registry>, options?: CountOptions & { readonly by?: undefined }): Promise<number>;
  async count(query: Query<Registry>, options: CountOptions & { readonly by: CountBy }): Promise<Record<string, number>>;
  async count(
    query: Query<Registry> = {},
    options?: CountOptions & { readonly by?: CountBy | undefined },
  ): Promise<number | Record<string, number>> {
    const count = checkCount(query, options, this.#handle.session);
    const counts = await countStretches(count, this.#handle.session, (message) => this.#handle.open().engine.count(message));
    return count.request.by === "nothing" ? (counts.get("") ?? 0) : countsByKey(counts);
  }

  /**
   * Loads the state of an aggregate: the fold of a stream, now or at another moment, or of what matches a query. That of a
   * stream begins with its newest snapshot, where that is not beyond the moment.
   *
   * Errors: `REDUCER_FAILED`, `UPCASTER_FAILED`, `SCHEMA_TOO_NEW`.
   *
   * @example
   * const { state, revision } = await store.load(Account, "account-1");
   * const yesterday = await store.load(Account, "account-1", { time: Date.now() - 86_400_000 });
   * const seats = await store.load(Seats, { query: { tags: ["course:c1"] } });
   */
  async load<State>(aggregate: AnyAggregate<State>, stream: string, options?: LoadOptions): Promise<Loaded<State>>;
  async load<State>(aggregate: AnyAggregate<State>, source: QuerySource<Registry>, options?: LoadQueryOptions): Promise<Loaded<State>>;
  async load<State>(aggregate: AnyAggregate<State>, source: string | QuerySource<Registry>, options?: LoadOptions): Promise<Loaded<State>> {
    return load(this.#handle.open(), aggregate, source, options);
  }

  /**
   * Loads all streams of an aggregate's category, or without one all streams, in one pass over the log. A stream of which
   * nothing is seen is not among them. Errors: as {@link EventStore.load}.
   *
   * @example
   * for (const [stream, { state }] of await store.loadAll(Account)) console.log(stream, state.balance);
   */
  async loadAll<State>(aggregate: AnyAggregate<State>, options?: LoadAllOptions): Promise<Map<string, Loaded<State>>> {
    return loadAll(this.#handle.open(), aggregate, options);
  }

  /**
   * Reads a stream with the state after each event and, where `diff` asks for it, what changed. Errors: as {@link EventStore.load}.
   *
   * @example
   * for await (const { event, patch } of store.history(Account, "account-1", { diff: true })) console.log(event.type, patch);
   */
  history<State, Events extends EventRegistry>(
    aggregate: Aggregate<State, Events, any>,
    stream: string,
    options?: HistoryOptions,
  ): Reading<HistoryStep<State, Events>> {
    return new Reading(() => historyPages(this.#handle.open(), aggregate, stream, options) as AsyncGenerator<HistoryStep<State, Events>[]>);
  }

  /**
   * Executes a command: loads the state, decides, folds the new events, and appends them at the revision that was loaded.
   * Where another was faster it loads what is new and decides again, after a short pause. Commands that this tab sends to one
   * stream wait for one another, in the order of the calls, so that only another tab or an append can be faster. Events are checked
   * and read as the aggregate's `events` say, or where it has none as the store's do.
   *
   * With a `commandId` the command is executed once: sent again, it gives what was recorded, with `duplicate`. One that
   * led to no events leaves no trace, and is decided again.
   *
   * What `decide` throws comes out as it is, and nothing is written. Errors: `WRONG_EXPECTED_REVISION` when the retries are
   * used up, or where `expected` does not hold; `SCHEMA_FAILED`, `REDUCER_FAILED`, and those of {@link EventStore.append}.
   *
   * @example
   * const { state } = await store.execute(Account, "account-1", { type: "Withdraw", amount: 5 }, { commandId });
   */
  execute<State, Events extends EventRegistry, Command>(
    aggregate: Aggregate<State, Events, Command>,
    stream: string,
    command: NoInfer<Command>,
    options?: ExecuteOptions,
  ): Promise<ExecuteResult<State, Events>> {
    return this.#handle.finish((session) => new Execution(session, aggregate, stream, options).run(command));
  }

  /**
   * Makes a decision over several streams, or over what matches queries, as one: `run` loads what it decides on and says what is to
   * be appended. All loads see one state of the log. The commit is refused if a stream that was loaded was written since, or an event
   * came that a query would have found; then `run` is called again. It must do nothing that cannot be done twice.
   *
   * With a `commandId` it is executed once, as {@link EventStore.execute} is: `value` is then `undefined`, with `duplicate`. It is
   * looked for in the streams that are loaded and in those that are appended to.
   *
   * What `run` throws comes out as it is, and nothing is written. Closing does not wait for it. Errors: `WRONG_EXPECTED_REVISION` and
   * `APPEND_CONDITION_FAILED` when the retries are used up, and those of {@link EventStore.load} and {@link EventStore.append}.
   *
   * @example
   * await store.transact(async (tx) => {
   *   const from = await tx.load(Account, "account-1");
   *   if (from.state.balance < 10) throw new Error("not enough");
   *   tx.append("account-1", { type: "MoneyWithdrawn", data: { amount: 10 } });
   *   tx.append("account-2", { type: "MoneyDeposited", data: { amount: 10 } });
   * });
   */
  transact<Value>(
    run: (transaction: Transaction<Registry>) => Value | Promise<Value>,
    options?: TransactOptions & { readonly commandId?: undefined },
  ): Promise<TransactResult<Value>>;
  transact<Value>(
    run: (transaction: Transaction<Registry>) => Value | Promise<Value>,
    options: TransactOptions,
  ): Promise<TransactResult<Value> | TransactDuplicate>;
  transact<Value>(
    run: (transaction: Transaction<Registry>) => Value | Promise<Value>,
    options?: TransactOptions,
  ): Promise<TransactResult<Value> | TransactDuplicate> {
    return this.#handle.begin((session) => transact(session, run, options));
  }

  /** Opens the documents of a projection, which follow the log from now on. Errors: `INVALID_ARGUMENT`, `VERSION_TOO_NEW`, `QUOTA_EXCEEDED`. */
  project<Doc, Events extends EventRegistry, Indexes extends Indexing>(of: Projection<Doc, Events, Indexes>): Promise<ReadModel<Doc, Indexes>> {
    return this.#handle.begin((session) => session.projections.open(of) as unknown as Promise<ReadModel<Doc, Indexes>>);
  }

  /**
   * Hides the events of a stream. It may be written again, and then goes on at the revision after its last.
   * Appends the fact `$deleted`. A stream without events is left as it is.
   *
   * Errors: `WRONG_EXPECTED_REVISION`, `STREAM_DELETED` where it was tombstoned.
   *
   * @example
   * await store.delete("account-1");
   */
  async delete(stream: string, options?: MarkOptions): Promise<MarkResult> {
    return this.#mark("delete", stream, options);
  }

  /**
   * Hides the events of a stream for good: its name can never be written again. Appends the fact `$tombstoned`.
   *
   * Errors: `WRONG_EXPECTED_REVISION`.
   *
   * @example
   * await store.tombstone("account-1");
   */
  async tombstone(stream: string, options?: MarkOptions): Promise<MarkResult> {
    return this.#mark("tombstone", stream, options);
  }

  /**
   * Hides the events of a stream before a revision; one past the end hides all that are there now. Appends the fact
   * `$truncated`. Errors: `WRONG_EXPECTED_REVISION`, `STREAM_DELETED` where it was tombstoned.
   *
   * @example
   * await store.truncate("account-1", { before: 100 });
   */
  async truncate(stream: string, options: MarkOptions & { readonly before: number }): Promise<MarkResult> {
    return this.#mark("truncate", stream, options);
  }

  /**
   * Asks the browser not to evict what this origin keeps, and gives whether it promised. A store in memory is not kept at all.
   *
   * @example
   * if (!(await store.requestPersistence())) console.log("export now and then");
   */
  async requestPersistence(): Promise<boolean> {
    return this.#handle.open().engine.requestPersistence();
  }

  /**
   * Measures the store.
   *
   * @example
   * const { bytes, snapshots } = await store.stats();
   */
  async stats(): Promise<Stats> {
    return statsOf(await this.#handle.open().engine.stats());
  }

  /**
   * Keeps by stream what was appended so far, so that opening and finding a stream take no longer the longer the log
   * is, and erases for good what is hidden. Appends and reads go on meanwhile.
   *
   * Errors: `QUOTA_EXCEEDED`, because for a while there are two of what is compacted.
   *
   * @example
   * const { bytesBefore, bytesAfter } = await store.compact({ onProgress: ({ done, total }) => console.log(done / total) });
   */
  async compact(options?: CompactOptions): Promise<CompactResult> {
    return compact(this.#handle.open(), options);
  }

  /** Waits for the writes under way, and closes this store. Others of the same name stay open. */
  close(): Promise<void> {
    return this.#handle.close();
  }

  /** As {@link EventStore.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #mark(kind: MarkMessage["mark"], stream: string, options: unknown): Promise<MarkResult> {
    return this.#handle.finish((session) => markStream(session, kind, stream, options));
  }

  #allPages(request: AllReadMessage, signal: AbortSignal | undefined): AsyncGenerator<EventPage, void, undefined> {
    return eventPages(request, signal, (message) => this.#handle.open().engine.readAll(message), "after", this.#handle.session.upcaster);
  }
}
