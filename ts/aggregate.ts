import { bag, callback, name, option, unfit, whole } from "./arguments.js";
import type { EvolveDocument } from "./declarative.js";
import { checkDocument, isDocument } from "./declarative.js";
import { invalidArgument } from "./errors.js";
import type { AnyEvents, EventRegistry, NewEvent, RecordedEvent, TypeOf } from "./events.js";
import { checkRegistry } from "./events.js";
import { foreseen } from "./foreseen.js";
import { isObjectPrototype } from "./realm.js";
import { isUnawaited } from "./schema.js";

/**
 * Folds one event into a state: gives the next state, and leaves the one that it was given as it is. Must be pure and synchronous.
 * Errors of the load: `REDUCER_FAILED`, with what it threw as the `cause`; for a promise; and for `undefined`, where the first state is something.
 */
export type EvolveFunction<State, Registry extends EventRegistry = AnyEvents> = (
  state: State,
  event: RecordedEvent<Registry>,
) => State;

/** By type of event, what folds it into a state; under `"*"`, what folds those that are not named. */
export type EvolveMap<State, Registry extends EventRegistry = AnyEvents> = {
  readonly [Type in TypeOf<Registry> | "*"]?: (
    state: State,
    event: "*" extends Type ? RecordedEvent<Registry> : RecordedEvent<Registry, Type & TypeOf<Registry>>,
  ) => State;
};

/** How events become a state: a function, a function for each type, or a document that says it. */
export type Evolve<State, Registry extends EventRegistry = AnyEvents> =
  | EvolveFunction<State, Registry>
  | EvolveMap<State, Registry>
  | EvolveDocument<Registry>;

/** How events become a state: by an aggregate in Rust, which `rustAggregate` of `everfold/rust` names. */
export class RustEvolve {
  /** Its name. */
  readonly aggregate: string;

  /** @internal Made by `rustAggregate` of `everfold/rust`. */
  constructor(aggregate: string) {
    this.aggregate = aggregate;
  }
}

/** What a command is decided with, besides its state. */
export interface DecideContext {
  /** Unix milliseconds. */
  readonly now: number;
  /** The revision of the stream's last event; `undefined` where it has none. */
  readonly revision: number | undefined;
  /** A new UUID, another one at each call. */
  newId(): string;
}

/** What a command led to: one event, several, or none. */
export type Decided<Registry extends EventRegistry = AnyEvents> = NewEvent<Registry> | readonly NewEvent<Registry>[] | undefined | void;

/**
 * Decides a command: gives the events that it leads to, or throws where a rule is against it. Synchronous, and pure but
 * for what it is given; it may run several times for one command, also before it refuses it.
 */
export type Decide<State, Registry extends EventRegistry, Command> = (
  command: Command,
  state: State,
  context: DecideContext,
) => Decided<Registry>;

/** That a reducer names no type that there is not. */
type OnlyKnown<Reducer, Registry extends EventRegistry> = Reducer extends (...values: never[]) => unknown
  ? unknown
  : { readonly [Type in Exclude<keyof Reducer, TypeOf<Registry> | "*">]: never };

/** The commands that can be decided: any, where the decision asks for none, and none where there is no decision. */
type Decidable<Command, Decision> = [Decision] extends [undefined] ? (unknown extends Command ? never : Command) : Command;

/** How an aggregate is defined. */
export interface AggregateDefinition<
  State,
  Registry extends EventRegistry,
  Command,
  // A parameter of its own, and not the type that it extends: so that what it returns is known to be a state while it is
  // looked at, and a literal in it is not taken for any string.
  Reducer extends Evolve<State, Registry> = Evolve<State, Registry>,
