import type { AnyAggregate } from "./aggregate.js";
import { checkAggregate } from "./aggregate.js";
import { UncheckedWrite, expectedCode } from "./append.js";
import type { WriteParts } from "./append-message.js";
import { callback, options as optionBag } from "./arguments.js";
import { findExecuted } from "./command.js";
import { CommitCheck } from "./commit-check.js";
import type { ConditionMessage, EngineLimits, QueryItemMessage } from "./engine.js";
import { EXPECTED } from "./engine.js";
import { invalidArgument, isEverfoldError } from "./errors.js";
import type { AnyEvents, EventRegistry, NewEvent } from "./events.js";
import type { Folded, Reducer, Stretch } from "./evolve.js";
import { reducerOf } from "./evolve.js";
import type { DecisionOptions } from "./execute.js";
import { DECISION_OPTIONS, Decision, decisionOptions } from "./execute.js";
import type { Hidden, Loaded, QuerySource } from "./load.js";
import { hiddenSince, loadedOf, stillSeen } from "./load.js";
import { rehearsed } from "./new-events.js";
import { FACT_TYPES } from "./query.js";
import type { Session } from "./session.js";
import { snapshotsOf } from "./snapshot.js";
import type { Source } from "./source.js";
import { checkSource } from "./source.js";

/** How a decision over several streams, or over a query, is made. */
export type TransactOptions = DecisionOptions;

/** What the function of a transaction is given. All loads see the log as the first one found it. */
export interface Transaction<Registry extends EventRegistry = AnyEvents> {
  /** The state of a stream. The commit is refused if it was written meanwhile, be it written here or not. */
  load<State>(aggregate: AnyAggregate<State>, stream: string): Promise<Loaded<State>>;
  /**
   * A fold of a query. The commit is refused if an event that matches came meanwhile, or something was hidden of the streams and
   * categories that the query names; of any, where it names none.
   */
  load<State>(aggregate: AnyAggregate<State>, source: QuerySource<Registry>): Promise<Loaded<State>>;
  /**
   * Has events appended to a stream when the function has ended, in the order of the calls, all of them or none. They are
   * checked here and now, as the `events` say with which the store was opened. Where an aggregate that is loaded has events of its own,
   * in which one of them is of another version, the commit is `INVALID_ARGUMENT`.
   */
  append(stream: string, events: NewEvent<Registry> | readonly NewEvent<Registry>[]): void;
}

/** What a transaction did. */
export interface TransactResult<Value> {
  /** What its function gave. */
  readonly value: Value;
  /** The position of the last event; where none was appended, as of which the loads were. */
  readonly lastPosition: number;
  /** How often its function ran. */
  readonly attempts: number;
  /** Whether it was executed before. */
  readonly duplicate: false;
}

/** A transaction with a `commandId` that was executed before: what its function gave then is not known. */
export interface TransactDuplicate {
  readonly value: undefined;
  /** The position of the last event of the first time. */
  readonly lastPosition: number;
  /** How often its function ran. */
  readonly attempts: number;
  readonly duplicate: true;
}

/** Loads under a name: what a stream or a query came to, for the next attempt to begin with. */
interface Known {
  readonly aggregate: AnyAggregate<unknown>;
  readonly reducer: Reducer<unknown>;
  readonly source: Source;
  readonly folded: Folded<unknown>;
  readonly loaded: Loaded<unknown>;
}

/** Runs a function until its commit is not overtaken. */
export async function transact<Value>(
  session: Session,
  run: (transaction: Transaction<any>) => Value | Promise<Value>,
  options: unknown,
): Promise<TransactResult<Value> | TransactDuplicate> {
  const bag = decisionOptions(optionBag(options, DECISION_OPTIONS));
  callback(run, "run");
  const decision = new Decision(bag);
  let earlier: readonly Known[] = [];
  let hidden: Hidden | undefined;
  for (let attempts = 1; ; attempts += 1) {
    const attempt = new Attempt(session, decision, bag, earlier, hidden);
    let value: Value | undefined;
    try {
      value = await run(attempt.transaction());
    } catch (error) {
      // That it was executed before ends the function by an error, which is none of its caller's.
      if (attempt.executedUpTo === undefined) throw error;
    } finally {
      attempt.hasEnded = true;
    }
    const lastPosition = attempt.executedUpTo ?? (await attempt.commit(attempts));
    if (lastPosition !== undefined) {
      const isDuplicate = attempt.executedUpTo !== undefined;
      if (isDuplicate) return { value: undefined, lastPosition, attempts, duplicate: true };
      return { value: value as Value, lastPosition, attempts, duplicate: false };
    }
    await decision.pause(session, attempts);
    earlier = await attempt.known();
    hidden = await hiddenSince(session.engine, attempt.asOf ?? session.engine.position);
  }
}

