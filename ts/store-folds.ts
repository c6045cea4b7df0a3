import type { Aggregate, AnyAggregate } from "./aggregate.js";
import type { AnyEvents, EventRegistry } from "./events.js";
import type { ExecuteOptions, ExecuteResult } from "./execute.js";
import type { HistoryOptions, HistoryStep } from "./history.js";
import type { LoadAllOptions } from "./load-all.js";
import type { Loaded, LoadOptions, LoadQueryOptions, QuerySource } from "./load.js";
import { COMMANDS, FOLDS, asTheyAre } from "./parts.js";
import { Reading } from "./reading.js";
import { StoreReads } from "./store-reads.js";
import type { TransactDuplicate, Transaction, TransactOptions, TransactResult } from "./transact.js";

/** What the events of a store come to, and what is decided on that. */
export class StoreFolds<Registry extends EventRegistry = AnyEvents> extends StoreReads<Registry> {
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
    const [from, given] = [asTheyAre(source), asTheyAre(options)];
    return this.handle.use(FOLDS, ({ load }, session) => load<State>(session, aggregate, from, given));
  }

  /**
   * Loads all streams of an aggregate's category, or without one all streams, in one pass over the log. A stream of which
   * nothing is seen is not among them. Errors: as {@link EventStore.load}.
   *
   * @example
   * for (const [stream, { state }] of await store.loadAll(Account)) console.log(stream, state.balance);
   */
  async loadAll<State>(aggregate: AnyAggregate<State>, options?: LoadAllOptions): Promise<Map<string, Loaded<State>>> {
    const given = asTheyAre(options);
    return this.handle.use(FOLDS, ({ loadAll }, session) => loadAll<State>(session, aggregate, given));
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
    return new Reading(() => this.#history(aggregate, stream, options) as AsyncGenerator<HistoryStep<State, Events>[]>);
  }

  /**
   * Executes a command: loads the state, decides, folds the new events, and appends them at the revision that was loaded.
   * Where another was faster it loads what is new and decides again, after a short pause. Commands that this tab sends to one
   * stream wait for one another, in the order of the calls, so that only another tab or an append can be faster. Any stream will do;
   * `loadAll` finds those of the aggregate's category, which its `stream` names. Events are checked
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
    const given = asTheyAre(options);
    return this.handle.finish((session) => COMMANDS.use(({ Execution }) => new Execution(session, aggregate, stream, given).run(command)));
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
    const given = asTheyAre(options);
    return this.handle.use(COMMANDS, ({ transact }, session) => transact(session, run, given));
  }

  async *#history(aggregate: unknown, stream: unknown, options: unknown): AsyncGenerator<unknown[], void, undefined> {
    const session = this.handle.open();
    const { historyPages } = await FOLDS.load();
    yield* historyPages(session, aggregate, stream, options);
  }
}