> {
  /** What errors and snapshots call it. */
  readonly name: string;
  /** To be raised when something changes that `evolve` or an upcaster calls or closes over: snapshots cannot know. 1 where it is left out. */
  readonly version?: number | undefined;
  /** What its streams are called before the first `-`. Without it, all streams are meant. */
  readonly category?: string | undefined;
  /** The events that it folds and decides: its upcasters apply, its schemas are checked. As the store's where it is left out. */
  readonly events?: Registry | undefined;
  /** The state before any event: anything but a promise, which is `INVALID_ARGUMENT`. What it throws comes out as it is. */
  readonly initial: () => State;
  /** How events become a state. A type that it does not name leaves the state as it is. */
  readonly evolve: Reducer & OnlyKnown<Reducer, Registry>;
  /** How commands become events. Without it, nothing can be executed. */
  readonly decide?: Decide<NoInfer<State>, NoInfer<Registry>, Command> | undefined;
  /**
   * After how many events beyond the last snapshot there is to be another; `false` for never. 200 where it is left out.
   *
   * A load begins with the snapshot, and comes to the same as without. It is kept in the background, where the state is plain
   * JSON of at most 1 MiB, of the 4,096 streams or so that were written last. What is changed here is never shown an old state: the
   * name, the version, the initial state, the source of `evolve`, the events with their upcasters. What `evolve` and upcasters call or close over is not
   * looked into.
   */
  readonly snapshotEvery?: number | false | undefined;
}

/** An aggregate of whatever events and commands. */
export interface AnyAggregate<State> {
  readonly name: string;
  readonly version: number;
  readonly category: string | undefined;
  readonly events: EventRegistry | undefined;
  readonly initial: () => State;
  readonly evolve: unknown;
  readonly decide: unknown;
  readonly snapshotEvery: number | false;
  /** The stream of one instance: `Account.stream("1")` is `account-1`. Needs a category. */
  stream(id: string): string;
}

/** An aggregate: what {@link defineAggregate} and `rustAggregate` of `everfold/rust` give. */
export interface Aggregate<State, Registry extends EventRegistry = AnyEvents, Command = never> extends AnyAggregate<State> {
  readonly events: Registry | undefined;
  readonly evolve: Evolve<State, Registry> | RustEvolve;
  readonly decide: Decide<State, Registry, Command> | undefined;
}

/** The state of an aggregate. */
export type StateOf<Of> = Of extends AnyAggregate<infer State> ? State : never;

/** The commands of an aggregate. */
export type CommandOf<Of> = Of extends Aggregate<infer _State, infer _Registry, infer Command> ? Command : never;

const SNAPSHOT_EVERY_EVENTS = 200;
const PROPERTIES = ["name", "version", "category", "events", "initial", "evolve", "decide", "snapshotEvery"] as const;

/**
 * Defines an aggregate: how its state follows from its events, and its events from commands.
 *
 * States are never changed in place: `evolve` gives new ones. Unless `process.env.NODE_ENV` is `"production"`, as bundlers
 * write it, they are frozen, so that a change in place throws; so they are in a page without a bundler, where a script may say
 * `globalThis.process = { env: { NODE_ENV: "production" } }` before everfold is loaded. Those that commands
 * come to are frozen always, where they are plain data: the next command begins with them.
 *
 * Errors: `INVALID_ARGUMENT`.
 *
 * @example
 * const Account = defineAggregate({
 *   name: "account",
 *   category: "account",
 *   events: bank,
 *   initial: () => ({ balance: 0 }),
 *   evolve: { MoneyDeposited: (state, event) => ({ balance: state.balance + event.data.amount }) },
 *   decide: (command: { amount: number }) => ({ type: "MoneyDeposited", data: { amount: command.amount } }),
 * });
 */
export function defineAggregate<
  State,
  Registry extends EventRegistry = AnyEvents,
  Command = unknown,
  Reducer extends Evolve<State, Registry> = Evolve<State, Registry>,
  Decision = undefined,
