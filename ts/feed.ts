import type { Engine, QueryItemMessage } from "./engine.js";
import type { AnyRecorded } from "./page.js";
import { eventsOf } from "./page.js";
import { nextTask } from "./pause.js";

/** What is subscribed to. */
export interface FeedRequest {
  /** The last position of no interest. */
  readonly after: number;
  readonly query: readonly QueryItemMessage[];
}

/** A page that came. */
export interface FeedPage {
  readonly events: readonly AnyRecorded[];
  /** Up to where the log was read. */
  readonly end: number;
  /** Whether that is its end, as far as is known. */
  readonly isLast: boolean;
}

/**
 * The events after a position as they are stored, page by page: first those that are there, then those that come. The core
 * reads the next page when it is asked for: who takes long delays only himself.
 */
export class Feed {
  isStopped = false;
  readonly #engine: Engine;
  readonly #request: FeedRequest;
  #subscription: number | undefined;
  /** Up to where pages were given; that of the last one only once the next was asked for. */
  #lookedAt: number;
  #isAsking = false;

  constructor(engine: Engine, request: FeedRequest) {
    this.#engine = engine;
    this.#request = request;
    this.#lookedAt = request.after;
  }

  /** The last position that was looked at, be it of an event that is wanted or not. */
  get lookedAt(): number {
    if (this.#isAsking && !this.isStopped && this.#subscription !== undefined) {
      this.#lookedAt = Math.max(this.#lookedAt, this.#engine.lookedAt(this.#subscription));
    }
    return this.#lookedAt;
  }

  /** Begins, and gives the number of the subscription, for who has the core ask for its pages. */
  async begin(): Promise<number> {
    this.#subscription ??= await this.#engine.subscribe(this.#request);
    // It may have been stopped before it began.
    if (this.isStopped) this.#engine.unsubscribe(this.#subscription);
    return this.#subscription;
  }

  /** The next page; nothing once it was stopped. Rejects where what comes cannot be read. */
  async next(): Promise<FeedPage | undefined> {
    this.#isAsking = true;
    try {
      const page = await this.#engine.nextPage(await this.begin());
      // What was appended here is handed out after its append has resolved: that takes no more than this task.
      if (page !== undefined) await nextTask();
      if (page === undefined || this.isStopped) return undefined;
      return { events: eventsOf(page), end: Math.max(page.next ?? page.asOf, this.#request.after), isLast: page.next === undefined };
    } finally {
      this.#isAsking = false;
    }
  }

  /** Notes that all was looked at up to this position. */
  passed(position: number): void {
    this.#lookedAt = position;
  }

  /** Ends it: who waits for a page gets none. */
  stop(): void {
    if (this.isStopped) return;
    try {
      // What was looked at by now stays known.
      this.#lookedAt = this.lookedAt;
      this.isStopped = true;
      if (this.#subscription !== undefined) this.#engine.unsubscribe(this.#subscription);
    } catch {
      // An engine that is dead has told so to who waits for a page.
      this.isStopped = true;
    }
  }
}
