import { name as checkName, option, options as optionBag, uuid } from "./arguments.js";
import type { CountBy, CountOptions } from "./count.js";
import type { AllReadMessage, StorageKind } from "./engine.js";
import type { AnyEvents, EventRegistry, RecordedEvent } from "./events.js";
import type { Handle } from "./handle.js";
import type { StreamInfo, StreamsOptions } from "./info.js";
import { eventsOf } from "./page.js";
import { INQUIRIES, asTheyAre } from "./parts.js";
import type { Matching, Query } from "./query.js";
import type { EventPage, ReadAllOptions, ReadOptions } from "./reading.js";
import { READ_ALL_OPTIONS, Reading, allRead, eventPages, filledPages, streamRead } from "./reading.js";
import type { ReplayOptions, ReplayResult } from "./replay.js";

/** What can be read of a store, and learnt about it. */
export class StoreReads<Registry extends EventRegistry = AnyEvents> {
  /** The name under which it was opened. */
  readonly name: string;
  /** @internal What it is opened and closed with. */
  protected readonly handle: Handle;

  /** @internal Made by the store alone. */
  protected constructor(name: string, handle: Handle) {
    this.name = name;
    this.handle = handle;
  }

  /** Where it keeps its records. */
  get storage(): StorageKind {
    return this.handle.session.engine.storage;
  }

  /** The last position that this tab has seen. 0 for an empty log. */
  get position(): number {
    return this.handle.position;
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
      const { upcaster } = this.handle.session;
      const pages = eventPages(request, signal, (message) => this.handle.open().engine.readStream(message), "from", upcaster);
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
      const { request, signal } = allRead(optionBag(options, READ_ALL_OPTIONS), this.handle.session);
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
    const given = asTheyAre(options);
    return INQUIRIES.use(({ replay }) => replay(this.handle.session, given, handler, (request, signal) => this.#allPages(request, signal)));
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
    const { engine, upcaster } = this.handle.open();
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
    return this.handle.open().engine.streamInfo(checked);
  }

  /**
   * Lists streams, in the order of their names (UTF-8).
   *
   * @example
   * for await (const { stream, count } of store.streams({ prefix: "account-" })) console.log(stream, count);
   */
  streams(options?: StreamsOptions): Reading<StreamInfo> {
    return new Reading(() => this.#streams(options));
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
    const [wanted, given] = [asTheyAre(query), asTheyAre(options)];
    return INQUIRIES.use(({ countEvents }) => countEvents(wanted, given, this.handle.session, (message) => this.handle.open().engine.count(message)));
  }

  async *#streams(options: StreamsOptions | undefined): AsyncGenerator<StreamInfo[], void, undefined> {
    const { streamPages } = await INQUIRIES.load();
    yield* streamPages(options, (message) => this.handle.open().engine.streams(message));
  }

  #allPages(request: AllReadMessage, signal: AbortSignal | undefined): AsyncGenerator<EventPage, void, undefined> {
    return eventPages(request, signal, (message) => this.handle.open().engine.readAll(message), "after", this.handle.session.upcaster);
  }
}
