import type { AnyAggregate } from "./aggregate.js";
import { bag, name } from "./arguments.js";
import type { QueryItemMessage } from "./engine.js";
import type { QueryContext } from "./query.js";
import { checkQuery } from "./query.js";
import { upcasterOf } from "./upcast.js";

/** What is to be folded: a stream, or what matches a query. */
export type Source = { readonly stream: string } | { readonly query: readonly QueryItemMessage[] };

/** A stream or a query, checked. */
export function checkSource(source: unknown, aggregate: AnyAggregate<unknown>, context: QueryContext): Source {
  if (typeof source !== "object") return { stream: name(source, "stream") };
  const { query } = bag(source, ["query"], "source");
  const upcaster = upcasterOf(aggregate) ?? context.upcaster;
  return { query: checkQuery(query, "source.query", { limits: context.limits, upcaster }) };
}
