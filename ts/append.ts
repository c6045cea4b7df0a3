import type { CommitParts, EventParts, WriteParts } from "./append-message.js";
import { abortSignal, bag, list, name, oneOf, option, options as optionBag, show, unfit, uuid, whole } from "./arguments.js";
import type { ConditionMessage, Durability, EngineLimits, ErrorMessage } from "./engine.js";
import { DURABILITY, EXPECTED } from "./engine.js";
import { invalidArgument, limitExceeded } from "./errors.js";
import type { AnyEvents, EventRegistry, EventTypeDefinition, NewEvent, NewMetadata } from "./events.js";
import { jsonCopy, jsonText, writtenText } from "./payload.js";
import type { Query } from "./query.js";
import { checkQuery } from "./query.js";
import { unixMillis } from "./time.js";

/**
 * What a writer believes of a stream: nothing (`"any"`), that it never existed or was deleted (`"noStream"`), that it is
 * there (`"streamExists"`), or the revision of its last event.
 */
export type Expected = "any" | "noStream" | "streamExists" | number;

/** Refuses an append when an event stands in the log that its writer had not seen (as in dcb.events). */
export interface AppendCondition<Registry extends EventRegistry = AnyEvents> {
  /** Which events are not to be there. */
  readonly failIfEventsMatch: Query<Registry>;
  /** The last position that the writer had seen: events up to it do not count. 0 where it is left out. */
  readonly after?: number | undefined;
}

