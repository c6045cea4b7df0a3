import type { Aggregate } from "./aggregate.js";
import { RustEvolve, checkCategory, checkSnapshotEvery, definedOption, streamsOf } from "./aggregate.js";
import { bag, name } from "./arguments.js";
import { BOUNDLESS } from "./boundless.js";
import { EverfoldError } from "./errors.js";
import type { AnyEvents, EventRegistry, NewEvent } from "./events.js";
import { checkRegistry } from "./events.js";
import { foreseen } from "./foreseen.js";
import { jsonText } from "./payload.js";
import { domain } from "./rust-wasm.js";

/** Which aggregate in Rust is meant, and what is not said there. */
export interface RustAggregateDefinition<Registry extends EventRegistry = AnyEvents> {
  /** Its `NAME` in Rust. */
  readonly name: string;
  /** What its streams are called before the first `-`. Without it, all streams are meant. */
  readonly category?: string | undefined;
  /** The events that it folds and decides: its upcasters apply, its schemas are checked. As the store's where it is left out. */
  readonly events?: Registry | undefined;
  /**
   * After how many events beyond the last snapshot there is to be another; `false`, as where it is left out, for never. What is changed
   * in Rust is not seen: whoever has snapshots kept raises `VERSION` with every change of `initial` or `evolve`, or is shown an old state.
   */
  readonly snapshotEvery?: number | false | undefined;
}

/**
 * An aggregate that is written in Rust: one of those that the crate exports whose wasm {@link useWasm} has this page use. It is used as
 * any other, and folded in the core without a call into JavaScript. Events that upcasters change, drop or rename are handed over
 * changed; to Rust they are those of today.
 *
 * `State` is what serde makes of the state, `Command` what it reads as a command; numbers are those of JavaScript. What `decide`
 * refuses is `COMMAND_REFUSED`, with its error as JSON as the `cause`; data that is not what its type says is `REDUCER_FAILED`.
 *
 * Errors: `INVALID_ARGUMENT`; of loads and commands also where the wasm has no such aggregate, and for a command that is none of its type.
 *
 * @example
 * const Account = rustAggregate<{ balance: number }, { type: "Withdraw"; amount: number }>({ name: "account", category: "account" });
 * await store.execute(Account, "account-1", { type: "Withdraw", amount: 5 });
 */
export function rustAggregate<State, Command = never, Registry extends EventRegistry = AnyEvents>(
  definition: RustAggregateDefinition<Registry>,
): Aggregate<State, Registry, Command> {
  const checked = bag(definition, ["name", "category", "events", "snapshotEvery"], "definition");
  const rustName = name(checked.name, "definition.name");
  const category = definedOption(checked, "category", checkCategory);
  definedOption(checked, "events", checkRegistry);
  const snapshotEvery = definedOption(checked, "snapshotEvery", checkSnapshotEvery) ?? false;
  // Whoever names an aggregate folds it; whether it is given commands here, nobody has said.
  foreseen.add("folds");
  return Object.freeze({
    name: rustName,
    // It is known when the wasm is there.
    get version() {
      return domain.aggregate(rustName).version;
    },
    category,
    events: definition.events,
    initial: () => structuredClone(domain.aggregate(rustName).initial) as State,
    evolve: new RustEvolve(rustName),
    decide: (command: Command, state: State, { now, revision }: { readonly now: number; readonly revision: number | undefined }) =>
      decide(rustName, command, state, now, revision) as readonly NewEvent<Registry>[],
    snapshotEvery,
    stream: streamsOf(rustName, category),
  });
}

/** The events that a command leads to. */
function decide(aggregate: string, given: unknown, stateGiven: unknown, now: number, revision: number | undefined): unknown {
  const [command, state] = [jsonText(given, "command", "", BOUNDLESS), jsonText(stateGiven, "state", "", BOUNDLESS)];
  const decision = domain.decide({ aggregate, state, command, now, revision });
  if ("events" in decision) return decision.events;
  const { message, error: cause } = decision.refused;
  throw new EverfoldError(message, { code: "COMMAND_REFUSED", aggregate, cause });
}
