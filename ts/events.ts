import { bag, callback, list, name, option, show, unfit, whole } from "./arguments.js";
import { invalidArgument } from "./errors.js";
import type { Json } from "./json.js";
import { pathOf } from "./payload.js";
import type { StandardSchema } from "./schema.js";
import { checkIsSchema } from "./schema.js";
import type { TimeInput } from "./time.js";

declare const DATA: unique symbol;

/** What is declared of one type of event: the shape of its data, and the tags that follow from it. */
export interface EventTypeDefinition<Data> {
  /** Carries the type of the data for the compiler; there is no such property. */
  readonly [DATA]?: { readonly is: Data };
  /** The tags that an event gets from its data when it is appended, besides its own. The data is as a read will give it. */
  tags?(data: Data): readonly string[];
  /** What holds the data to its shape when an event is appended. */
  readonly schema?: StandardSchema | undefined;
  /** The version under which events are appended; 1 where it is left out. */
  readonly version?: number | undefined;
  /** What makes the data of the next version from that of an older one. */
  readonly upcast?: { readonly [version: number]: UpcastStep } | undefined;
  /** Other names under which events of this type are stored. */
  readonly formerly?: readonly string[] | undefined;
}

/**
 * Makes the data of the next version from that of an older one, of which the compiler knows nothing. Must be pure and
 * synchronous. `null` drops the event: no read gives it, no fold sees it. Whoever is given data and gives `undefined` has forgotten to
 * return it. Errors: `UPCASTER_FAILED` of the read or the fold, for that, for a promise, and for what it throws.
 */
export type UpcastStep = (data: any, context: UpcastContext) => unknown;

/** What an upcaster is told besides the data. */
export interface UpcastContext {
  /** The event's metadata, as it is stored. */
  readonly metadata: EventMetadata;
  /** The type under which the event is stored. */
  readonly type: string;
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
   * What the data is held to when an event is appended: any Standard Schema that judges at once. It only checks: what is
   * stored is what was given. What it throws comes out as it is. Errors of the append: `SCHEMA_FAILED`, and `INVALID_ARGUMENT` where
   * it gives a promise, or no verdict.
   */
  readonly schema?: StandardSchema<Data, unknown> | undefined;
  /** Of the shape of the data: 1 where it is left out, more by one at each change that old events need an upcaster for. */
  readonly version?: number | undefined;
  /**
   * By version, what makes the data of the next one from it: `{ 1: (data) => ({ ...data, currency: "EUR" }) }`. Without
   * a hole from the oldest version there is up to the one before `version`. Stored bytes never change.
   */
  readonly upcast?: { readonly [version: number]: UpcastStep } | undefined;
  /** What the type was called before: events stored so read as this type, and who asks for this type gets them too. */
  readonly formerly?: readonly string[] | undefined;
  /**
   * The tags that an event gets from its data when it is appended, besides its own. Must be pure. It is given the data
   * as a read will give it: a copy, of what JSON keeps.
   */
  readonly tags?: ((data: Data) => readonly string[]) | undefined;
}

/** Marks what {@link eventType} made, in every copy of this package. */
const BRAND: unique symbol = Symbol.for("everfold.eventType") as never;

/**
 * Declares the data of one type of event; without a type argument, an event without data. Errors: `INVALID_ARGUMENT`.
 *
 * @example
 * eventType<{ amount: number; currency: string }>({ tags: (data) => [`currency:${data.currency}`] })
 */
export function eventType(options?: EventTypeOptions<undefined>): EventTypeDefinition<undefined>;
export function eventType<Data>(options?: EventTypeOptions<Data>): EventTypeDefinition<Data>;
export function eventType<Data>(options: EventTypeOptions<Data> = {}): EventTypeDefinition<Data> {
  const checked = bag(options, ["schema", "version", "upcast", "formerly", "tags"], "options");
  option(checked, "tags", callback);
  option(checked, "schema", checkIsSchema);
  option(checked, "version", checkVersion);
  const upcast = option(checked, "upcast", checkSteps);
  const formerly = option(checked, "formerly", list)?.map((former, index) => name(former, `options.formerly[${index}]`));
  const definition = { ...options, ...(upcast && { upcast }), ...(formerly && { formerly }) } as EventTypeDefinition<Data>;
  return Object.freeze(Object.defineProperty(definition, BRAND, { value: true }));
}

/**
 * Declares the types of events of a domain. A store that is opened with it appends only these, and knows the
 * data of what it reads.
 *
 * Errors: `INVALID_ARGUMENT`, also for upcasters that leave out a version, and for a former name that is another type's.
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
  const named = new Set(Object.keys(types));
  for (const [type, definition] of Object.entries(types as Record<string, unknown>)) {
    const place = pathOf(path, [type]);
    if (typeof definition !== "object" || definition === null || !(BRAND in definition)) {
      throw invalidArgument(place, "was not made by eventType()");
    }
    if (type === "" || type.startsWith("$")) {
      throw invalidArgument(place, 'is no type of event: it is empty or begins with "$"');
    }
    const { version = 1, upcast, formerly = [] } = definition as EventTypeDefinition<unknown>;
    if (upcast !== undefined) checkChain(upcast, version, place);
    for (const former of formerly) {
      if (named.has(former) || former.startsWith("$")) {
        throw invalidArgument(`${place}.formerly`, `has ${show(former)}, which is another type or its former name, or begins with "$"`);
      }
      named.add(former);
    }
  }
}

function checkVersion(value: unknown, path: string): number {
  const version = whole(value, path);
  if (version === 0) throw unfit(value, path, "a whole number from 1");
  return version;
}

/** The upcasters of a type, as they are now: what becomes of the object afterwards changes nothing. */
function checkSteps(value: unknown, path: string): { readonly [version: number]: UpcastStep } {
  if (typeof value !== "object" || value === null) throw unfit(value, path, "an object of functions by version");
  for (const [version, step] of Object.entries(value)) callback(step, `${path}[${version}]`);
  return Object.freeze({ ...(value as { readonly [version: number]: UpcastStep }) });
}

/** Refuses upcasters that leave out a version. Integer keys come in their order. */
function checkChain(upcast: { readonly [version: number]: UpcastStep }, version: number, place: string): void {
  const keys = Object.keys(upcast);
  const oldest = Number(keys[0] ?? version);
  const isWhole = keys.length === Math.max(version - oldest, 0) && keys.every((key, index) => key === `${oldest + index}`);
  if (1 <= oldest && isWhole) return;
  throw invalidArgument(
    `${place}.upcast`,
    `has ${keys.join(", ")}; one for each version from the oldest, which is at least 1, to ${version - 1} is needed, because the type is at version ${version}`,
  );
}