>(
  definition: AggregateDefinition<State, Registry, Command, Reducer> & { readonly decide?: Decision | Decide<NoInfer<State>, NoInfer<Registry>, NoInfer<Command>> },
): Aggregate<State, Registry, Decidable<Command, Decision>> {
  const checked = bag(definition, PROPERTIES, "definition");
  const category = definedOption(checked, "category", checkCategory);
  definedOption(checked, "events", checkRegistry);
  callback(checked.initial, "definition.initial");
  const { initial, decide, events } = definition;
  if (decide !== undefined) callback(decide, "definition.decide");
  const aggregate = Object.freeze({
    name: name(checked.name, "definition.name"),
    version: definedOption(checked, "version", whole) ?? 1,
    category,
    events,
    initial,
    evolve: checkEvolve(checked.evolve) as Evolve<State, Registry>,
    decide,
    snapshotEvery: definedOption(checked, "snapshotEvery", checkSnapshotEvery) ?? SNAPSHOT_EVERY_EVENTS,
    stream: streamsOf(definition.name, category),
  });
  foreseen.add("folds");
  if (decide !== undefined) foreseen.add("commands");
  if (isDocument(aggregate.evolve)) foreseen.add("folding");
  if (aggregate.snapshotEvery !== false) foreseen.add("snapshots");
  return aggregate;
}

/** How the streams of an aggregate are called. */
export function streamsOf(aggregate: string, category: string | undefined): (id: string) => string {
  return (id) => {
    if (category === undefined) throw invalidArgument("category", `is not defined for the aggregate ${aggregate}, so its streams have no names of their own`);
    return `${category}-${name(id, "id")}`;
  };
}

/** A part of a definition, where it is given. */
export function definedOption<Value>(
  definition: Record<string, unknown>,
  key: string,
  check: (value: unknown, path: string) => Value,
): Value | undefined {
  return option({ [key]: definition[key] }, key, (value) => check(value, `definition.${key}`));
}

/** What streams may be called before the first `-`. */
export function checkCategory(value: unknown, path: string): string {
  const category = name(value, path);
  if (category.includes("-")) throw unfit(value, path, 'a name without "-", which is where the category of a stream ends,');
  return category;
}

/** After how many events a snapshot may be due. */
export function checkSnapshotEvery(value: unknown, path: string): number | false {
  if (value === false) return false;
  const every = whole(value, path);
  if (every === 0) throw unfit(value, path, "a whole number from 1, or false,");
  return every;
}

/** A reducer as it is now: what becomes of a map afterwards changes nothing. */
function checkEvolve(value: unknown): unknown {
  if (typeof value === "function") return value;
  if (typeof value !== "object" || value === null) throw unfit(value, "definition.evolve", "a function, or an object of functions or of steps by type,");
  if (isDocument(value)) return checkDocument(value, "definition.evolve", "state");
  const prototype: unknown = Object.getPrototypeOf(value);
  // The methods of a class are not its own, and would be no reducers without a word.
  if (prototype !== null && !isObjectPrototype(prototype)) throw unfit(value, "definition.evolve", "a function, or a plain object,");
  for (const [type, handler] of Object.entries(value)) {
    if (type.startsWith("$")) throw invalidArgument(`definition.evolve.${type}`, "is a fact of the store's own, which no reducer is handed");
    callback(handler, `definition.evolve.${type}`);
  }
  return Object.freeze({ ...value });
}

/** The state before any event. */
export function initialOf<State>({ initial }: AnyAggregate<State>): State {
  const state = initial();
  if (isUnawaited(state)) throw invalidArgument("aggregate.initial", "gave a promise; it must be synchronous");
  return state;
}

/** Refuses what is no aggregate. */
export function checkAggregate<State>(value: unknown, path: string): AnyAggregate<State> {
  if (typeof value === "object" && value !== null) {
    const { evolve, initial, stream } = value as Partial<AnyAggregate<State>>;
    const canFold = typeof evolve === "function" || (typeof evolve === "object" && evolve !== null);
    if (canFold && typeof initial === "function" && typeof stream === "function") return value as AnyAggregate<State>;
  }
  throw unfit(value, path, "what defineAggregate() gave");
}
