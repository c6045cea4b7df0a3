import type { Expected } from "./append.js";
import { durabilityOption, expectedCode } from "./append.js";
import { name, options as optionBag, whole } from "./arguments.js";
import type { CommitContext } from "./commit-check.js";
import type { Durability, MarkMessage } from "./engine.js";

/** What is expected of a stream that is deleted, tombstoned or truncated, and how durable that is to be. */
export interface MarkOptions {
  /** What the caller believes of the stream. `"any"` where it is left out. */
  readonly expected?: Expected | undefined;
  /** How much it must outlive once it is acknowledged; as the store was opened, where it is left out. */
  readonly durability?: "relaxed" | "strict" | undefined;
}

/** What {@link EventStore.delete}, `tombstone` and `truncate` did. */
export interface MarkResult {
  /** The stream. */
  readonly stream: string;
  /** The position of the fact; `undefined` where the stream was so already, and nothing was written. */
  readonly position: number | undefined;
  /** How durable it is. */
  readonly durability: Durability;
}

/** Checks what is to be done to a stream as a whole. */
export function checkMark(mark: MarkMessage["mark"], stream: unknown, options: unknown, context: CommitContext): MarkMessage {
  const isTruncation = mark === "truncate";
  const bag = optionBag(options, [...(isTruncation ? ["before"] : []), "expected", "durability"]);
  return {
    stream: name(stream, "stream"),
    mark,
    before: isTruncation ? whole(bag.before, "options.before") : 0,
    expected: expectedCode(bag.expected, "options.expected"),
    durability: durabilityOption(bag) ?? context.durability,
  };
}
