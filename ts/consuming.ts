// A consumer in one tab: calls the handler for what the core hands out, and says what became of it. Who leads, what comes next and what is
// stored the core decides.
import { onAbort } from "./abort.js";
import { unfit } from "./arguments.js";
import type { Callbacks, Consumer, ParkedEvent, RetryDecision, StoppableConsumer } from "./consumer.js";
import type { ConsumerMessage, ReportMessage } from "./consumer-messages.js";
import { parkedEvents, resetConsumer, retryParked } from "./consumer-records.js";
import { isEverfoldError, textOfThrown } from "./errors.js";
import type { AnyRecorded } from "./page.js";
import { eventsOf } from "./page.js";
import { nextTask } from "./pause.js";
import { notify, report as reportThrown } from "./report.js";
import type { Session } from "./session.js";
import "./store.js";

export { consumerInfos, parkedEvents, resetConsumer, retryParked } from "./consumer-records.js";

/** So often who handles events says that it is alive: as often as others look. */
const BEAT_MS = 900;
/** The first pause before events are tried again, where nobody else decides of it, and the longest. */
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 60_000;
/** The longest pause that a timer can make. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** So much is kept of what a handler threw, in UTF-16 units. */
const REASON_LENGTH_MAX = 300;

/** Begins to consume in this tab. */
export function startConsumer(session: Session, request: ConsumerMessage, callbacks: Callbacks): RunningConsumer {
  const consumer = new RunningConsumer(session, request, callbacks);
  session.consuming.add(consumer);
  return consumer;
}

