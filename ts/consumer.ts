import { abortSignal, callback, name as checkName, option, options as optionBag, unfit, whole } from "./arguments.js";
import { ComingConsumer } from "./coming-consumer.js";
import type { AnyEvents, EventRegistry, RecordedEvent, RecordedFact } from "./events.js";
import type { AnyRecorded } from "./page.js";
import { CONSUMING } from "./parts.js";
import type { Query } from "./query.js";
import { EVERYTHING, checkQuery } from "./query.js";
import type { Session } from "./session.js";

/** What becomes of an event that could not be handled: it is tried again after so many milliseconds; it is parked; the consumer ends. */
export type RetryDecision = number | "park" | "stop";

/** An attempt that failed. */
export interface FailedAttempt {
  /** Which attempt it was: 1 for the first, be it in this tab or in another. */
  readonly attempt: number;
  /** The event; of several that were handed over at once, the first. */
  readonly event: RecordedEvent | RecordedFact;
}

/** What a handler is told besides the events. */
export interface HandlingContext {
  /** Which attempt this is: 1 for the first, be it in this tab or in another. */
  readonly attempt: number;
  /** Aborts where what the handler does is of no use any more: another tab has taken over, or the consumer is stopped. */
  readonly signal: AbortSignal;
}

/** What is consumed. */
export interface ConsumerOptions<Registry extends EventRegistry = AnyEvents, Wanted extends Query<Registry> = Query<Registry>, Batch extends number = 1> {
  /**
   * Where a consumer begins of whose name there is none yet: after this position, or after the last one that this tab has seen. One that is
   * there goes on where it is.
   */
  readonly after: number | "end";
  /**
   * Which events are wanted. All where it is left out. One that is there goes on with this query from where it is; whoever began with another one, in
   * this tab or in others, ends with `INVALID_ARGUMENT`.
   */
  readonly query?: Wanted | undefined;
  /** How many events the handler is given at once, at most: then it is called with arrays. One by one where it is left out, or 1. */
  readonly batch?: Batch | undefined;
  /**
   * Decides what becomes of events that could not be handled, at once: a promise is no decision, and ends the consumer. Where it is left out they are tried again for ever, at intervals that
   * double from a quarter of a second up to a minute. Whatever the interval, they are tried again as soon as the browser is online again.
   */
  readonly retry?: ((error: unknown, attempt: FailedAttempt) => RetryDecision) | undefined;
  /**
   * Is told why the consumer has ended in this tab, and with which event where it is for one; and that an event cannot be parked because too
   * much is. Where it is left out, the platform reports why it ended.
   */
  readonly onError?: ((error: unknown, event: RecordedEvent<Registry> | RecordedFact | undefined) => void) | undefined;
  /** Stops the consumer in this tab. */
  readonly signal?: AbortSignal | undefined;
}

/** What a handler is given: an event, or where several are asked for, an array of them. */
export type Handed<Event, Batch extends number> = number extends Batch ? Event | readonly Event[] : Batch extends 1 ? Event : readonly Event[];

/** A stream that a consumer passes over, from an event on that it could not handle. */
export interface ParkedEvent {
  /** The id of the event. */
  readonly id: string;
  readonly stream: string;
  /** From here on the events of the stream are not handled: the position of the event, until it is tried again and handled. */
  readonly position: number;
  /** The event. Missing where it was hidden since, or where it is handled by now, and what waits behind it is not. */
  readonly event: RecordedEvent | RecordedFact | undefined;
  /** How often it was tried. */
  readonly attempts: number;
  /** What the handler threw at last, as a text. */
  readonly error: string;
  /** When it was parked. */
  readonly time: number;
  /** How many later events of the stream wait behind it. */
  readonly behind: number;
  /** Whether it is to be tried again. */
  readonly retrying: boolean;
}

/** A consumer, as it is stored. */
export interface ConsumerInfo {
  readonly name: string;
  /** Up to where everything is handled, or parked. */
  readonly position: number;
  /** How many positions the log reaches further: no fewer than events are waiting. */
  readonly lag: number;
  /** Whether a tab led it when it was last written. One that was closed since may have. */
  readonly active: boolean;
  /** How many streams are parked. */
  readonly parked: number;
}

/** A consumer in this tab: it leads, and is handed events, or it waits for its turn. */
export interface Consumer {
  readonly name: string;
  /** Whether this tab is the one that is handed events, as far as it knows. */
  readonly active: boolean;
  /** Up to where everything is handled, or parked, as far as this tab knows. */
  readonly position: number;
  /** How many positions the log reaches further: no fewer than events are waiting. */
  readonly lag: number;
  /** Why events could not be handled, as long as they are tried again; or why the consumer has ended in this tab. */
  readonly failure: { readonly error: unknown; readonly attempt: number; readonly event: RecordedEvent | RecordedFact | undefined } | undefined;
  /**
   * Ends it in this tab, and leaves the lead to others. A handler that is at work is told by its signal, and waited for: what it has handled is
   * stored. A handler must not wait for it.
   */
  stop(): Promise<void>;
  /** Has the consumer, in all tabs, go on after a position, with nothing parked. */
  reset(to: { readonly after: number | "end" }): Promise<void>;
  /** What is parked, in the order of the names of its streams. */
  parked(): Promise<readonly ParkedEvent[]>;
  /**
   * Has what is parked tried again: the event with this id, and what waits behind it; or all. It happens in the tab that leads. Gives
   * whether there is such an event.
   */
  retryParked(id?: string): Promise<boolean>;
}

const OPTIONS = ["after", "query", "batch", "retry", "onError", "signal"] as const;

/** What a consumer calls. */
export interface Callbacks {
  readonly handle: AnyHandler;
  readonly retry: ConsumerOptions["retry"];
  readonly onError: ((error: unknown, event: AnyRecorded | undefined) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A consumer as closing needs it. */
export interface StoppableConsumer extends Consumer {
  /** Whether a handler is at work. */
  readonly isHandling: boolean;
}

export type AnyHandler = (events: AnyRecorded | readonly AnyRecorded[], context: HandlingContext) => unknown;

/** Begins to consume. */
export function consume(session: Session, name: unknown, options: unknown, handler: unknown): Consumer {
  const checkedName = checkName(name, "name");
  const bag = optionBag(options, OPTIONS);
  const batch = option(bag, "batch", whole) ?? 1;
  if (batch === 0) throw unfit(batch, "options.batch", "at least 1");
  const request = {
    name: checkedName,
    after: firstAfter(session, bag.after, "options.after"),
    query: option(bag, "query", (query, path) => checkQuery(query, path, session)) ?? EVERYTHING,
    batch,
  };
  const callbacks: Callbacks = {
    handle: callback<AnyHandler>(handler, "handler"),
    retry: option(bag, "retry", callback<NonNullable<ConsumerOptions["retry"]>>),
    onError: option(bag, "onError", callback<(error: unknown, event: AnyRecorded | undefined) => void>),
    signal: option(bag, "signal", abortSignal),
  };
  return CONSUMING.code?.startConsumer(session, request, callbacks) ?? new ComingConsumer(session, request, callbacks);
}

/** After which position a consumer goes on. */
export function firstAfter(session: Session, after: unknown, path: string): number {
  if (after === "end") return session.engine.position;
  if (after === undefined) throw unfit(after, path, 'a position or "end"');
  return whole(after, path);
}
