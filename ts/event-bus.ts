import { callback, name } from "./arguments.js";
import { isEverfoldError } from "./errors.js";
import { Feed } from "./feed.js";
import type { AnyRecorded } from "./page.js";
import { notify, report } from "./report.js";
import type { Session } from "./session.js";

/** Somebody who listens to events of a type. */
interface Listener {
  readonly handle: (event: AnyRecorded) => unknown;
  /** The last position when it began to listen. */
  readonly after: number;
}

/**
 * Hands events to those who listen to their types, as they come. One subscription serves them all. No listener is waited for, and
 * what one does is no other's business.
 */
export class EventBus {
  readonly #session: Session;
  readonly #listeners = new Map<string, Set<Listener>>();
  #feed: Feed | undefined;
  /** The types that the feed is of. */
  #types: readonly string[] = [];
  #position = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Listens to what comes from now on. Gives what ends that. */
  on(type: unknown, handler: unknown): () => void {
    const checkedType = name(type, "type");
    const listener: Listener = { handle: callback(handler, "handler"), after: this.#session.engine.position };
    let listeners = this.#listeners.get(checkedType);
    if (listeners === undefined) this.#listeners.set(checkedType, (listeners = new Set()));
    listeners.add(listener);
    this.#follow();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(checkedType) === listeners) this.#listeners.delete(checkedType);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /** Sees to it that there is a feed of all types that are listened to. */
  #follow(): void {
    const types = [...this.#listeners.keys()];
    if (this.#feed !== undefined && types.every((type) => this.#types.includes(type))) return;
    this.#position = this.#feed?.lookedAt ?? this.#session.engine.position;
    this.#stop();
    this.#types = types;
    const { engine, upcaster, listening } = this.#session;
    const feed = new Feed(engine, { after: this.#position, query: [{ types: upcaster?.storedTypes(types) ?? types }] });
    this.#feed = feed;
    listening.add(this.#stop);
    void this.#handOut(feed);
  }

  async #handOut(feed: Feed): Promise<void> {
    try {
      for (;;) {
        const page = await feed.next();
        if (page === undefined) return;
        for (const stored of page.events) {
          // Looked at before it is handed out: where a listener has the feed follow other types too, it goes on behind.
          feed.passed(stored.position);
          this.#emit(stored);
          if (feed.isStopped) return;
        }
        feed.passed(page.end);
      }
    } catch (error) {
      if (this.#feed === feed) this.#stop();
      if (!feed.isStopped && !isEverfoldError(error, "CLOSED")) report(error);
    }
  }

  #emit(stored: AnyRecorded): void {
    let event: AnyRecorded | undefined = stored;
    const { upcaster } = this.#session;
    try {
      if (upcaster !== undefined) event = upcaster.current([stored], "asStored")[0];
    } catch (error) {
      report(error);
      return;
    }
    if (event === undefined) return;
    const listeners = this.#listeners.get(event.type);
    // Those who begin to listen meanwhile listen to what comes later, and those who have ended it hear nothing any more.
    for (const listener of [...(listeners ?? [])]) {
      if (listener.after < stored.position && listeners?.has(listener) === true) notify(listener.handle, event);
    }
  }

  readonly #stop = (): void => {
    this.#feed?.stop();
    this.#feed = undefined;
    this.#session.listening.delete(this.#stop);
  };
}
