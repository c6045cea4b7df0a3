import type { Aggregate } from "./aggregate.js";
import { checkAggregate } from "./aggregate.js";
import type { AppendResult, Cause, CommitResult, Expected } from "./append.js";
import { UncheckedWrite, expectedCode } from "./append.js";
import type { WriteParts } from "./append-message.js";
import { abortSignal, callback, name, option, options as optionBag, whole } from "./arguments.js";
import type { Executed } from "./command.js";
import { CommandIds, findExecuted } from "./command.js";
import { CommitCheck } from "./commit-check.js";
import { decide } from "./decide.js";
import type { ConditionMessage, Durability } from "./engine.js";
import { isEverfoldError } from "./errors.js";
import type { AnyEvents, EventRegistry, NewMetadata, RecordedEvent } from "./events.js";
import type { Folded, Reducer } from "./evolve.js";
import { reducerOf } from "./evolve.js";
import { pagesAfter } from "./fold-pages.js";
import type { Loaded } from "./load.js";
import { hiddenSince, loadedOf, stillSeen } from "./load.js";
import { rehearsed } from "./new-events.js";
import type { AnyRecorded } from "./page.js";
import { FACT_TYPES } from "./query.js";
import type { Recent } from "./recent.js";
import { recentOf } from "./recent.js";
import type { Session } from "./session.js";
import type { Snapshots } from "./snapshot.js";
import { snapshotsOf } from "./snapshot.js";
import { turnsOf } from "./turns.js";
import { upcasterOf } from "./upcast.js";

/** What may be said where a decision is made, and made again when it was overtaken. */
export interface DecisionOptions {
  /** How often it is decided again after a conflict. 3 where it is left out. */
  readonly retries?: number | undefined;
  /**
   * Names the command, with a UUID or any other text: it is executed once, however often it is sent, in whatever tab and
   * after a reload. The ids of its events follow from it, and by them it is known again: where all of them were deleted or
   * truncated it is executed again, and where some were it may be refused with `ID_CONFLICT`.
   *
   * It is known again in the streams that are loaded by their names, or written. So which streams are written must follow from the command alone, its arguments and
   * its `commandId`: not from what was loaded, from chance or from the time. A transaction that appends to `invoice-${count + 1}`, or to a
   * stream with a new UUID, does so again when it is sent again. With `execute` the same id names another command in each stream, and a
   * command that led to no events leaves nothing to be known by: it is decided anew.
   */
  readonly commandId?: string | undefined;
  /** The event that led to these: sets `correlationId` and `causationId` in their metadata. */
  readonly causedBy?: Cause | undefined;
  /** Metadata of every event, under each event's own. */
  readonly metadata?: NewMetadata | undefined;
  /** How much the commit must outlive once it is acknowledged; as the store was opened, where it is left out. */
  readonly durability?: "relaxed" | "strict" | undefined;
  /** Ends it as long as nothing is being written: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How a command is executed. */
export interface ExecuteOptions extends DecisionOptions {
  /** What the caller believes of the stream. Where it does not hold, nothing is decided, and nothing tried again. */
  readonly expected?: Expected | undefined;
}

/** What a command did. */
export interface ExecuteResult<State, Registry extends EventRegistry = AnyEvents> extends AppendResult {
  /** The state after its events. */
  readonly state: State;
  /** The events that it led to, as they stand in the log. */
  readonly events: readonly RecordedEvent<Registry>[];
  /** How often it was decided; 0 where it was executed before. */
  readonly attempts: number;
}

export const DECISION_OPTIONS = ["retries", "commandId", "causedBy", "metadata", "durability", "signal"] as const;
const RETRIES = 3;
/** How long a pause after a conflict may be: twice as long with each, up to a bound. */
const PAUSE_MS = 4;
const PAUSE_MAX_MS = 128;
/** A state is carried on over so many positions at most: to look through more for what was hidden may take longer than to load. */
const CARRIED_ON_MAX = 1_000;

/** Those of a decision among the options, as they are now, of whatever object they are: they are looked at again at each try. */
export function decisionOptions(bag: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(DECISION_OPTIONS.map((key) => [key, bag[key]]));
}

/** The options of a decision, checked. */
export class Decision {
  readonly retries: number;
  readonly command: CommandIds | undefined;
  readonly signal: AbortSignal | undefined;

