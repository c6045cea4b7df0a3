import type { CommitParts, EventParts, WriteParts } from "./append-message.js";
import type { Place } from "./arguments.js";
import { abortSignal, bag, list, name, oneOf, option, options as optionBag, show, unfit, uuid, whole } from "./arguments.js";
import type { ConditionMessage, Durability, EngineLimits, ErrorMessage } from "./engine.js";
import { DURABILITY, EXPECTED } from "./engine.js";
import { invalidArgument, limitExceeded } from "./errors.js";
import type { AnyEvents, EventRegistry, EventTypeDefinition, NewEvent, NewMetadata } from "./events.js";
import { jsonText, metadataText } from "./payload.js";
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

/** A write of which nothing is known yet. As a text it is what the paths of its parts begin with. */
export class UncheckedWrite {
  readonly stream: unknown;
  readonly expected: unknown;
  readonly events: readonly unknown[];
  /** Its place among the writes of an `appendAll`; the one write of an `append` has none. */
  readonly #index: number | undefined;

  constructor(stream: unknown, expected: unknown, events: unknown, index?: number) {
    this.stream = stream;
    this.expected = expected;
    this.events = Array.isArray(events) ? events : [events];
    this.#index = index;
  }

  /** The path of a part. */
  pathOf(part: string): string {
    return this.#index === undefined && part === "expected" ? "options.expected" : `${this}${part}`;
  }

  toString(): string {
    return this.#index === undefined ? "" : `writes[${this.#index}].`;
  }
}

/** Where an event stands in the arguments of a caller. */
class EventPlace {
  readonly #write: UncheckedWrite;
  readonly #index: number;

  constructor(write: UncheckedWrite, index: number) {
    this.#write = write;
    this.#index = index;
  }

  toString(): string {
    return `${this.#write}events[${this.#index}]`;
  }
}

export const COMMIT_OPTIONS = ["condition", "durability", "causedBy", "metadata", "signal"] as const;
const APPEND_OPTIONS = ["expected", ...COMMIT_OPTIONS] as const;
const EVENT_PROPERTIES = new Set(["type", "data", "id", "metadata", "tags", "time", "stream", "revision", "position"]);
const NO_TAGS: readonly string[] = [];

/** The one write of an `append`. */
export function singleWrite(stream: unknown, events: unknown, options: unknown): UncheckedWrite {
  const { expected } = optionBag(options, APPEND_OPTIONS);
  return new UncheckedWrite(stream, expected, events);
}

/** The writes of an `appendAll`. */
export function severalWrites(writes: unknown): UncheckedWrite[] {
  return list(writes, "writes").map((value, index) => {
    const { stream, expected, events = [] } = bag(value, ["stream", "events", "expected"], `writes[${index}]`);
    return new UncheckedWrite(stream, expected, events, index);
  });
}

/** The signal among the options of a commit. */
export function commitSignal(options: unknown): AbortSignal | undefined {
  return option(optionBag(options, APPEND_OPTIONS), "signal", abortSignal);
}

/**
 * Checks a commit and encodes it. Whatever code of the caller runs meanwhile, be it the tags of a type, a `toJSON` or a
 * getter, may itself append: nothing is shared with others until it is done.
 */
