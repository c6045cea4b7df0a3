import type { AppendOptions, AppendResult, CommitOptions, CommitResult, StreamWrite } from "./append.js";
import { COMMIT_OPTIONS, severalWrites, singleWrite } from "./append.js";
import { name as checkName, options as optionBag } from "./arguments.js";
import "./async-dispose.js";
import type { CompactOptions, CompactResult } from "./compact.js";
import type { MarkMessage } from "./engine.js";
import type { AnyEvents, EventRegistry, NewEvent } from "./events.js";
import type { OpenOptions } from "./handle.js";
import { Handle } from "./handle.js";
import type { Host } from "./host.js";
import { PLATFORM } from "./host.js";
import type { Stats } from "./info.js";
import type { MarkOptions, MarkResult } from "./mark.js";
import { markStream } from "./mark.js";
import { INQUIRIES, asTheyAre } from "./parts.js";
import { destroyStore, storeExists } from "./shared-engine.js";
import { StoreObserving } from "./store-observing.js";

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
export class EventStore<Registry extends EventRegistry = AnyEvents> extends StoreObserving<Registry> {
  private constructor(name: string, handle: Handle) {
    super(name, handle);
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
   * Errors: `STORAGE_UNAVAILABLE`, also where another tab does not let go in time, as one that is frozen.
   *
   * @example
   * await EventStore.destroy("bank");
   */
  static async destroy(name: string): Promise<void> {
    await destroyStore(checkName(name, "name"));
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
    return this.handle.begin((session) => session.queue.addWrite(singleWrite(stream, events, options), options, session));
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
    return this.handle.begin((session) => {
      optionBag(options, COMMIT_OPTIONS);
      return session.queue.add(severalWrites(writes), options, session);
    });
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
    return this.handle.open().engine.requestPersistence();
  }

  /**
   * Measures the store.
   *
   * @example
   * const { bytes, snapshots } = await store.stats();
   */
  async stats(): Promise<Stats> {
    return this.handle.use(INQUIRIES, async ({ statsOf }, { engine }) => statsOf(await engine.stats()));
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
    const given = asTheyAre(options);
    return this.handle.use(INQUIRIES, ({ compact }, session) => compact(session, given));
  }

  /** Waits for the writes under way, and closes this store. Others of the same name stay open. */
  close(): Promise<void> {
    return this.handle.close();
  }

  /** As {@link EventStore.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #mark(kind: MarkMessage["mark"], stream: string, options: unknown): Promise<MarkResult> {
    return this.handle.finish((session) => markStream(session, kind, stream, options));
  }
}
