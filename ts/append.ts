import { bag, list, oneOf, option, options as optionBag, whole } from "./arguments.js";
import type { Durability, ErrorMessage } from "./engine.js";
import { EXPECTED } from "./engine.js";
import type { AnyEvents, EventRegistry, NewEvent, NewMetadata } from "./events.js";
import type { Query } from "./query.js";

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

export const COMMIT_OPTIONS = ["condition", "durability", "causedBy", "metadata", "signal"] as const;
export const APPEND_OPTIONS: readonly string[] = ["expected", ...COMMIT_OPTIONS];

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