/** One run of the function, and its commit. */
class Attempt {
  /** As of which position of the log the loads are. */
  asOf: number | undefined;
  hasEnded = false;
  /** Where it turned out that the command was executed before, the last position of that. */
  executedUpTo: number | undefined;
  readonly #session: Session;
  readonly #decision: Decision;
  readonly #earlier: readonly Known[];
  readonly #hidden: Hidden | undefined;
  readonly #check: CommitCheck;
  /** The load that finds out as of which position all others are. */
  #first: Promise<unknown> | undefined;
  readonly #loads: { readonly key: string; readonly aggregate: AnyAggregate<unknown>; readonly loading: Promise<Known> }[] = [];
  readonly #writes: WriteParts[] = [];
  readonly #given: UncheckedWrite[] = [];

  constructor(session: Session, decision: Decision, bag: Record<string, unknown>, earlier: readonly Known[], hidden: Hidden | undefined) {
    this.#session = session;
    this.#decision = decision;
    this.#earlier = earlier;
    this.#hidden = hidden;
    this.asOf = hidden?.asOf;
    this.#check = new CommitCheck(bag, session, decision.command);
  }

  /** What the function is given. */
  transaction(): Transaction {
    return Object.freeze({
      load: (aggregate: unknown, source: unknown) => this.#load(aggregate, source) as Promise<Loaded<any>>,
      append: (stream: string, events: unknown) => this.#append(stream, events),
    });
  }

  /** The loads of this attempt that came to an end. */
  async known(): Promise<readonly Known[]> {
    const loads = await this.#settled();
    return loads.flatMap((load) => (load.status === "fulfilled" ? [load.value] : []));
  }

