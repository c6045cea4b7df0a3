import type { Aggregate, AnyAggregate } from "./aggregate.js";
import { RustEvolve, checkAggregate } from "./aggregate.js";
import { UncheckedWrite } from "./append.js";
import { name, option, options as optionBag, unfit, uuid } from "./arguments.js";
import { BOUNDLESS } from "./boundless.js";
import { CommitCheck } from "./commit-check.js";
import { decide } from "./decide.js";
import { isDocument } from "./declarative.js";
import { invalidArgument, textOfThrown } from "./errors.js";
import type { EventRegistry, NewEvent } from "./events.js";
import type { Folded } from "./evolve.js";
import { ScriptReducer } from "./evolve.js";
import type { Host } from "./host.js";
import { rehearsed } from "./new-events.js";
import type { AnyRecorded } from "./page.js";
import { Difference, isAlike } from "./test-difference.js";
import { DocumentRehearsal } from "./test-document.js";
import type { TestWorld } from "./test-host.js";
import { testHost, testParts } from "./test-host.js";
import { upcasterOf } from "./upcast.js";

/** In what world a rule is tested. */
export interface GivenOptions extends TestWorld {
  /** The stream of the events. One of the aggregate's category where it is left out. */
  readonly stream?: string | undefined;
}

/** Part of a state: of objects some properties, of lists all items. */
export type Partially<Value> = Value extends readonly unknown[]
  ? { readonly [Key in keyof Value]: Partially<Value[Key]> }
  : Value extends object
    ? { readonly [Key in keyof Value]?: Partially<Value[Key]> }
    : Value;

/** What a thrown error may be: of a message that matches, that contains a text, or of a class. */
export type Thrown = RegExp | string | (new (...values: any[]) => unknown);

/** What is compared of an event in any case, and what in none, beside what is said of it. */
const SAID_ALWAYS: ReadonlySet<string> = new Set(["type", "data"]);
const DECIDED_BY_LOG: ReadonlySet<string> = new Set(["stream", "revision", "position"]);

/**
 * Begins the test of a rule: what happened before. Needs no store and no test runner of a certain kind: what does not hold
 * throws an error with `actual` and `expected`. Events are checked as an append checks them, by their schemas too, but for the bounds of
 * a store. Errors: `INVALID_ARGUMENT`, `SCHEMA_FAILED`, and those of a fold.
 *
 * @example
 * given(Account, [{ type: "MoneyDeposited", data: { amount: 3 } }])
 *   .when({ type: "Withdraw", amount: 5 })
 *   .thenThrows(/insufficient/);
 */
export function given<State, Registry extends EventRegistry, Command>(
  aggregate: Aggregate<State, Registry, Command>,
  events: NewEvent<Registry> | readonly NewEvent<Registry>[] = [],
  options?: GivenOptions,
): Scenario<State, Registry, Command> {
  const bag = optionBag(options, ["stream", "clock", "ids"]);
  checkAggregate(aggregate, "aggregate");
  if (aggregate.evolve instanceof RustEvolve) throw invalidArgument("aggregate.evolve", "is in Rust, where its rules are tested as well; openTestStore() gives a store that folds it");
  const stream = option(bag, "stream", name) ?? `${aggregate.category ?? "stream"}-1`;
  const stage = { aggregate, stream, host: testHost(testParts(bag)), reducer: rehearsalOf(aggregate) };
  return new Scenario(stage, happen(stage, stage.reducer.start(), events).folded);
}

/** What folds at once, without a store. */
type Rehearsal<State> = Pick<ScriptReducer<State>, "start" | "fold">;

function rehearsalOf<State>(aggregate: AnyAggregate<State>): Rehearsal<State> {
  const upcaster = upcasterOf(aggregate);
  return isDocument(aggregate.evolve) ? new DocumentRehearsal(aggregate, upcaster) : new ScriptReducer(aggregate, upcaster);
}

/** Where a test takes place. */
interface Stage<State> {
  readonly aggregate: AnyAggregate<State>;
  readonly stream: string;
  readonly host: Host;
  readonly reducer: Rehearsal<State>;
}

/** What happened before a command. */
export class Scenario<State, Registry extends EventRegistry, Command> {
  readonly #stage: Stage<State>;
  readonly #folded: Folded<State>;

  /** @internal Made by {@link given}. */
  constructor(stage: Stage<State>, folded: Folded<State>) {
    this.#stage = stage;
    this.#folded = folded;
  }