  constructor(bag: Record<string, unknown>) {
    this.retries = option(bag, "retries", whole) ?? RETRIES;
    this.signal = option(bag, "signal", abortSignal);
    const commandId = option(bag, "commandId", name);
    this.command = commandId === undefined ? undefined : new CommandIds(commandId);
  }

  /** Whether a commit that was refused is to be decided again: another was faster, or the same command in another tab. */
  isOvertaken(error: unknown, attempts: number): boolean {
    const isConflict =
      isEverfoldError(error, "WRONG_EXPECTED_REVISION") ||
      isEverfoldError(error, "APPEND_CONDITION_FAILED") ||
      (this.command !== undefined && isEverfoldError(error, "ID_CONFLICT"));
    return isConflict && attempts <= this.retries;
  }

  /** Waits a little, so that those who met do not meet again. */
  pause({ host }: Session, attempts: number): Promise<void> {
    return host.pause(host.random() * Math.min(PAUSE_MS * 2 ** attempts, PAUSE_MAX_MS), this.signal);
  }
}

/** On what is decided: what this tab knows, or the newest, for which it has asked. */
type Basis = "known" | "asked";

/** A command for one stream, from its load to its append. */
export class Execution<State, Registry extends EventRegistry, Command> {
  readonly #session: Session;
  readonly #aggregate: Aggregate<State, Registry, Command>;
  readonly #reducer: Reducer<State>;
  readonly #source: { readonly stream: string };
  readonly #options: Record<string, unknown>;
  /** What the caller believes of the stream, where that is anything. */
  readonly #expected: Expected | undefined;
  readonly #decision: Decision;
  readonly #snapshots: Snapshots;
  readonly #recent: Recent;
  /** How far its stream was folded at last, as of which state of the log it was read for that, and whether its own events are in it. */
  #newest: { readonly folded: Folded<State>; readonly asOf: number; readonly isWritten: boolean } | undefined;

  constructor(session: Session, aggregate: Aggregate<State, Registry, Command>, stream: string, options: unknown) {
    const given = optionBag(options, ["expected", ...DECISION_OPTIONS]);
    const { expected } = given;
    const bag = decisionOptions(given);
    checkAggregate(aggregate, "aggregate");
    callback(aggregate.decide, "aggregate.decide");
    expectedCode(expected, "options.expected");
    // Its own events count before those of the store: it was written for them.
    this.#session = { ...session, events: aggregate.events ?? session.events, upcaster: upcasterOf(aggregate) ?? session.upcaster };
    this.#snapshots = snapshotsOf(session);
    this.#recent = recentOf(session.queue);
    this.#aggregate = aggregate;
    this.#reducer = reducerOf(aggregate, session.upcaster);
    this.#source = { stream: name(stream, "stream") };
    this.#options = bag;
    this.#expected = expected === "any" ? undefined : (expected as Expected | undefined);
    this.#decision = new Decision(bag);
  }

  /**
   * Executes the command, after those that were sent to its stream before, from whichever handle of this tab: they would only
   * overtake one another.
   */
  run(command: Command): Promise<ExecuteResult<State, Registry>> {
    return turnsOf(this.#session.engine).take(this.#source.stream, this.#decision.signal, () => this.#execute(command));
  }

  /** Executes the command, and keeps a snapshot of what was folded for it where one is due. */
  async #execute(command: Command): Promise<ExecuteResult<State, Registry>> {
    const { upcaster } = this.#session;
    try {
      return await this.#decideUntilWritten(command);
    } finally {
      const { folded, asOf, isWritten } = this.#newest ?? {};
      const isKept = folded !== undefined && this.#snapshots.keep(this.#aggregate, this.#source, folded, asOf);
      // The next snapshot is as far from this one as from one that is loaded.
      if (folded !== undefined && isWritten === true) this.#recent.remember(this.#source.stream, this.#aggregate, upcaster, isKept ? { ...folded, count: 0 } : folded);
    }
  }

