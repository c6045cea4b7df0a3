import type { Expected } from "./append.js";
import { durabilityOption, expectedCode } from "./append.js";
import { name, options as optionBag, whole } from "./arguments.js";
import type { Durability, MarkMessage } from "./engine.js";
import type { Session } from "./session.js";

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

/** Deletes, tombstones or truncates a stream. */
export async function markStream(
  { engine, queue, durability: ofStore }: Session,
  mark: MarkMessage["mark"],
  stream: string,
  options: unknown,
): Promise<MarkResult> {
  const isTruncation = mark === "truncate";
  const bag = optionBag(options, [...(isTruncation ? ["before"] : []), "expected", "durability"]);
  const message: MarkMessage = {
    stream: name(stream, "stream"),
    mark,
    before: isTruncation ? whole(bag.before, "options.before") : 0,
    expected: expectedCode(bag.expected, "options.expected"),
    durability: durabilityOption(bag) ?? ofStore,
  };
  // What was appended before in this task comes first in the log, too.
  queue.flush();
  const { position, durability } = await engine.mark(message);
  return { stream, position, durability };
}
