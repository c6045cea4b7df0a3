import { abortable } from "./abort.js";
import { durabilityOption } from "./append.js";
import { abortSignal, callback, name as checkName, oneOf, option, options as optionBag } from "./arguments.js";
import type { StoppableConsumer } from "./consumer.js";
import { closed, invalidArgument } from "./errors.js";
import { EventBus } from "./event-bus.js";
import type { AnyEvents, EventRegistry } from "./events.js";
import { checkRegistry } from "./events.js";
import type { Host } from "./host.js";
import { LiveFolds } from "./live-folds.js";
import type { Part } from "./parts.js";
import { loadForeseen } from "./parts.js";
import type { ProgressListener } from "./progress.js";
import { tell } from "./progress.js";
import type { Session } from "./session.js";
import type { SharedEngine, StorageOption } from "./shared-engine.js";
import { acquireEngine } from "./shared-engine.js";
import { HandleStatus } from "./status.js";
import { Upcaster } from "./upcast.js";

/** How a store is opened. */
export interface OpenOptions<Registry extends EventRegistry = AnyEvents> {
  /** The events of the domain: see {@link defineEvents}. Without them every type may be appended, and data is `unknown`. */
  readonly events?: Registry | undefined;
  /**
   * Where the store keeps its records. `"indexeddb"` where it is left out; `"memory"` is gone with its last handle;
   * `"auto"` is IndexedDB, or memory where there is none, or where the browser refuses it and knows of no database of this name: then
   * `store.storage` says so.
   */
  readonly storage?: StorageOption | undefined;
  /**
   * How much an append outlives once it is acknowledged: `"relaxed"`, a crash of the browser, or `"strict"`, a loss of power.
   * `"relaxed"` where it is left out.
   */
  readonly durability?: "relaxed" | "strict" | undefined;
  /** Whether the store runs in a worker. Only `false` is available. */
  readonly worker?: false | undefined;
  /** Gives up waiting: opening rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far opening has come: bytes of the log. */
  readonly onProgress?: ProgressListener | undefined;
}

const STORAGES = ["indexeddb", "memory", "auto"] as const;

/** One of the handles to the engine of a name: what a store works with, until it is closed. */
export class Handle {
  readonly #shared: SharedEngine;
  /** What is worked with, be the handle closed or not. */
  readonly session: Session;
  /** Those who listen to events by their types. */
  readonly bus: EventBus;
  /** The states that follow the log. */
  readonly live: LiveFolds;
  /** What it can do. */
  readonly status: HandleStatus;
  /** Deletions and executions under way, which closing waits for, as for appends. */
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #lastPosition = 0;

  private constructor(shared: SharedEngine, options: Pick<Session, "events" | "durability" | "host">) {
    const { engine, queue } = shared;
    const upcaster = options.events && new Upcaster(options.events);
    this.#shared = shared;
    const running = { listening: new Set<() => void>(), consuming: new Set<StoppableConsumer>(), finishing: new Set<() => Promise<void>>() };
    this.session = {
      ...options,
      engine,
      queue,
      get limits() {
        return engine.limits;
      },
      upcaster,
      ...running,
      isClosed: () => this.#isClosed(),
    };
    this.bus = new EventBus(this.session);
    this.live = new LiveFolds(this.session);
    this.status = new HandleStatus(shared.status);
  }

  /** Opens a store, in the browser's world or in one of a test's own. */
  static async open(host: Host, name: string, options: OpenOptions<EventRegistry>): Promise<Handle> {
    const bag = optionBag(options, ["events", "storage", "durability", "worker", "signal", "onProgress"]);
    checkName(name, "name");
    option(bag, "events", checkRegistry);
    if (bag.worker !== undefined && bag.worker !== false) {
      throw invalidArgument("options.worker", "is not available yet; only false is");
    }
    const storage = option(bag, "storage", (value, path) => oneOf(value, STORAGES, path)) ?? "indexeddb";
    const durability = durabilityOption(bag) ?? "relaxed";
    const signal = option(bag, "signal", abortSignal);
    const onProgress = option(bag, "onProgress", callback<ProgressListener>);
    signal?.throwIfAborted();
    loadForeseen();
    // What the caller does to the options while the store opens changes nothing.
    const events = bag.events as EventRegistry | undefined;
    const onRead = onProgress && ((done: number, total: number) => tell(onProgress, { done, total, phase: "open" }));
    const opening = acquireEngine(name, { storage, durability, onProgress: onRead, world: host.world });
    // One that is open too late is given back.
    const shared = await abortable(opening, signal, (late) => late.release());
    return new Handle(shared, { events, durability, host });
  }

  /** The last position that this tab has seen. */
  get position(): number {
    if (!this.#isClosed()) this.#lastPosition = this.#shared.engine.position;
    return this.#lastPosition;
  }

  /** What is worked with. Errors: `CLOSED`. */
  open(): Session {
    if (this.#isClosed()) throw closed();
    return this.session;
  }

  /** Begins work that rejects where it cannot begin, with one promise and no more: of these, many may wait at once. */
  begin<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    try {
      return work(this.open());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link Handle.begin}, work of code that may have to be loaded. */
  use<Code, Result>(part: Part<Code>, work: (code: Code, session: Session) => Promise<Result>): Promise<Result> {
    return this.begin((session) => part.use((code) => work(code, session)));
  }

  /** As {@link Handle.begin}, work that closing waits for. */
  async finish<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    const working = this.begin(work);
    this.#underWay.add(working);
    try {
      return await working;
    } finally {
      this.#underWay.delete(working);
    }
  }

  /** Waits for the writes under way, and lets go of the engine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.status.close();
    for (const end of [...this.session.listening]) end();
    const consumers = [...this.session.consuming].map((consumer) => {
      // Who handles an event may wait for this very closing, and who watches has nothing to leave to others.
      const isWaitedFor = consumer.active && !consumer.isHandling;
      const ended = consumer.stop();
      return isWaitedFor ? ended : undefined;
    });
    if (!this.#shared.closed) this.#lastPosition = this.#shared.engine.position;
    // Even where the engine was closed from elsewhere, the writes under way are settled first.
    await this.#shared.queue.settled();
    await Promise.allSettled(this.#underWay);
    await this.#finishAll();
    await Promise.all(consumers);
    // A handler that was at work may have left more to be kept.
    await this.#finishAll();
    if (this.#shared.closed) return;
    this.#lastPosition = this.#shared.engine.position;
    await this.#shared.release();
  }

  async #finishAll(): Promise<void> {
    await Promise.all(Array.from(this.session.finishing, (finish) => finish()));
  }

  #isClosed(): boolean {
    return this.#closing !== undefined || this.#shared.closed;
  }
}