export function checkCommit(writes: readonly UncheckedWrite[], options: unknown, context: CommitContext): CommitParts {
  const bag = optionBag(options, APPEND_OPTIONS);
  const durability = DURABILITY[durabilityOption(bag) ?? context.durability];
  const condition = option(bag, "condition", (value, path) => checkCondition(value, path, context.limits));
  const common = commonMetadata(bag.metadata, bag.causedBy, context.limits);
  const { commitEvents } = context.limits;
  let eventCount = 0;
  for (const { events } of writes) eventCount += events.length;
  if (commitEvents < eventCount) throw limitExceeded("events", "commit events", eventCount, commitEvents);
  let textLength = 0;
  const checkedWrites = writes.map((write): WriteParts => {
    // A copy: code of the caller's that runs meanwhile may change the array.
    const events = [...write.events];
    const stream = name(write.stream, write, "stream");
    const expected = write.expected === undefined ? EXPECTED.any : expectedCode(write.expected, write.pathOf("expected"));
    // An array that grows has room for many events, and most writes have one.
    const checkedEvents = new Array<EventParts>(events.length);
    for (let index = 0; index < events.length; index += 1) {
      const event = checkEvent(events[index], new EventPlace(write, index), common, context);
      textLength += (event.data?.length ?? 0) + (event.metadata?.length ?? 0);
      refuseTooLong(textLength, context.limits);
      checkedEvents[index] = event;
    }
    return { stream, expected, events: checkedEvents };
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
  const [, index, part = "", rest = ""] = parts;
  const own = `${writes[Number(index)]?.pathOf(part)}${rest}`;
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

/** Metadata that all events of a commit share, and its text. */
interface CommonMetadata {
  readonly value: object;
  readonly text: string;
}

/** What the caller gave of metadata for all events, and what follows from the cause. */
function commonMetadata(metadata: unknown, causedBy: unknown, limits: EngineLimits): CommonMetadata | undefined {
  const given = metadata === undefined ? undefined : metadataText(metadata, "options.metadata", "", limits);
  if (causedBy === undefined) return given === undefined ? undefined : { value: JSON.parse(given) as object, text: given };
  if (typeof causedBy !== "object" || causedBy === null) {
    throw unfit(causedBy, "options.causedBy", "a recorded event");
  }
  const cause = causedBy as { readonly id?: unknown; readonly metadata?: { readonly correlationId?: unknown } };
  const causationId = uuid(cause.id, "options.causedBy.id").toLowerCase();
  const correlationId = cause.metadata?.correlationId;
  const chain = { correlationId: typeof correlationId === "string" ? correlationId : causationId, causationId };
  const value: object = { ...JSON.parse(given ?? "{}"), ...chain };
  return { value, text: JSON.stringify(value) };
}

function checkEvent(
  value: unknown,
  place: Place,
  common: CommonMetadata | undefined,
  context: CommitContext,
): EventParts {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unfit(value, `${place}`, "an event, { type, data },");
  }
  for (const key in value) {
    if (!EVENT_PROPERTIES.has(key)) throw invalidArgument(`${place}.${key}`, "is not a property of an event");
  }
  // Each is read once: a getter need not answer the same again.
  const event = value as { readonly [Key in "type" | "data" | "id" | "metadata" | "tags" | "time"]?: unknown };
  const { data, metadata, id, time, tags } = event;
  const type = name(event.type, place, ".type");
  const { limits, events } = context;
  const definition = events === undefined ? undefined : definitionOf(type, place, events);
  const dataText = data === undefined ? undefined : jsonText(data, place, ".data", limits);
  return {
    place,
    type,
    data: dataText,
    metadata: checkMetadata(metadata, common, place, limits),
    id,
    time: time === undefined ? undefined : unixMillis(time, `${place}.time`),
    tags: tags === undefined && definition?.tags === undefined ? NO_TAGS : checkTags(tags, dataText, definition, place, limits),
  };
}

function definitionOf(type: string, place: Place, events: EventRegistry): EventTypeDefinition<unknown> | undefined {
  // A type that begins with "$" is refused by the core, with its own reason.
  if (!Object.hasOwn(events, type) && !type.startsWith("$")) {
    throw invalidArgument(`${place}.type`, `is ${show(type)}, which is not among the events that this store was opened with`);
  }
  return events[type];
}

/** The text of an event's metadata, over what all events of its commit have. */
function checkMetadata(
  value: unknown,
  common: CommonMetadata | undefined,
  place: Place,
  limits: EngineLimits,
): string | undefined {
  let text = common?.text ?? "{}";
  if (value !== undefined) {
    const own = metadataText(value, place, ".metadata", limits);
    text = common === undefined ? own : JSON.stringify({ ...common.value, ...(JSON.parse(own) as object) });
  }
  return text === "{}" ? undefined : text;
}

function checkTags(
  tags: unknown,
  dataText: string | undefined,
  definition: EventTypeDefinition<unknown> | undefined,
  place: Place,
  { tagsPerEvent }: EngineLimits,
): readonly string[] {
  const own = tags === undefined ? NO_TAGS : list(tags, `${place}.tags`);
  // What is stored decides, and the caller's code gets a copy of its own.
  const stored = () => (dataText === undefined ? undefined : (JSON.parse(dataText) as unknown));
  const derived = definition?.tags === undefined ? NO_TAGS : list(definition.tags(stored()), `${place}: the tags of its type`);
  const checked = new Set<string>();
  for (let index = 0; index < own.length; index += 1) checked.add(name(own[index], place, `.tags[${index}]`));
  for (const tag of derived) checked.add(name(tag, place, ": a tag of its type"));
  if (tagsPerEvent < checked.size) throw limitExceeded(`${place}.tags`, "tags", checked.size, tagsPerEvent);
  return [...checked];
}

/** Stops encoding what the core would refuse: UTF-8 is never shorter than its length in UTF-16 units. */
function refuseTooLong(length: number, limits: EngineLimits): void {
  if (limits.commitBytes < length) throw limitExceeded("events", "commit bytes", length, limits.commitBytes);
}
