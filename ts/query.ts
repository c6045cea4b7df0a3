import { bag, list, name } from "./arguments.js";
import type { EngineLimits, QueryItemMessage } from "./engine.js";
import { QUERY_LISTS } from "./engine.js";
import { invalidArgument, limitExceeded } from "./errors.js";
import type { AnyEvents, EventRegistry, FactType, RecordedEvent, RecordedFact, TypeOf } from "./events.js";
import type { Upcaster } from "./upcast.js";

/** A conjunction: an event matches when it matches every list that is given. `{}` matches every event. */
export interface QueryItem<Registry extends EventRegistry = AnyEvents> {
  /** Any of these types. Facts of the store, such as `$deleted`, match only where they are named. */
  readonly types?: readonly (TypeOf<Registry> | FactType)[] | undefined;
  /** All of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** Any of these streams. */
  readonly streams?: readonly string[] | undefined;
  /** Any of these categories: what stands before the first `-` of a stream's name. */
  readonly categories?: readonly string[] | undefined;
}

/**
 * Which events are meant: those that match at least one of the items. An empty list, here or in an item, is
 * refused: it would match nothing where most likely everything was meant.
 */
export type Query<Registry extends EventRegistry = AnyEvents> = QueryItem<Registry> | readonly QueryItem<Registry>[];

/** The types that an item lets through. */
type TypesOfItem<Registry extends EventRegistry, Item> = Item extends { readonly types: readonly (infer Type)[] }
  ? Type
  : "types" extends keyof Item
    ? TypeOf<Registry> | FactType
    : TypeOf<Registry>;

type EventOfType<Registry extends EventRegistry, Type> = Type extends FactType
  ? RecordedFact<Type>
  : Type extends TypeOf<Registry>
    ? string extends Type
      ? RecordedEvent<Registry> | RecordedFact
      : RecordedEvent<Registry, Type>
    : never;

/** The events that a query lets through: of the types that it names, where each of its items names some. */
export type Matching<Registry extends EventRegistry, Wanted> = Wanted extends readonly (infer Item)[]
  ? MatchingItem<Registry, Item>
  : MatchingItem<Registry, Wanted>;

type MatchingItem<Registry extends EventRegistry, Item> = Item extends unknown
  ? "types" extends keyof Item
    ? EventOfType<Registry, TypesOfItem<Registry, Item>>
    : RecordedEvent<Registry>
  : never;

/** A query that lets everything through, as it crosses to the core. */
export const EVERYTHING: readonly QueryItemMessage[] = [{}];

/** How the log is read from one end to the other. */
export const FORWARDS = { before: undefined, since: undefined, until: undefined, direction: "forwards" } as const;

/** The types of the facts, which a query sees where it names them. */
export const FACT_TYPES: readonly FactType[] = ["$deleted", "$tombstoned", "$truncated"];

/** What happened in the log, events and facts. */
export const WHATEVER: readonly QueryItemMessage[] = [...EVERYTHING, { types: FACT_TYPES }];

/** How queries are understood: by the bounds of the core, and the former names of types. */
export interface QueryContext {
  readonly limits: EngineLimits;
  readonly upcaster: Upcaster | undefined;
}

/** Checks a query that stands at `path`. Who asks for a type asks for its former names too. */
export function checkQuery(query: unknown, path: string, context: QueryContext): readonly QueryItemMessage[] {
  const { limits } = context;
  if (!Array.isArray(query)) return [checkItem(query, path, context)];
  if (query.length === 0) throw emptyList(path);
  checkCount(query.length, path, "query items", limits.queryEntries);
  let nameCount = 0;
  return query.map((item, index) => {
    const message = checkItem(item, `${path}[${index}]`, context);
    for (const key of QUERY_LISTS) nameCount += message[key]?.length ?? 0;
    checkCount(nameCount, path, "query names", limits.queryNames);
    return message;
  });
}

function checkItem(value: unknown, path: string, { limits, upcaster }: QueryContext): QueryItemMessage {
  const item = bag(value, QUERY_LISTS, path);
  const message: QueryItemMessage = {};
  for (const key of QUERY_LISTS) {
    const entries = item[key];
    if (entries === undefined) continue;
    const place = `${path}.${key}`;
    const names = list(entries, place);
    if (names.length === 0) throw emptyList(place);
    checkCount(names.length, place, "query entries", limits.queryEntries);
    // `Array.from` turns holes into undefined, which is then refused as any other non-string.
    message[key] = Array.from(names, (entry, index) => name(entry, `${place}[${index}]`));
  }
  if (message.types !== undefined && upcaster !== undefined) message.types = upcaster.storedTypes(message.types);
  return message;
}

function emptyList(path: string) {
  return invalidArgument(path, "is an empty list; leave it out to match everything, or name at least one");
}

function checkCount(count: number, path: string, limit: string, maximum: number): void {
  if (maximum < count) throw limitExceeded(path, limit, count, maximum);
}
