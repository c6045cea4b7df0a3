import { bag, callback, option, unfit } from "./arguments.js";
import { invalidArgument } from "./errors.js";
import type { Json } from "./json.js";
import { pathOf } from "./payload.js";
import type { TimeInput } from "./time.js";

declare const DATA: unique symbol;

/** What is declared of one type of event: the shape of its data, and the tags that follow from it. */
export interface EventTypeDefinition<Data> {
  /** Carries the type of the data for the compiler; there is no such property. */
  readonly [DATA]?: { readonly is: Data };
  /** The tags that an event gets from its data when it is appended, besides its own. The data is as a read will give it. */
  tags?(data: Data): readonly string[];
}

/** Definitions by type of event: what {@link defineEvents} gives. */
export interface EventRegistry {
  readonly [type: string]: EventTypeDefinition<unknown>;
}

/** The registry of a store that was opened without one: every type is allowed, and data is `unknown`. */
export interface AnyEvents extends EventRegistry {}

/** The types of a registry. */
export type TypeOf<Registry extends EventRegistry> = keyof Registry & string;

/** The data of a definition. */
export type DataOf<Definition> = Definition extends EventTypeDefinition<infer Data> ? Data : never;

/** What an event carries besides its data. Those properties that are named here are the store's own. */
export interface EventMetadata {
  /** The command that led to the event. */
  readonly commandId?: string;
  /** What all events of one course of business have in common. */
  readonly correlationId?: string;
  /** The id of the event that led to this one. */
  readonly causationId?: string;
  /** The version of the type under which the data was written. */
  readonly schemaVersion?: number;
  readonly [key: string]: Json | undefined;
}

/**
 * Metadata as a caller gives it: a JSON object. `commandId`, `correlationId`, `causationId` and `schemaVersion` are the
 * store's own, and refused.
 */
export interface NewMetadata {
  readonly [key: string]: Json | undefined;
}

/** An event to append, of one type. */
export type NewEventOf<Type extends string, Data> = {
  /** What happened: 1 to 256 bytes of UTF-8 that do not begin with `$`. */
  readonly type: Type;
  /** A UUID, which makes the append safe to repeat. The store makes one where it is left out. */
  readonly id?: string | undefined;
  /** What is known about the event: a JSON object. */
  readonly metadata?: NewMetadata | undefined;
  /** What queries find it by: at most 32, each of 1 to 256 bytes of UTF-8. */
  readonly tags?: readonly string[] | undefined;
  /** When it happened. The store's clock, which never runs backwards, where it is left out. */
  readonly time?: TimeInput | undefined;
} & (undefined extends Data
  ? {
      /** The facts, as JSON keeps them. */
      readonly data?: Data;
    }
  : {
      /** The facts, as JSON keeps them. */
      readonly data: Data;
    });

/** An event to append, of any type of a registry. */
export type NewEvent<Registry extends EventRegistry = AnyEvents, Type extends TypeOf<Registry> = TypeOf<Registry>> = {
  [Key in Type]: NewEventOf<Key, DataOf<Registry[Key]>>;
}[Type];

/** An event as it stands in the log, of one type. */
export interface RecordedEventOf<Type extends string, Data> {
  /** Its UUID, in lower case. */
  readonly id: string;
  /** Its stream. */
  readonly stream: string;
  /** Its place in its stream, from 0. */
  readonly revision: number;
  /** Its place in the log, from 1. Strictly increasing. */
  readonly position: number;
  /** What happened. */
  readonly type: Type;
  /** The facts; `undefined` where none were given. */
  readonly data: Data;
  /** What is known about it; `{}` where nothing is. */
  readonly metadata: EventMetadata;
  /** Its tags, in the order in which they were given. */
  readonly tags: readonly string[];
  /** When it happened: Unix milliseconds. */
  readonly time: number;
}

/** An event as it stands in the log, of any type of a registry, or of those named. */
export type RecordedEvent<
  Registry extends EventRegistry = AnyEvents,
  Type extends TypeOf<Registry> = TypeOf<Registry>,
> = {
  [Key in Type]: RecordedEventOf<Key, DataOf<Registry[Key]>>;
}[Type];

/** The types of the facts that the store itself appends. Queries see them where they name them. */
export type FactType = "$deleted" | "$tombstoned" | "$truncated";

/** A fact that the store itself appended: it has a position, and no place in its stream. */
export type RecordedFact<Type extends FactType = FactType> = {
  [Key in Type]: Omit<RecordedEventOf<Key, FactData<Key>>, "revision"> & {
    /** A fact takes no place in its stream. */
    readonly revision: undefined;
  };
}[Type];

/** What a fact says: of `$truncated` the first revision that is still seen. */
export type FactData<Type extends FactType> = Type extends "$truncated" ? { readonly before: number } : undefined;

/** What may be said of a type of event. */
export interface EventTypeOptions<Data> {
  /**
   * The tags that an event gets from its data when it is appended, besides its own. Must be pure. It is given the data
   * as a read will give it: a copy, of what JSON keeps.
   */
  readonly tags?: ((data: Data) => readonly string[]) | undefined;
}

/** Marks what {@link eventType} made, in every copy of this package. */
const BRAND: unique symbol = Symbol.for("everfold.eventType") as never;

/**
 * Declares the data of one type of event; without a type argument, an event without data.
 *
 * @example
 * eventType<{ amount: number; currency: string }>({ tags: (data) => [`currency:${data.currency}`] })
 */
export function eventType(options?: EventTypeOptions<undefined>): EventTypeDefinition<undefined>;
export function eventType<Data>(options?: EventTypeOptions<Data>): EventTypeDefinition<Data>;
export function eventType<Data>(options: EventTypeOptions<Data> = {}): EventTypeDefinition<Data> {
  option(bag(options, ["tags"], "options"), "tags", callback);
  const definition: EventTypeDefinition<Data> = options.tags === undefined ? {} : { tags: options.tags };
  return Object.freeze(Object.defineProperty(definition, BRAND, { value: true }));
}

/**
 * Declares the types of events of a domain. A store that is opened with it appends only these, and knows the
 * data of what it reads.
 *
 * @example
 * const bank = defineEvents({
 *   AccountOpened: eventType<{ owner: string }>(),
 *   MoneyDeposited: eventType<{ amount: number }>(),
 *   AccountClosed: eventType(),
 * });
 */
export function defineEvents<const Registry extends EventRegistry>(types: Registry): Registry {
  checkRegistry(types, "types");
  return Object.freeze({ ...types });
}

/** Refuses what is no registry of events. */
export function checkRegistry(types: unknown, path: string): void {
  if (typeof types !== "object" || types === null) throw unfit(types, path, "an object");
  for (const [type, definition] of Object.entries(types)) {
    const place = pathOf(path, [type]);
    if (typeof definition !== "object" || definition === null || !(BRAND in definition)) {
      throw invalidArgument(place, "was not made by eventType()");
    }
    if (type === "" || type.startsWith("$")) {
      throw invalidArgument(place, 'is no type of event: it is empty or begins with "$"');
    }
  }
}