  /** Decides a command. What that comes to is for what follows to say. */
  when(command: NoInfer<Command>): Outcome<State, Registry> {
    const { aggregate, host } = this.#stage;
    const { state, revision } = this.#folded;
    let by: Refusal["by"] = "decision";
    try {
      const decided = decide(aggregate, command, state, { now: host.now(), revision, newId: () => host.newId() });
      by = "events";
      return new Outcome(this.#stage, happen(this.#stage, this.#folded, decided), undefined);
    } catch (error) {
      return new Outcome(this.#stage, { folded: this.#folded, events: [] }, { error, by });
    }
  }

  /** Expects this of the state without any command. */
  thenState(expected: Partially<State>): this {
    expectState(this.#folded.state, expected);
    return this;
  }
}

/** With what a command was refused, and by what: its decision, or the events that it led to. */
interface Refusal {
  readonly error: unknown;
  readonly by: "decision" | "events";
}

/** What a command came to. Everything that is expected of it may follow on another. */
export class Outcome<State, Registry extends EventRegistry> {
  readonly #stage: Stage<State>;
  readonly #happened: Happened<State>;
  readonly #thrown: Refusal | undefined;

  /** @internal Made by {@link Scenario.when}. */
  constructor(stage: Stage<State>, happened: Happened<State>, thrown: Refusal | undefined) {
    this.#stage = stage;
    this.#happened = happened;
    this.#thrown = thrown;
  }

  /** Expects these events and no others: their types and data, and of the rest what is said of it. */
  thenEvents(expected: NewEvent<Registry> | readonly NewEvent<Registry>[]): this {
    const all: readonly object[] = Array.isArray(expected) ? expected : [expected];
    const { events } = this.#succeeded(expected);
    const some = (event: AnyRecorded, index: number) => {
      const isSaid = (key: string) => SAID_ALWAYS.has(key) || (all[index] !== undefined && key in all[index]);
      return Object.fromEntries(Object.entries(event).filter(([key]) => isSaid(key) && !DECIDED_BY_LOG.has(key)));
    };
    // What is expected goes the way of all events, so that both are as JSON keeps them.
    const [found, wanted] = [events.map(some), recorded(this.#stage, undefined, all).map(some)];
    if (!isAlike(found, wanted, "whole")) throw new Difference("the command led to other events", found, wanted);
    return this;
  }

  /** Expects no events, and no error. */
  thenNothing(): this {
    return this.thenEvents([]);
  }

  /** Expects this of the state after the command: of objects the properties that are named, of lists all items. */
  thenState(expected: Partially<State>): this {
    expectState(this.#succeeded(expected).folded.state, expected);
    return this;
  }

  /**
   * Expects the command to be refused, with an error of this message or class where that is said. Where nothing is said, it is
   * the decision that has to refuse: an event that is refused by its schema, or by `evolve`, is more likely a mistake.
   */
  thenThrows(expected?: Thrown): this {
    if (this.#thrown === undefined) throw new Difference("the command was not refused", this.#happened.events, expected);
    const { error, by } = this.#thrown;
    if (expected === undefined && by !== "decision") throw new Difference("the command was not refused by its decision", error, expected, error);
    if (!isSuch(error, expected ?? "")) throw new Difference("the command was refused for another reason", error, expected, error);
    return this;
  }

  #succeeded(expected: unknown): Happened<State> {
    if (this.#thrown === undefined) return this.#happened;
    const { error } = this.#thrown;
    throw new Difference("the command was refused", error, expected, error);
  }
}

/** New events, and the fold with them. */
interface Happened<State> {
  readonly folded: Folded<State>;
  readonly events: readonly AnyRecorded[];
}

function happen<State>(stage: Stage<State>, folded: Folded<State>, given: unknown): Happened<State> {
  const events = recorded(stage, folded.revision, given);
  return { folded: stage.reducer.fold(undefined, folded, [...events], folded.lastPosition + events.length), events };
}

/** New events, checked, as a store would give them. */
function recorded(stage: Omit<Stage<unknown>, "reducer">, revision: number | undefined, given: unknown): readonly AnyRecorded[] {
  const { aggregate, stream, host } = stage;
  const context = { limits: BOUNDLESS, upcaster: upcasterOf(aggregate), events: aggregate.events, durability: "relaxed", host } as const;
  const write = new CommitCheck({}, context).write(new UncheckedWrite(stream, undefined, given));
  // What is for the core to refuse must not pass without it.
  for (const { type, id, place } of write.events) {
    if (type.startsWith("$")) throw unfit(type, `${place}.type`, 'a type that does not begin with "$", as those of the store\'s own do,');
    if (id !== undefined) uuid(id, `${place}.id`);
  }
  // They are the only ones in their log.
  return rehearsed(write, revision, revision === undefined ? 0 : revision + 1, host);
}

function expectState(state: unknown, expected: unknown): void {
  if (!isAlike(state, expected, "partial")) throw new Difference("the state is another", state, expected);
}

function isSuch(error: unknown, expected: Thrown): boolean {
  if (typeof expected === "function") return error instanceof expected;
  const message = error instanceof Error ? error.message : textOfThrown(error);
  return typeof expected === "string" ? message.includes(expected) : expected.test(message);
}
