import { onAbort } from "./abort.js";
import { abortSignal, callback, option, options as optionBag, whole } from "./arguments.js";
import { closed, invalidArgument, isEverfoldError } from "./errors.js";
import type { AnyEvents, EventRegistry, RecordedEvent, RecordedFact } from "./events.js";
import { Feed } from "./feed.js";
import type { AnyRecorded } from "./page.js";
import { Breath } from "./pause.js";
import type { Query } from "./query.js";
import { EVERYTHING, checkQuery } from "./query.js";
import { isThenable, notify } from "./report.js";
import type { Session } from "./session.js";

/** What is subscribed to, by iterating over it. */
export interface SubscribeOptions<Registry extends EventRegistry = AnyEvents, Wanted extends Query<Registry> = Query<Registry>> {
  /** The last position of no interest; `"end"` for the last one that this tab has seen. 0 where it is left out. */
  readonly after?: number | "end" | undefined;
  /** Which events are wanted. All where it is left out. */
  readonly query?: Wanted | undefined;
  /** Is told whenever the end of the log is reached: for the first time, and again after it was further away than a page. */
  readonly onCaughtUp?: (() => void) | undefined;
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
}

/** What is subscribed to with a handler. */
export interface HandlerOptions<Registry extends EventRegistry = AnyEvents, Wanted extends Query<Registry> = Query<Registry>>
  extends SubscribeOptions<Registry, Wanted> {
  /**
   * Is told why the subscription has ended: what the handler threw, with the event, or why no event comes any more. Where it
   * is left out, the platform reports what the handler threw.
   */
  readonly onError?: ((error: unknown, event: RecordedEvent<Registry> | RecordedFact | undefined) => void) | undefined;
}

/** A subscription, which runs until it is stopped, fails, or its store is closed. */
export interface Subscription {
  /**
   * Resolves when all events were handled that stood in the log when it began. Rejects where it ends before: with why it failed,
   * with the reason of its signal, or with `CLOSED`. Nobody has to listen.
   */
  readonly caughtUp: Promise<void>;
  /**
   * The last position that was looked at, be it of an event that is wanted or not: subscribe after it to go on there. An event
   * was looked at when its handler is done, or the iteration asks for the next one.
   */
  readonly position: number;
  /** Ends it. No event is handled any more, but for one that is being handled. */
  stop(): void;
}

/** A subscription that is iterated over, once. It reads as fast as the iteration goes, and ends with it. */
export interface EventSubscription<Event> extends Subscription, AsyncIterable<Event> {}

const OPTIONS = ["after", "query", "onCaughtUp", "onError", "signal"] as const;

type Handler = (event: AnyRecorded) => unknown;

/** Subscribes, and hands event after event to the handler where there is one. */
export function subscribe(session: Session, options: unknown, handler: unknown): RunningSubscription {
  const bag = optionBag(options, OPTIONS);
  const handle = handler === undefined ? undefined : callback<Handler>(handler, "handler");
  if (handle === undefined && bag.onError !== undefined) {
    throw invalidArgument("options.onError", "is for subscriptions with a handler; an iteration throws its errors");
  }
  const { after } = bag;
  const request = {
    // What was appended before this call is not meant, whatever is under way.
    after: after === "end" ? session.engine.position : (option(bag, "after", whole) ?? 0),
    query: option(bag, "query", (query, path) => checkQuery(query, path, session)) ?? EVERYTHING,
  };
  const onCaughtUp = option(bag, "onCaughtUp", callback<() => void>);
  const onError = option(bag, "onError", callback<(error: unknown, event: AnyRecorded | undefined) => void>);
  const signal = option(bag, "signal", abortSignal);
  const subscription = new RunningSubscription(session, new Feed(session.engine, request), onCaughtUp, signal);
  if (handle !== undefined) void subscription.handleAll(handle, onError);
  return subscription;
}

/** A subscription as the store has it. */
export class RunningSubscription implements EventSubscription<AnyRecorded> {
  readonly caughtUp: Promise<void>;
  readonly #session: Session;
  readonly #feed: Feed;
  readonly #onCaughtUp: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #events: AsyncGenerator<AnyRecorded, void, undefined>;
  readonly #forget: () => void;
  #resolveCaughtUp: () => void = () => {};
  #rejectCaughtUp: (reason: unknown) => void = () => {};
  #isCaughtUp = false;

  constructor(session: Session, feed: Feed, onCaughtUp: (() => void) | undefined, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#feed = feed;
    this.#onCaughtUp = onCaughtUp;
    this.#signal = signal;
    this.caughtUp = new Promise((resolve, reject) => {
      this.#resolveCaughtUp = resolve;
      this.#rejectCaughtUp = reject;
    });
    this.caughtUp.catch(() => {});
    this.#events = this.#iterate();
    const stop = () => this.stop();
    session.listening.add(stop);
    const forgetSignal = onAbort(signal, stop);
    this.#forget = () => {
      session.listening.delete(stop);
      forgetSignal();
    };
    if (signal?.aborted === true) this.stop();
  }

  get position(): number {
    return this.#feed.lookedAt;
  }

  stop(): void {
    this.#end(this.#signal?.aborted === true ? this.#signal.reason : closed());
  }

  [Symbol.asyncIterator](): AsyncGenerator<AnyRecorded, void, undefined> {
    return this.#events;
  }

  /** Hands over event after event, each after the handler is done with the one before. */
  async handleAll(handle: Handler, onError: ((error: unknown, event: AnyRecorded | undefined) => void) | undefined): Promise<void> {
    let current: AnyRecorded | undefined;
    try {
      for await (const page of this.#pages()) {
        const breath = new Breath();
        for (const stored of page) {
          current = stored;
          const event = this.#today(stored);
          if (event !== undefined) {
            current = event;
            const result = handle(event);
            if (isThenable(result)) await result;
          }
          this.#feed.passed(stored.position);
          if (this.#feed.isStopped) return;
          await breath.take();
        }
        current = undefined;
      }
    } catch (error) {
      const wasStopped = this.#feed.isStopped;
      this.#end(error);
      if (onError !== undefined) notify(onError, error, current);
      else if (!wasStopped && !isEverfoldError(error, "CLOSED")) notify(() => Promise.reject(error));
    }
  }

  async *#iterate(): AsyncGenerator<AnyRecorded, void, undefined> {
    try {
      for await (const page of this.#pages()) {
        for (const stored of page) {
          const event = this.#today(stored);
          if (event !== undefined) yield event;
          this.#feed.passed(stored.position);
          if (this.#feed.isStopped) break;
        }
      }
      this.#signal?.throwIfAborted();
    } catch (error) {
      this.#end(error);
      throw error;
    } finally {
      this.stop();
    }
  }

  /** The pages that come. What is done with one is done when the next is asked for. */
  async *#pages(): AsyncGenerator<readonly AnyRecorded[], void, undefined> {
    for (;;) {
      const page = await this.#feed.next();
      if (page === undefined) return;
      yield page.events;
      if (this.#feed.isStopped) return;
      this.#feed.passed(page.end);
      if (page.isLast) this.#reachEnd();
      else this.#isCaughtUp = false;
    }
  }

  #today(stored: AnyRecorded): AnyRecorded | undefined {
    const { upcaster } = this.#session;
    return upcaster === undefined ? stored : upcaster.current([stored], "asStored")[0];
  }

  #reachEnd(): void {
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    this.#resolveCaughtUp();
    notify(this.#onCaughtUp);
  }

  #end(reason: unknown): void {
    this.#feed.stop();
    this.#forget();
    this.#rejectCaughtUp(reason);
  }
}
