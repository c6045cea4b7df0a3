import type { UncheckedWrite } from "./append.js";
import { APPEND_OPTIONS, durabilityOption, expectedCode } from "./append.js";
import type { CommitParts, EventParts, WriteParts } from "./append-message.js";
import type { Place } from "./arguments.js";
import { abortSignal, bag, list, name, option, options as optionBag, show, unfit, uuid, whole } from "./arguments.js";
import type { CommandIds } from "./command.js";
import type { ConditionMessage, EngineLimits } from "./engine.js";
import { DURABILITY, EXPECTED } from "./engine.js";
import { invalidArgument, limitExceeded } from "./errors.js";
import type { EventRegistry, EventTypeDefinition } from "./events.js";
import type { Host } from "./host.js";
import { jsonText, metadataText } from "./payload.js";
import type { QueryContext } from "./query.js";
import { checkQuery } from "./query.js";
import { checkData } from "./schema.js";
import { unixMillis } from "./time.js";

/** What a commit is judged and written by, besides its arguments. */
export interface CommitContext extends QueryContext {
  /** The registry of the store, where it has one. */
  readonly events: EventRegistry | undefined;
  /** The durability of the store. */
  readonly durability: "relaxed" | "strict";
  readonly host: Host;
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

const EVENT_PROPERTIES = new Set(["type", "data", "id", "metadata", "tags", "time", "stream", "revision", "position"]);
const NO_TAGS: readonly string[] = [];

/** The signal among the options of a commit. */
export function commitSignal(options: unknown): AbortSignal | undefined {
  return option(optionBag(options, APPEND_OPTIONS), "signal", abortSignal);
}

/** Checks a commit and encodes it. */
export function checkCommit(writes: readonly UncheckedWrite[], options: unknown, context: CommitContext): CommitParts {
  const check = new CommitCheck(optionBag(options, APPEND_OPTIONS), context);
  return check.commit(writes.map((write) => check.write(write)));
}

/**
 * Checks a commit and encodes it, write by write. Whatever code of the caller runs meanwhile, be it a schema, the tags of
 * a type, a `toJSON` or a getter, may itself append: nothing is shared with others until it is done.
 */
export class CommitCheck {
  readonly #context: CommitContext;
  readonly #durability: number;
  readonly #condition: ConditionMessage | undefined;
  readonly #common: CommonMetadata | undefined;
  readonly #command: CommandIds | undefined;
  /** How many events were checked for each stream, which is what tells the ids of a command apart. Other commits do not need it. */
  readonly #counts: Map<string, number> | undefined;
  #eventCount = 0;
  #textLength = 0;

  /** The options are those of an append, in a bag that was checked. Where they come from a command, it gives the ids. */
  constructor(bag: Record<string, unknown>, context: CommitContext, command?: CommandIds) {
    this.#context = context;
    this.#durability = DURABILITY[durabilityOption(bag) ?? context.durability];
    this.#condition = option(bag, "condition", (value, path) => checkCondition(value, path, context));
    this.#common = commonMetadata(bag.metadata, bag.causedBy, command, context.limits);
    this.#command = command;
    this.#counts = command && new Map();
  }

  /** Checks one write. */
  write(write: UncheckedWrite): WriteParts {
    // A copy: code of the caller's that runs meanwhile may change the array.
    const events = [...write.events];
    const { limits } = this.#context;
    const eventCount = this.#eventCount + events.length;
    if (limits.commitEvents < eventCount) throw limitExceeded("events", "commit events", eventCount, limits.commitEvents);
    const stream = name(write.stream, write, "stream");
    const expected = write.expected === undefined ? EXPECTED.any : expectedCode(write.expected, write.pathOf("expected"));
    // An array that grows has room for many events, and most writes have one.
    const checkedEvents = new Array<EventParts>(events.length);
    const before = this.#counts?.get(stream) ?? 0;
    let textLength = this.#textLength;
    for (let index = 0; index < events.length; index += 1) {
      const event = this.#event(events[index], new EventPlace(write, index), stream, before + index);
      textLength += (event.data?.length ?? 0) + (event.metadata?.length ?? 0);
      refuseTooLong(textLength, limits);
      checkedEvents[index] = event;
    }
    // A transaction may go on without a write that was refused, which then has taken no ids.
    this.#eventCount = eventCount;
    this.#textLength = textLength;
    this.#counts?.set(stream, before + events.length);
    return { stream, expected, events: checkedEvents };
  }

