import type { AnyAggregate } from "./aggregate.js";
import { name as checkName } from "./arguments.js";
import type { Consumer, ConsumerInfo, ConsumerOptions, Handed, HandlingContext } from "./consumer.js";
import { consume } from "./consumer.js";
import type { AnyEvents, EventRegistry, FactType, TypeOf } from "./events.js";
import type { Live } from "./live.js";
import type { Loaded, QuerySource } from "./load.js";
import { CONSUMING, READ_MODELS } from "./parts.js";
import type { Indexing, Projection } from "./projection.js";
import type { Matching, Query } from "./query.js";
import type { ReadModel } from "./read-model.js";
import type { Status } from "./status.js";
import { StoreFolds } from "./store-folds.js";
import type { EventSubscription, HandlerOptions, SubscribeOptions, Subscription } from "./subscription.js";
import { subscribe } from "./subscription.js";

/** What follows the events of a store as they come. */
export class StoreObserving<Registry extends EventRegistry = AnyEvents> extends StoreFolds<Registry> {
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
    return subscribe(this.handle.open(), options, handler) as EventSubscription<never>;
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
    this.handle.open();
    return this.handle.bus.on(type, handler);
  }

  /**
   * Follows the state of an aggregate: what {@link EventStore.load} gives now, of a stream or of what matches a query, and then what it comes to with each
   * event. It is loaded when somebody first asks, carried on with the events that come, and never folded anew but where some were
   * hidden. All live values of a store share one subscription, and those of the same arguments are one object.
   *
   * Its `position` is that of the last change. Where it cannot be known, as with a reducer that throws, the state is an error, until what caused it is deleted
   * or truncated; a storage that fails is asked again. With the store closed, it is `CLOSED`. Errors: `INVALID_ARGUMENT`, `CLOSED`.
   *
   * @example
   * const account = store.live(Account, "account-1");
   * const stop = account.subscribe(() => {
   *   const now = account.get();
   *   if (now.status === "ready") console.log(now.value.state);
   * });
   */
  live<State>(aggregate: AnyAggregate<State>, stream: string): Live<Loaded<State>>;
  live<State>(aggregate: AnyAggregate<State>, source: QuerySource<Registry>): Live<Loaded<State>>;
  live<State>(aggregate: AnyAggregate<State>, source: string | QuerySource<Registry>): Live<Loaded<State>> {
    this.handle.open();
    return this.handle.live.of(aggregate, source);
  }

  /**
   * What the store can do at the moment, as far as this tab knows: the same object until that changes. It is learnt from what calls come to, and, as long
   * as somebody listens, by asking every five seconds. With a storage that failed it is asked again and again, so that what passes is seen to pass.
   *
   * @example
   * if (store.status.state === "readOnly") console.log("reload the page: another tab has a newer version of this app");
   */
  get status(): Status {
    return this.handle.status.now;
  }

  /**
   * Calls the listener with each status that is another. What it throws is reported by the platform. Gives a function that ends the
   * listening. Errors: `INVALID_ARGUMENT`.
   *
   * @example
   * const stop = store.onStatus(({ state, cause }) => console.log(state, cause));
   */
  onStatus(listener: (status: Status) => void): () => void {
    return this.handle.status.on(listener);
  }

  /**
   * Consumes events: each is handed to the handler at least once, in the order of the log, in one of the tabs that consume under this name. How far
   * the consumer is, is stored after each call of the handler. Where the tab that leads is closed, crashes or is frozen, another one goes on
   * within seconds; what was being handled then is handled again. A handler may append.
   *
   * What a handler throws is tried again, for ever, or as `retry` decides. An event may be parked: then the later events of its stream wait behind
   * it, so that those of one stream are always handled in their order, and the others go on.
   *
   * Errors, to `onError`: what the handler threw where `retry` says `"stop"`, what `retry` throws, `CORRUPT_DATA`; `LIMIT_EXCEEDED` where no more
   * can be parked.
   *
   * @example
   * const mails = store.consumer("mails", { after: "end", query: { types: ["MoneyDeposited"] } }, async (event, { attempt, signal }) => {
   *   console.log(event.data.amount, attempt);
   * });
   * await mails.stop();
   */
  consumer<const Wanted extends Query<Registry> = Record<never, never>, const Batch extends number = 1>(
    name: string,
    options: ConsumerOptions<Registry, Wanted, Batch>,
    handler: (events: Handed<Matching<Registry, Wanted>, Batch>, context: HandlingContext) => unknown,
  ): Consumer {
    return consume(this.handle.open(), name, options, handler);
  }

  /**
   * Lists the consumers that are stored, in the order of their names (UTF-8).
   *
   * @example
   * for (const { name, lag, parked } of await store.consumers()) console.log(name, lag, parked);
   */
  consumers(): Promise<readonly ConsumerInfo[]> {
    return this.handle.use(CONSUMING, ({ consumerInfos }, session) => consumerInfos(session));
  }

  /**
   * Removes what is stored of a consumer, which ends in all tabs. Gives whether there was one. The next of this name begins anew.
   *
   * @example
   * await store.removeConsumer("mails");
   */
  removeConsumer(name: string): Promise<boolean> {
    return this.handle.begin(async ({ engine }) => engine.changeConsumer(checkName(name, "name"), { kind: "remove" }));
  }

  /** Opens the documents of a projection, which follow the log from now on. Errors: `INVALID_ARGUMENT`, `VERSION_TOO_NEW`, `QUOTA_EXCEEDED`. */
  project<Doc, Events extends EventRegistry, Indexes extends Indexing>(of: Projection<Doc, Events, Indexes>): Promise<ReadModel<Doc, Indexes>> {
    return this.handle.use(READ_MODELS, ({ openProjection }, session) => openProjection(session, of) as unknown as Promise<ReadModel<Doc, Indexes>>);
  }
}