  /** Load, decide, fold, append; and again, when others were faster. */
  async #decideUntilWritten(command: Command): Promise<ExecuteResult<State, Registry>> {
    const { engine } = this.#session;
    const { command: ids, retries } = this.#decision;
    // What this tab knows is nearly always the newest, and where it is not the append is refused: to ask first would take as
    // long as half of the append. Where there is no second try, or a belief to be judged, it is asked.
    let basis: Basis = retries === 0 || this.#expected !== undefined || engine.position === 0 ? "asked" : "known";
    let folded = await this.#begin(basis === "asked" ? undefined : engine.position);
    for (let attempts = 1; ; ) {
      // Looked for after the load: where it is not found, what was loaded is without it.
      const executed = ids && (await findExecuted(engine, ids, this.#source.stream));
      if (executed !== undefined) return this.#repeated(executed, folded, attempts - 1);
      const outcome = await this.#attempt(command, folded, attempts, basis);
      if (outcome === "overtaken") {
        await this.#decision.pause(this.#session, attempts);
        attempts += 1;
      } else if (outcome !== "unsure") return outcome;
      const hidden = await hiddenSince(engine, folded.asOf);
      folded = await this.#fold(stillSeen(folded, this.#source, hidden, this.#reducer), hidden.asOf);
      basis = "asked";
    }
  }

  /** The fold of the stream: what is remembered of it, where that holds or can be carried on. */
  async #begin(asOf: number | undefined): Promise<Folded<State>> {
    const { engine, upcaster } = this.#session;
    const known = this.#recent.of(this.#source.stream, this.#aggregate, upcaster, engine.position);
    if (known === undefined || engine.position - known.folded.asOf > CARRIED_ON_MAX) return this.#fold(undefined, asOf);
    if (known.isNewest && asOf !== undefined) return known.folded;
    const hidden = await hiddenSince(engine, known.folded.asOf, asOf);
    return this.#fold(stillSeen(known.folded, this.#source, hidden, this.#reducer), hidden.asOf);
  }

  /** The fold of the stream, carried on from one before where there is one. */
  async #fold(earlier: Folded<State> | undefined, asOf: number | undefined): Promise<Folded<State>> {
    const { engine } = this.#session;
    const stretch = { source: this.#source, asOf, signal: this.#decision.signal };
    const folding = earlier === undefined ? this.#snapshots.fold(this.#aggregate, this.#reducer, stretch) : this.#reducer.foldStretch(engine, earlier, stretch);
    const folded = await folding;
    this.#newest = { folded, asOf: folded.asOf, isWritten: false };
    return folded;
  }

  /** Whether the caller knows the state that is decided on. Where not, the core says what is there instead. */
  async #isAsExpected({ exists, revision }: Loaded<State>): Promise<boolean> {
    const expected = this.#expected;
    if (expected === undefined || expected === (exists ? "streamExists" : "noStream") || expected === revision) return true;
    // It may be the last revision before the stream was deleted, which only the core knows.
    const isDeleted = !exists && typeof expected === "number";
    await this.#session.queue.addWrite(new UncheckedWrite(this.#source.stream, expected, []), undefined, this.#session);
    return isDeleted;
  }