/** A consumer as the store has it. */
export class RunningConsumer implements StoppableConsumer {
  readonly name: string;
  failure: Consumer["failure"];
  readonly #session: Session;
  readonly #request: ConsumerMessage;
  readonly #callbacks: Callbacks;
  /** What the core knows it by, once it does. */
  #number = 0;
  #position = 0;
  #isStopped = false;
  /** Whether another tab has taken over what is in hand. */
  #isLost = false;
  /** Tells the handler that is at work. */
  #handling: AbortController | undefined;
  /** What was said to the core last: one thing after the other. */
  #reporting: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};
  /** Whether the browser has come online since the attempt that is under way, or was last, began. */
  #cameOnline = false;
  readonly #online = (): void => {
    this.#cameOnline = true;
    this.#wake();
  };
  readonly #beginning: Promise<void>;
  readonly #ended: Promise<void>;

  constructor(session: Session, request: ConsumerMessage, callbacks: Callbacks) {
    this.name = request.name;
    this.#session = session;
    this.#request = request;
    this.#callbacks = callbacks;
    this.#isStopped = callbacks.signal?.aborted === true;
    this.#beginning = this.#begin();
    const forgetSignal = onAbort(callbacks.signal, () => void this.stop());
    globalThis.addEventListener?.("online", this.#online);
    this.#ended = this.#run().finally(() => {
      forgetSignal();
      globalThis.removeEventListener?.("online", this.#online);
      session.consuming.delete(this);
    });
  }

  get active(): boolean {
    return 0 <= this.#look();
  }

  get position(): number {
    this.#look();
    return this.#position;
  }

  get lag(): number {
    return Math.max(this.#session.engine.position - this.position, 0);
  }

  get isHandling(): boolean {
    return this.#handling !== undefined;
  }

  stop(): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#stopInCore();
      this.#handling?.abort();
      this.#wake();
    }
    return this.#ended;
  }

  async reset(to: { readonly after: number | "end" }): Promise<void> {
    await this.#beginning.catch(() => {});
    await resetConsumer(this.#session, this.name, to);
  }

  parked(): Promise<readonly ParkedEvent[]> {
    return parkedEvents(this.#session, this.name, this.#request.query);
  }

  retryParked(id?: string): Promise<boolean> {
    return retryParked(this.#session, this.name, id);
  }

  /** Takes note how far it is. Gives a number below 0 where another tab leads, and none once it has ended. */
  #look(): number {
    let standing = NaN;
    try {
      if (this.#number !== 0) standing = this.#session.engine.consumerPosition(this.#number);
    } catch {
      // An engine that is dead leads nothing.
    }
    if (!Number.isNaN(standing)) this.#position = 0 <= standing ? standing : -1 - standing;
    return standing;
  }

  #stopInCore(): void {
    try {
      if (this.#number !== 0) this.#session.engine.stopConsumer(this.#number);
    } catch {
      // An engine that is dead hands out nothing any more.
    }
  }

  async #begin(): Promise<void> {
    for (let attempt = 1; this.#number === 0 && !this.#isStopped; attempt += 1) {
      this.#cameOnline = false;
      try {
        this.#number = await this.#session.engine.consume(this.#request);
      } catch (error) {
        // The code for consumers may be had later.
        if (!isEverfoldError(error, "SUPPLEMENT_UNAVAILABLE")) throw error;
        await this.#pause(backOff(attempt));
      }
    }
    if (this.#isStopped) this.#stopInCore();
  }

  async #run(): Promise<void> {
    let current: AnyRecorded | undefined;
    try {
      await this.#beginning;
      while (this.#number !== 0) {
        const page = await this.#session.engine.nextHandout(this.#number);
        if (page === undefined) break;
        // What was appended here is handed out after its append has resolved: that takes no more than this task.
        await nextTask();
        const events = eventsOf(page);
        current = events[0];
        await this.#settle(events, page.next ?? 0);
        current = undefined;
      }
    } catch (error) {
      this.#end(error, current);
      await this.#leave();
    }
    this.#look();
    this.#number = 0;
  }

  /** Leaves the lead to others, where this tab has it. */
  async #leave(): Promise<void> {
    try {
      await this.#session.engine.nextHandout(this.#number);
    } catch {
      // Where the storage fails, or is closed, nobody is told, and they find out.
    }
  }

  /** Has events handled, however often that has to be tried. They count as handled when the next are asked for. */
  async #settle(events: readonly AnyRecorded[], attempts: number): Promise<void> {
    this.#isLost = false;
    const handling = new AbortController();
    this.#handling = handling;
    try {
      for (let attempt = attempts + 1; ; attempt += 1) {
        // It may have been stopped before the first attempt, too: nobody expects that a handler begins after that.
        if (this.#isLost || this.#isStopped) {
          await this.#report({ kind: "returned" });
          break;
        }
        const failed = await this.#attempt(events, attempt, handling.signal);
        if (failed === undefined) break;
        if (this.#isLost || this.#isStopped) continue;
        this.failure = { error: failed.error, attempt, event: events[0] };
        if (await this.#park(failed.error, events, attempt)) break;
      }
      this.failure = undefined;
    } catch (error) {
      // Asking for the next events, which leaves the lead to others, says of those that were handed out that they are handled.
      await this.#report({ kind: "returned" });
      throw error;
    } finally {
      this.#handling = undefined;
      await this.#reporting;
    }
  }

  async #attempt(stored: readonly AnyRecorded[], attempt: number, signal: AbortSignal): Promise<{ error: unknown } | undefined> {
    this.#cameOnline = false;
    const beating = setInterval(() => void this.#beat(), BEAT_MS);
    // A handler that never ends keeps no process of Node's alive.
    (beating as { unref?(): void }).unref?.();
    try {
      const { upcaster } = this.#session;
      const events = upcaster === undefined ? stored : upcaster.current([...stored], "asStored");
      const [first] = events;
      if (first !== undefined) await this.#callbacks.handle(this.#request.batch === 1 ? first : events, { attempt, signal });
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      clearInterval(beating);
    }
  }

  /** Does what is decided of events that could not be handled. Gives whether they are out of hand: otherwise they are to be tried again. */
  async #park(error: unknown, events: readonly AnyRecorded[], attempt: number): Promise<boolean> {
    const [event] = events as [AnyRecorded];
    const { retry, onError } = this.#callbacks;
    let decision: RetryDecision = retry === undefined ? backOff(attempt) : retry(error, { attempt, event });
    if (decision === "stop") throw error;
    if (decision === "park") {
      const parked = { kind: "parked", attempts: attempt, reason: textOfThrown(error).slice(0, REASON_LENGTH_MAX) } as const;
      const failure = await this.#reported(parked);
      if (failure === undefined) return true;
      // What could not be stored now may be later: it is tried again, and parked then.
      if (isEverfoldError(failure, "LIMIT_EXCEEDED")) notify(onError, failure, event);
      decision = backOff(attempt);
    }
    if (typeof decision !== "number" || !(0 <= decision)) {
      throw unfit(decision, "what options.retry gave", 'milliseconds, "park" or "stop"');
    }
    const pause_ms = Math.ceil(Math.min(decision, TIMER_MS_MAX));
    await this.#reported({ kind: "failed", pause_ms });
    await this.#pause(pause_ms);
    return false;
  }

  /** Says that the handler is at work. Where the store is closed or gone what it does is of no use any more: it is told, and this ends. */
  async #beat(): Promise<void> {
    try {
      await this.#report({ kind: "pending" });
    } catch (failure) {
      if (isEverfoldError(failure, "CLOSED")) void this.stop();
    }
  }

  /** Says something of what is in hand. Gives why it could not be stored. Throws where nothing can be any more. */
  async #reported(message: ReportMessage): Promise<unknown> {
    try {
      await this.#report(message);
      return undefined;
    } catch (failure) {
      if (isEverfoldError(failure, "CLOSED")) throw failure;
      return failure;
    }
  }

  /** Says something of what is in hand. Where another tab leads by now, the handler is told. */
  #report(message: ReportMessage): Promise<void> {
    const reporting = this.#reporting.then(async () => {
      if (this.#isLost || this.#handling === undefined) return;
      if (await this.#session.engine.reportHandout(this.#number, message)) return;
      this.#isLost = true;
      this.#handling.abort();
      this.#wake();
    });
    this.#reporting = reporting.catch(() => {});
    return reporting;
  }

  /** Waits, and no longer than until it is stopped, another tab leads, or the browser is online again. */
  #pause(duration_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(wake, duration_ms);
      this.#wake = wake;
      if (this.#isStopped || this.#isLost || this.#cameOnline) wake();
    });
  }

  #end(error: unknown, event: AnyRecorded | undefined): void {
    const wasStopped = this.#isStopped;
    void this.stop();
    if (isEverfoldError(error, "CLOSED")) return;
    this.failure ??= { error, attempt: 0, event: undefined };
    const { onError } = this.#callbacks;
    if (onError !== undefined) notify(onError, error, event);
    else if (!wasStopped) reportThrown(error);
  }
}

function backOff(attempt: number): number {
  return Math.min(PAUSE_MS * 2 ** (attempt - 1), PAUSE_MS_MAX);
}
