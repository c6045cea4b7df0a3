// Which of the events that came for several queries are one query's: the core has chosen them for all at once.
import type { QueryItemMessage } from "./engine.js";
import type { AnyRecorded } from "./page.js";

/** Whether an event, as it is stored, is among those that a checked query lets through. */
export function matches(query: readonly QueryItemMessage[], event: AnyRecorded): boolean {
  return query.some((item) => matchesItem(item, event));
}

/** Whether a query may let events of a stream through. */
export function mayConcern(query: readonly QueryItemMessage[], stream: string): boolean {
  return query.some((item) => isOf(item, stream));
}

function matchesItem(item: QueryItemMessage, event: AnyRecorded): boolean {
  const { types, tags } = item;
  // A fact of the store's own is seen where it is named.
  if (types === undefined ? event.revision === undefined : !types.includes(event.type)) return false;
  return isOf(item, event.stream) && (tags === undefined || tags.every((tag) => event.tags.includes(tag)));
}

function isOf({ streams, categories }: QueryItemMessage, stream: string): boolean {
  return (streams === undefined || streams.includes(stream)) && (categories === undefined || categories.includes(categoryOf(stream)));
}

/** What stands before the first `-` of a stream's name; all of it, where there is none. */
function categoryOf(stream: string): string {
  const end = stream.indexOf("-");
  return end < 0 ? stream : stream.slice(0, end);
}