  /** The commit of writes that were checked, and of what else must not be in the log. */
  commit(writes: readonly WriteParts[], condition: ConditionMessage | undefined = this.#condition): CommitParts {
    return { durability: this.#durability, condition, writes };
  }

  /** Checks one event, which is the one of this index among those of its stream in the commit. */
  #event(value: unknown, place: Place, stream: string, index: number): EventParts {
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
    const { limits, events, host } = this.#context;
    const definition = events === undefined ? undefined : definitionOf(type, place, events);
    const dataText = data === undefined ? undefined : jsonText(data, place, ".data", limits);
    if (definition?.schema !== undefined) checkData(definition.schema, stored(dataText), type, `${place}`);
    return {
      place,
      type,
      data: dataText,
      metadata: checkMetadata(metadata, this.#common, definition?.version, place, limits),
      id: this.#command === undefined ? (id ?? host.stamp?.id()) : commandEventId(this.#command, id, place, stream, index),
      time: time === undefined ? host.stamp?.time() : unixMillis(time, `${place}.time`),
      tags: tags === undefined && definition?.tags === undefined ? NO_TAGS : checkTags(tags, dataText, definition, place, limits),
    };
  }
}

function commandEventId(command: CommandIds, given: unknown, place: Place, stream: string, index: number): string {
  if (given !== undefined) throw invalidArgument(`${place}.id`, "is given, and so is a commandId, from which the ids follow");
  return command.eventId(stream, index);
}

/** Data as a read will give it: what is stored decides, and the caller's code gets a copy of its own. */
function stored(dataText: string | undefined): unknown {
  return dataText === undefined ? undefined : (JSON.parse(dataText) as unknown);
}

function checkCondition(value: unknown, path: string, context: QueryContext): ConditionMessage {
  const { failIfEventsMatch, after = 0 } = bag(value, ["failIfEventsMatch", "after"], path);
  return {
    query: checkQuery(failIfEventsMatch, `${path}.failIfEventsMatch`, context),
    after: whole(after, `${path}.after`),
  };
}

/** Metadata that all events of a commit share, and its text. */
interface CommonMetadata {
  readonly value: object;
  readonly text: string;
}

/** What the caller gave of metadata for all events, and what follows from the command and from the cause. */
function commonMetadata(
  metadata: unknown,
  causedBy: unknown,
  command: CommandIds | undefined,
  limits: EngineLimits,
): CommonMetadata | undefined {
  if (metadata === undefined && causedBy === undefined && command === undefined) return undefined;
  const given = metadata === undefined ? "{}" : metadataText(metadata, "options.metadata", "", limits);
  const own = causedBy === undefined ? {} : chainOf(causedBy);
  const value: object = { ...JSON.parse(given), ...own, ...(command && { commandId: command.commandId }) };
  return { value, text: JSON.stringify(value) };
}

/** What an event says of the one that led to it. */
function chainOf(causedBy: unknown): object {
  if (typeof causedBy !== "object" || causedBy === null) {
    throw unfit(causedBy, "options.causedBy", "a recorded event");
  }
  const cause = causedBy as { readonly id?: unknown; readonly metadata?: { readonly correlationId?: unknown } };
  const causationId = uuid(cause.id, "options.causedBy.id").toLowerCase();
  const correlationId = cause.metadata?.correlationId;
  return { correlationId: typeof correlationId === "string" ? correlationId : causationId, causationId };
}

function definitionOf(type: string, place: Place, events: EventRegistry): EventTypeDefinition<unknown> | undefined {
  // A type that begins with "$" is refused by the core, with its own reason.
  if (!Object.hasOwn(events, type) && !type.startsWith("$")) {
    throw invalidArgument(`${place}.type`, `is ${show(type)}, which is not among the events that this store was opened with`);
  }
  return events[type];
}

/** The text of an event's metadata, over what all events of its commit have, with the version of its type. */
function checkMetadata(
  value: unknown,
  common: CommonMetadata | undefined,
  version: number | undefined,
  place: Place,
  limits: EngineLimits,
): string | undefined {
  let text = common?.text ?? "{}";
  const own = value === undefined ? "{}" : metadataText(value, place, ".metadata", limits);
  // Version 1 is what is meant where nothing is said.
  const schemaVersion = version === 1 ? undefined : version;
  if (common === undefined && schemaVersion === undefined) text = own;
  else if (own !== "{}" || schemaVersion !== undefined) {
    text = JSON.stringify({ ...common?.value, ...(JSON.parse(own) as object), schemaVersion });
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
  const derived = definition?.tags === undefined ? NO_TAGS : list(definition.tags(stored(dataText)), `${place}: the tags of its type`);
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