  /** Commits what was appended, on condition of what was loaded. Gives the last position; nothing where others were faster. */
  async commit(attempts: number): Promise<number | undefined> {
    const { engine, queue } = this.#session;
    if (this.#writes.length === 0) return this.asOf ?? engine.position;
    // What could not be loaded cannot be a condition either, even where the function went on without it.
    for (const load of await this.#settled()) if (load.status === "rejected") throw load.reason;
    const known = await this.known();
    this.#refuseOtherVersions(known);
    await this.#rehearse(known);
    try {
      const writes = this.#writesOn(known);
      const given = writes.map(({ stream }, index) => this.#given[index] ?? new UncheckedWrite(stream, undefined, []));
      const commit = this.#check.commit(writes, conditionOn(known, engine.limits, this.asOf));
      const { lastPosition, duplicate } = await queue.addChecked(commit, given, this.#decision.signal);
      if (!duplicate) return lastPosition;
      await this.#lookUpWrites();
      // Events with ids of their own may be there without a command.
      this.executedUpTo ??= lastPosition;
      return this.executedUpTo;
    } catch (error) {
      if (isEverfoldError(error, "ID_CONFLICT")) {
        await this.#lookUpWrites();
        if (this.executedUpTo !== undefined) return this.executedUpTo;
      }
      if (!this.#decision.isOvertaken(error, attempts)) throw error;
      return undefined;
    }
  }

  async #load(aggregate: unknown, source: unknown): Promise<Loaded<unknown>> {
    this.#refuseAfterEnd();
    const checked = checkAggregate<unknown>(aggregate, "aggregate");
    const from = checkSource(source, checked, this.#session);
    const key = JSON.stringify(from);
    let load = this.#loads.find((other) => other.aggregate === checked && other.key === key);
    if (load === undefined) {
      load = { key, aggregate: checked, loading: this.#begin(checked, from, key) };
      this.#loads.push(load);
    }
    const { loaded } = await load.loading;
    this.#refuseAfterEnd();
    if (this.executedUpTo !== undefined) throw new Error("this command was executed before: the transaction ends here");
    return loaded;
  }

  async #begin(aggregate: AnyAggregate<unknown>, source: Source, key: string): Promise<Known> {
    const reducer = reducerOf(aggregate, this.#session.upcaster);
    const earlier = this.#earlier.find((known) => known.aggregate === aggregate && JSON.stringify(known.source) === key);
    const start = earlier && this.#hidden ? stillSeen(earlier.folded, source, this.#hidden, reducer) : undefined;
    const fold = (stretch: Stretch) =>
      start === undefined ? snapshotsOf(this.#session).fold(aggregate, reducer, stretch) : reducer.foldStretch(this.#session.engine, start, stretch);
    const folded = await this.#fold(fold, source);
    snapshotsOf(this.#session).keep(aggregate, source, folded);
    const loaded = await loadedOf(this.#session.engine, folded, { source, asOf: this.asOf });
    // Looked for after the load: where it is not found, what was loaded is without it.
    if ("stream" in source) await this.#lookUp(source.stream);
    return { aggregate, reducer, source, folded, loaded };
  }

  /** Folds in the state of the log that all loads see. The first finds out which one that is. */
  async #fold(fold: (stretch: Stretch) => Promise<Folded<unknown>>, source: Source): Promise<Folded<unknown>> {
    const stretch = { source, signal: this.#decision.signal };
    while (this.asOf === undefined) {
      if (this.#first === undefined) {
        const folding = fold(stretch);
        const settled = () => (this.#first = undefined);
        this.#first = folding.then(({ asOf }) => (this.asOf = asOf)).catch(settled);
        return folding;
      }
      await this.#first;
    }
    return fold({ ...stretch, asOf: this.asOf });
  }

  #append(stream: unknown, events: unknown): void {
    this.#refuseAfterEnd();
    const given = new UncheckedWrite(stream, undefined, events);
    const write = this.#check.write(given);
    if (write.events.length === 0) return;
    this.#given.push(given);
    this.#writes.push(write);
  }

  #settled(): Promise<PromiseSettledResult<Known>[]> {
    return Promise.allSettled(this.#loads.map(({ loading }) => loading));
  }

  /** Looks in the streams that are written: what the command appended then may be more than what it appends now. */
  async #lookUpWrites(): Promise<void> {
    for (const { stream } of this.#writes) {
      if (this.executedUpTo === undefined) await this.#lookUp(stream);
    }
  }

  /** Looks whether the command was executed before, where it has an id. */
  async #lookUp(stream: string): Promise<void> {
    const { command } = this.#decision;
    const executed = command && (await findExecuted(this.#session.engine, command, stream));
    if (executed !== undefined) this.executedUpTo = executed.lastPosition;
  }

  /** Refuses events that the store would write at one version of their type, and that what is loaded would read as of another. */
  #refuseOtherVersions(known: readonly Known[]): void {
    const ofStore = this.#session.events;
    for (const { aggregate } of known) {
      for (const { type, place } of this.#writes.flatMap(({ events }) => events)) {
        const definition = aggregate.events !== undefined && Object.hasOwn(aggregate.events, type) ? aggregate.events[type] : undefined;
        if (definition === undefined) continue;
        const [written, read] = [ofStore?.[type]?.version ?? 1, definition.version ?? 1];
        if (written === read) continue;
        const problem = `is ${type}, which would be written at version ${written}, that of the events with which this store was opened, and is of version ${read} for the aggregate ${aggregate.name}`;
        throw invalidArgument(`${place}.type`, `${problem}; open the store with the events of the aggregate`);
      }
    }
  }

  /** Folds what is new into what was loaded of its stream: what cannot be folded would make the stream unreadable. */
  async #rehearse(known: readonly Known[]): Promise<void> {
    for (const { source, reducer, folded, loaded } of known) {
      if (!("stream" in source)) continue;
      const events = this.#writes.flatMap((write) => (write.stream === source.stream ? write.events : []));
      const write = { ...source, expected: EXPECTED.any, events };
      await reducer.fold(this.#session.engine, folded, rehearsed(write, loaded.revision, loaded.position, this.#session.host), folded.asOf);
    }
  }

  /** The writes, with what is expected of each stream that was loaded; and of those that are not written, a check. */
  #writesOn(known: readonly Known[]): WriteParts[] {
    const expectations = new Map<string, number>();
    for (const { source, loaded } of known) {
      if ("stream" in source) expectations.set(source.stream, expectedCode(loaded.expected, "expected"));
    }
    const writes = this.#writes.map((write) => ({ ...write, expected: expectations.get(write.stream) ?? write.expected }));
    for (const { stream } of writes) expectations.delete(stream);
    const checks = Array.from(expectations, ([stream, expected]): WriteParts => ({ stream, expected, events: [] }));
    return [...writes, ...checks];
  }

  #refuseAfterEnd(): void {
    if (this.hasEnded) throw invalidArgument("transaction", "is used after its function has ended; await in it all that uses the transaction");
  }
}

/**
 * That nothing came to the queries that were loaded, and that nothing was hidden of them and of the streams: of a deletion the last
 * revision does not tell. What a type or a tag says of events it does not say of facts.
 */
function conditionOn(known: readonly Known[], { queryEntries }: EngineLimits, after = 0): ConditionMessage | undefined {
  if (known.length === 0) return undefined;
  const query = known.flatMap(({ source }) => ("query" in source ? source.query : []));
  const streams = [...new Set(known.flatMap(({ source }) => ("stream" in source ? [source.stream] : [])))];
  const facts: QueryItemMessage[] = hidingOf(query);
  for (let start = 0; start < streams.length; start += queryEntries) {
    facts.push({ streams: streams.slice(start, start + queryEntries), types: FACT_TYPES });
  }
  return { query: [...query, ...facts], after };
}

/** What hides something of what queries find: facts of the streams and categories that they name, or of all. */
function hidingOf(query: readonly QueryItemMessage[]): QueryItemMessage[] {
  const items = query.map(({ streams, categories }): QueryItemMessage => ({ ...(streams && { streams }), ...(categories && { categories }), types: FACT_TYPES }));
  const byText = new Map(items.map((item) => [JSON.stringify(item), item]));
  const everywhere = items.find(({ streams, categories }) => streams === undefined && categories === undefined);
  return everywhere === undefined ? [...byText.values()] : [everywhere];
}