  /**
   * Decides once. It is overtaken where another was faster. It is unsure where nothing was asked and the decision is to do nothing,
   * because only of events the append says whether they were decided on the newest state; and where nothing is known of a stream that
   * is there, because it may be truncated as a whole.
   */
  async #attempt(
    command: Command,
    folded: Folded<State>,
    attempts: number,
    basis: Basis,
  ): Promise<ExecuteResult<State, Registry> | "overtaken" | "unsure"> {
    const { engine, queue, host } = this.#session;
    const { command: ids, signal } = this.#decision;
    const isAsked = basis === "asked";
    const loaded = isAsked ? await loadedOf(engine, folded, { source: this.#source }) : knownOf(folded);
    if (!(await this.#isAsExpected(loaded))) return "overtaken";
    const { state: decidedOn, revision } = loaded;
    const expected = typeof this.#expected === "number" ? this.#expected : loaded.expected;
    const check = new CommitCheck(this.#options, this.#session, ids);
    let given: UncheckedWrite;
    let write: WriteParts;
    try {
      const context = { now: host.now(), revision, newId: () => host.newId() };
      given = new UncheckedWrite(this.#source.stream, expected, decide(this.#aggregate, command, decidedOn, context));
      write = check.write(given);
      // What cannot be folded would make the stream unreadable, so it is not written.
      await this.#reducer.fold(engine, folded, rehearsed(write, revision, loaded.position, host), folded.asOf);
    } catch (error) {
      if (isAsked) throw error;
      return "unsure";
    }
    if (write.events.length === 0) return isAsked ? this.#nothing(loaded, attempts) : "unsure";
    let commit: CommitResult;
    try {
      commit = await queue.addChecked(check.commit([write], this.#unhiddenSince(folded)), [given], signal);
    } catch (error) {
      const isOwn = this.#expected !== undefined && !isEverfoldError(error, "ID_CONFLICT");
      if (isOwn || !this.#decision.isOvertaken(error, attempts)) throw error;
      return !isAsked && revision === undefined ? "unsure" : "overtaken";
    }
    const result = commit.writes[0] as AppendResult;
    // Another tab may have decided otherwise, and more.
    const executed = commit.duplicate && ids ? await findExecuted(engine, ids, this.#source.stream) : undefined;
    if (executed !== undefined) return this.#repeated(executed, folded, attempts);
    const recorded = await this.#recorded(result);
    const events = this.#current(recorded);
    if (commit.duplicate) {
      const { state } = await this.#foldUpTo(result.lastRevision ?? 0);
      return { ...result, state, events, attempts };
    }
    const newest = await this.#reducer.fold(engine, folded, recorded, result.lastPosition);
    // A snapshot is judged by when its stream was read.
    this.#newest = { folded: newest, asOf: folded.asOf, isWritten: true };
    return { ...result, state: newest.state, events, attempts };
  }

  /** That nothing of the stream was hidden since: of a deletion its last revision does not tell. */
  #unhiddenSince({ asOf }: Folded<State>): ConditionMessage {
    return { query: [{ streams: [this.#source.stream], types: FACT_TYPES }], after: asOf };
  }

  /** A command that led to nothing. */
  #nothing({ state, revision, position }: Loaded<State>, attempts: number): ExecuteResult<State, Registry> {
    const none = { firstRevision: undefined, lastRevision: revision, firstPosition: undefined, lastPosition: position };
    return { ...this.#source, ...none, durability: this.#weakest(), duplicate: false, state, events: [], attempts };
  }

  /** A command that was executed before. */
  async #repeated({ events }: Executed, folded: Folded<State>, attempts: number): Promise<ExecuteResult<State, Registry>> {
    const [first, last] = [events[0], events.at(-1)];
    const lastRevision = last?.revision ?? 0;
    const { state } = folded.revision === lastRevision ? folded : await this.#foldUpTo(lastRevision);
    const result = {
      ...this.#source,
      firstRevision: first?.revision,
      lastRevision,
      firstPosition: first?.position,
      lastPosition: last?.position ?? 0,
      durability: this.#weakest(),
      duplicate: true,
    };
    return { ...result, state, events: this.#current([...events]), attempts };
  }

  #foldUpTo(revision: number): Promise<Folded<State>> {
    return this.#reducer.foldStretch(this.#session.engine, this.#reducer.start(), { source: this.#source, before: revision + 1 });
  }

  /** What was appended, as it stands in the log. */
  async #recorded({ firstRevision, lastRevision, lastPosition }: AppendResult): Promise<AnyRecorded[]> {
    const after = { ...this.#reducer.start(), revision: (firstRevision ?? 0) - 1 };
    const stretch = { source: this.#source, before: (lastRevision ?? 0) + 1, asOf: lastPosition };
    const events: AnyRecorded[] = [];
    for await (const page of pagesAfter(this.#session.engine, after, stretch)) events.push(...page.events);
    return events;
  }

  #current(events: AnyRecorded[]): readonly RecordedEvent<Registry>[] {
    return (this.#session.upcaster?.current(events, "asStored") ?? events) as unknown as readonly RecordedEvent<Registry>[];
  }

  /** How durable that is at least which was there already. */
  #weakest(): Durability {
    return this.#session.engine.storage === "memory" ? "memory" : "relaxed";
  }
}

/** What a tab knows of a stream without asking. */
function knownOf<State>({ state, revision, asOf }: Folded<State>): Loaded<State> {
  return { state, exists: revision !== undefined, revision, position: asOf, expected: revision ?? "noStream" };
}
