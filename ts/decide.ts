import type { AnyAggregate, DecideContext } from "./aggregate.js";
import { invalidArgument } from "./errors.js";
import { isUnawaited } from "./schema.js";

/** The events that a command leads to, of which nothing is known yet. What the decision throws comes out as it is. */
export function decide(aggregate: AnyAggregate<unknown>, command: unknown, state: unknown, context: DecideContext): readonly unknown[] {
  const decided = (aggregate.decide as (command: unknown, state: unknown, context: DecideContext) => unknown)(command, state, context);
  if (isUnawaited(decided)) throw invalidArgument("aggregate.decide", "gave a promise; it must be synchronous");
  if (decided === undefined) return [];
  return Array.isArray(decided) ? (decided as unknown[]) : [decided];
}