/** What led to an event: a recorded event, or as much of one as is known. */
export interface Cause {
  /** Its id becomes the `causationId`, and the `correlationId` where it has none of its own. */
  readonly id: string;
  /** Where its `correlationId` is found. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
}

/** Options of a commit. */
export interface CommitOptions<Registry extends EventRegistry = AnyEvents> {
  /** What must not be in the log. */
  readonly condition?: AppendCondition<Registry> | undefined;
  /** How much the commit must outlive once it is acknowledged; as the store was opened, where it is left out. */
  readonly durability?: "relaxed" | "strict" | undefined;
  /** The event that led to these: sets `correlationId` and `causationId` in their metadata. */
  readonly causedBy?: Cause | undefined;
  /** Metadata of every event of the commit, under each event's own. */
  readonly metadata?: NewMetadata | undefined;
  /** Withdraws the append while it is queued. Once its transaction has begun it counts no more. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of an append to one stream. */
export interface AppendOptions<Registry extends EventRegistry = AnyEvents> extends CommitOptions<Registry> {
  /** What the writer believes of the stream. `"any"` where it is left out. */
  readonly expected?: Expected | undefined;
}

/** The part of a commit that concerns one stream. Without events it is a check only. */
export interface StreamWrite<Registry extends EventRegistry = AnyEvents> {
  /** The stream. */
  readonly stream: string;
  /** What to append, in this order. */
  readonly events?: NewEvent<Registry> | readonly NewEvent<Registry>[] | undefined;
  /** What the writer believes of the stream. `"any"` where it is left out. */
  readonly expected?: Expected | undefined;
}

/** What an append did to one stream. */
export interface AppendResult {
  /** The stream. */
  readonly stream: string;
  /** The revision of the first event; `undefined` where no events were given. */
  readonly firstRevision: number | undefined;
  /** The revision of the last event; where no events were given that of the stream, `undefined` where it has none. */
  readonly lastRevision: number | undefined;
  /** The position of the first event; `undefined` where no events were given. */
  readonly firstPosition: number | undefined;
  /** The position of the last event; where no events were given the last of the log. */
  readonly lastPosition: number;
  /** How durable it is: what was asked for, or more where it shared a transaction. `"memory"` without a disk. */
  readonly durability: Durability;
  /** Whether all events stood there already, so that nothing was written. */
  readonly duplicate: boolean;
}

/** What a commit did. */
export interface CommitResult {
  /** One for each write, in order. */
  readonly writes: readonly AppendResult[];
  /** The position of the last event; where no events were given the last of the log. */
  readonly lastPosition: number;
  /** How durable it is, as in {@link AppendResult}. */
  readonly durability: Durability;
  /** Whether all events stood there already, so that nothing was written. */
  readonly duplicate: boolean;
}

/** What a commit is judged and written by, besides its arguments. */
export interface CommitContext {
  readonly limits: EngineLimits;
  /** The registry of the store, where it has one. */
  readonly events: EventRegistry | undefined;
  /** The durability of the store. */
  readonly durability: "relaxed" | "strict";
}

/** A write of which nothing is known yet, with the place of its parts in the caller's arguments. */
export interface UncheckedWrite {
  readonly stream: unknown;
  readonly expected: unknown;
  readonly events: readonly unknown[];
  /** Where the stream, the expectation and the events stand. */
  readonly paths: { readonly stream: string; readonly expected: string; readonly events: string };
}

const COMMIT_OPTIONS = ["condition", "durability", "causedBy", "metadata", "signal"] as const;
const APPEND_OPTIONS = ["expected", ...COMMIT_OPTIONS] as const;
const EVENT_PROPERTIES = new Set(["type", "data", "id", "metadata", "tags", "time", "stream", "revision", "position"]);
const RESERVED_METADATA = ["commandId", "correlationId", "causationId", "schemaVersion"] as const;

/** The one write of an `append`. */
export function singleWrite(stream: unknown, events: unknown, options: unknown): UncheckedWrite {
  const { expected } = optionBag(options, APPEND_OPTIONS);
  return {
    stream,
    expected,
    events: Array.isArray(events) ? events : [events],
    paths: { stream: "stream", expected: "options.expected", events: "events" },
  };
}

/** The writes of an `appendAll`. */
export function severalWrites(writes: unknown): UncheckedWrite[] {
  return list(writes, "writes").map((value, index) => {
    const path = `writes[${index}]`;
    const { stream, expected, events = [] } = bag(value, ["stream", "events", "expected"], path);
    return {
      stream,
      expected,
      events: Array.isArray(events) ? events : [events],
      paths: { stream: `${path}.stream`, expected: `${path}.expected`, events: `${path}.events` },
    };
  });
}

/** The signal among the options of a commit. */
export function commitSignal(options: object = {}): AbortSignal | undefined {
  return option(options as { readonly signal?: unknown }, "signal", abortSignal);
}

/**
 * Checks a commit and encodes it. Whatever code of the caller runs meanwhile, be it the tags of a type, a `toJSON` or a
 * getter, may itself append: nothing is shared with others until it is done.
 */
export function checkCommit(writes: readonly UncheckedWrite[], options: unknown, context: CommitContext): CommitParts {
  const bag = optionBag(options, APPEND_OPTIONS);
  const durability = DURABILITY[durabilityOption(bag) ?? context.durability];
  const condition = option(bag, "condition", (value, path) => checkCondition(value, path, context.limits));
  const common = commonMetadata(bag.metadata, bag.causedBy, context.limits.jsonDepth);
  const eventCount = writes.reduce((count, write) => count + write.events.length, 0);
  const { commitEvents } = context.limits;
  if (commitEvents < eventCount) throw limitExceeded("events", "commit events", eventCount, commitEvents);
  let textLength = 0;
  const checkedWrites = writes.map(({ stream, expected, events, paths }): WriteParts => {
    const checkedStream = name(stream, paths.stream);
    const checkedExpected = expectedCode(expected, paths.expected);
    const checkedEvents: EventParts[] = [];
    for (let index = 0; index < events.length; index += 1) {
      const event = checkEvent(events[index], `${paths.events}[${index}]`, common, context);
      textLength += (event.data?.length ?? 0) + (event.metadata?.length ?? 0);
      refuseTooLong(textLength, context.limits);
      checkedEvents.push(event);
    }
    return { stream: checkedStream, expected: checkedExpected, events: checkedEvents };
  });
  return { durability, condition, writes: checkedWrites };
}

/**
 * An error of the core with its path as the caller wrote the call: the core knows writes and their parts, and the
 * one write of an `append` is none that its caller named.
 */
export function inTermsOfCaller(error: ErrorMessage, writes: readonly UncheckedWrite[]): ErrorMessage {
  const { path } = error;
  const parts = typeof path === "string" ? /^writes\[(\d+)\]\.(stream|expected|events)(.*)$/s.exec(path) : null;
  if (parts === null) return error;
  const [, index, part, rest] = parts;
  const paths = writes[Number(index)]?.paths;
  const own = `${paths?.[part as keyof UncheckedWrite["paths"]]}${rest}`;
  return { ...error, path: own, message: error.message.replace(String(path), () => own) };
}

/** The code of an expectation, as it crosses. */
export function expectedCode(value: unknown, path: string): number {
  if (value === undefined) return EXPECTED.any;
  if (typeof value === "number") return whole(value, path);
  return EXPECTED[oneOf(value, ["any", "noStream", "streamExists"], path)];
}

/** A durability among options, where there is one. */
export function durabilityOption(bag: Record<string, unknown>): "relaxed" | "strict" | undefined {
  return option(bag, "durability", (value, path) => oneOf(value, ["relaxed", "strict"], path));
}

function checkCondition(value: unknown, path: string, limits: EngineLimits): ConditionMessage {
  const { failIfEventsMatch, after = 0 } = bag(value, ["failIfEventsMatch", "after"], path);
  return {
    query: checkQuery(failIfEventsMatch, `${path}.failIfEventsMatch`, limits),
    after: whole(after, `${path}.after`),
  };
}

/** Metadata that all events of a commit share: what the caller gave, and what follows from the cause. */
function commonMetadata(metadata: unknown, causedBy: unknown, jsonDepth: number): object | undefined {
  const given = checkMetadata(metadata, "options.metadata", jsonDepth);
  if (causedBy === undefined) return given;
  if (typeof causedBy !== "object" || causedBy === null) {
    throw unfit(causedBy, "options.causedBy", "a recorded event");
  }
  const cause = causedBy as { readonly id?: unknown; readonly metadata?: { readonly correlationId?: unknown } };
  const causationId = uuid(cause.id, "options.causedBy.id").toLowerCase();
  const correlationId = cause.metadata?.correlationId;
  return { ...given, correlationId: typeof correlationId === "string" ? correlationId : causationId, causationId };
}

/** A copy of metadata as JSON keeps it. */
function checkMetadata(value: unknown, path: string, jsonDepth: number): object | undefined {
  if (value === undefined) return undefined;
  const copy = jsonCopy(value, path, jsonDepth);
  if (typeof copy !== "object" || copy === null || Array.isArray(copy)) {
    throw unfit(copy, path, "a plain object");
  }
  for (const key of RESERVED_METADATA) {
    if (Object.hasOwn(copy, key)) {
      throw invalidArgument(`${path}.${key}`, "is the store's own; use another name, or the option causedBy");
    }
  }
  return copy;
}

function checkEvent(
  value: unknown,
  path: string,
  common: object | undefined,
  context: CommitContext,
): EventParts {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unfit(value, path, "an event, { type, data },");
  }
  for (const key in value) {
    if (!EVENT_PROPERTIES.has(key)) throw invalidArgument(`${path}.${key}`, "is not a property of an event");
  }
  // Each is read once: a getter need not answer the same again.
  const event = value as { readonly [Key in "type" | "data" | "id" | "metadata" | "tags" | "time"]?: unknown };
  const { data, metadata, id, time, tags } = event;
  const type = name(event.type, `${path}.type`);
  const definition = definitionOf(type, path, context.events);
  const { jsonDepth, tagsPerEvent } = context.limits;
  return {
    type,
    data: data === undefined ? undefined : jsonText(data, `${path}.data`, jsonDepth),
    metadata: metadataText(metadata, common, `${path}.metadata`, jsonDepth),
    id: id === undefined ? undefined : uuid(id, `${path}.id`),
    time: time === undefined ? undefined : unixMillis(time, `${path}.time`),
    tags: checkTags({ tags, data }, definition, path, tagsPerEvent),
  };
}

function definitionOf(type: string, path: string, events: EventRegistry | undefined): EventTypeDefinition<unknown> | undefined {
  if (events === undefined) return undefined;
  // A type that begins with "$" is refused by the core, with its own reason.
  if (!Object.hasOwn(events, type) && !type.startsWith("$")) {
    throw invalidArgument(`${path}.type`, `is ${show(type)}, which is not among the events that this store was opened with`);
  }
  return events[type];
}

function metadataText(value: unknown, common: object | undefined, path: string, jsonDepth: number): string | undefined {
  const own = checkMetadata(value, path, jsonDepth);
  if (own === undefined && common === undefined) return undefined;
  const written = writtenText({ ...common, ...own }, path);
  return written === "{}" ? undefined : written;
}

function checkTags(
  event: { readonly tags?: unknown; readonly data?: unknown },
  definition: EventTypeDefinition<unknown> | undefined,
  path: string,
  tagsMax: number,
): readonly string[] {
  const own = event.tags === undefined ? [] : list(event.tags, `${path}.tags`);
  const derived = definition?.tags === undefined ? [] : list(definition.tags(event.data), `${path}: the tags of its type`);
  if (own.length === 0 && derived.length === 0) return [];
  const tags = new Set<string>();
  for (let index = 0; index < own.length; index += 1) tags.add(name(own[index], `${path}.tags[${index}]`));
  for (const tag of derived) tags.add(name(tag, `${path}: a tag of its type`));
  if (tagsMax < tags.size) throw limitExceeded(`${path}.tags`, "tags", tags.size, tagsMax);
  return [...tags];
}

/** Stops encoding what the core would refuse: UTF-8 is never shorter than its length in UTF-16 units. */
function refuseTooLong(length: number, limits: EngineLimits): void {
  if (limits.commitBytes < length) throw limitExceeded("events", "commit bytes", length, limits.commitBytes);
}
