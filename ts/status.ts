// What a store can do at the moment: learnt from what its calls come to, and by asking where none are made.
import { callback } from "./arguments.js";
import { BackOff } from "./back-off.js";
import { isEverfoldError } from "./errors.js";
import { notify } from "./report.js";

/** What a store can do, from nothing to all of it. */
export type StoreState =
  /** Nothing any more: it was closed, or another tab destroyed its database. Open it again. */
  | "closed"
  /** Nothing any more: its database is gone, and nobody called `destroy`. The browser, or its user, has cleared it. */
  | "cleared"
  /** Nothing for now: the browser does not open the database, perhaps for another tab that is in the way. It is tried again and again. */
  | "blocked"
  /** Nothing for now: the storage failed, or the connection to it was lost. It is tried again and again. */
  | "reconnecting"
  /** Reads: a newer everfold, in another tab, has written what this one does not know. Reload the page. */
  | "readOnly"
  /** Reads of what is whole: something that was stored is damaged. */
  | "damaged"
  /** Reads: there was no room for the last append. */
  | "quotaExceeded"
  /** Everything. */
  | "open";

/** What a store can do at the moment, as far as this tab knows. */
export interface Status {
  readonly state: StoreState;
  /** Since when this is known: Unix milliseconds. */
  readonly since: number;
  /** The error that it was learnt from; nothing where all is well, or the store was closed here. */
  readonly cause?: unknown;
}

/** Hears of each status that is another. */
export type StatusListener = (status: Status) => void;

/** What is wrong, by the codes of the errors that say so. What is in one group passes together. */
const TROUBLES = {
  STORAGE_FAILED: { group: "outage", state: "reconnecting" },
  STORAGE_UNAVAILABLE: { group: "outage", state: "blocked" },
  VERSION_TOO_NEW: { group: "format", state: "readOnly" },
  CORRUPT_DATA: { group: "damage", state: "damaged" },
  QUOTA_EXCEEDED: { group: "room", state: "quotaExceeded" },
} as const;
/** The gravest first. */
const GROUPS = ["outage", "format", "damage", "room"] as const;

/** How often it is looked, as long as somebody listens. */
const LOOK_MS = 5_000;
/** How long it is waited for word of who took a database away. */
const WORD_MS = 100;

/** What a status is learnt from. */
export interface StatusSources {
  /** Asks the storage whether an append would be taken: rejects with why not. */
  ask(): Promise<unknown>;
  /** Tells the other tabs that there is something to see; nothing where there are none. */
  readonly tell: (() => void) | undefined;
}

/** The status of an engine. */
export class StatusWatch {
  readonly #sources: StatusSources;
  readonly #listeners = new Set<StatusListener>();
  readonly #troubles = new Map<(typeof GROUPS)[number], Pick<Status, "state" | "cause">>();
  readonly #backOff = new BackOff();
  #status: Status;
  /** How often the storage did not answer. */
  #outageCount = 0;
  #isLooking = false;
  #isEnding = false;
  #isOver = false;
  #isDestroyed = false;

  constructor(sources: StatusSources) {
    this.#sources = sources;
    this.#status = { state: "open", since: Date.now() };
  }

  /** What is known. */
  get status(): Status {
    return this.#status;
  }

  /** Listens, and looks now and then by itself. Gives what ends that. */
  listen(listener: StatusListener): () => void {
    this.#listeners.add(listener);
    this.look();
    return () => this.#listeners.delete(listener);
  }

  /** Takes note of what failed, where that says something of the storage. */
  failed(error: unknown): void {
    if (this.#isOver || !isEverfoldError(error)) return;
    const { code } = error;
    if (code === "CLOSED") this.#vanish(error);
    else if (code === "INTERNAL" || code === "OUT_OF_MEMORY") this.end("closed", error);
    else if (code in TROUBLES) {
      const { group, state } = TROUBLES[code as keyof typeof TROUBLES];
      const isNews = this.#troubles.get(group)?.state !== state;
      if (isNews) this.#troubles.set(group, { state, cause: error });
      this.#update();
      // Other tabs of this version are to know before they append.
      if (isNews && group === "format") this.#sources.tell?.();
      if (group !== "outage") return;
      this.#outageCount += 1;
      // It is looked after at once, and not when it would have been anyway.
      if (isNews) this.#backOff.end();
      this.look();
    }
  }

  /** Takes note that something was written. */
  wrote(): void {
    if (this.#troubles.size === 0) return;
    this.#troubles.delete("room");
    this.#troubles.delete("outage");
    this.#update();
  }

  /** Has word of another tab: that the database is about to be gone, or that there is something to see. */
  heard(word: unknown): void {
    this.#isDestroyed ||= word === "destroyed";
    if (word !== "look") return;
    this.#backOff.end();
    this.look();
  }

  /** It is over. */
  end(state: "closed" | "cleared", cause?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#backOff.end();
    this.#set(cause === undefined ? { state } : { state, cause });
    this.#listeners.clear();
  }

  /** Looks, and goes on as long as there is an outage, or somebody listens. */
  look(): void {
    if (this.#isLooking || this.#isOver) return;
    this.#isLooking = true;
    void this.#look();
  }

  async #look(): Promise<void> {
    do {
      const outageCount = this.#outageCount;
      const error = await this.#sources.ask().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      this.failed(error);
      // Whatever else is wrong, there was an answer. What failed since it was asked for is not mended by it.
      if (outageCount === this.#outageCount) this.#answered();
      if (this.#isOver) break;
      if (this.#troubles.has("outage")) await this.#backOff.pause();
      else if (0 < this.#listeners.size) await this.#backOff.pause(LOOK_MS);
    } while (!this.#isOver && (this.#troubles.has("outage") || 0 < this.#listeners.size));
    this.#isLooking = false;
  }

  #answered(): void {
    this.#backOff.reset();
    this.#troubles.delete("outage");
    this.#update();
  }

  /** The database is gone: who took it away may be about to say so. */
  #vanish(error: unknown): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const end = () => this.end(this.#isDestroyed || this.#sources.tell === undefined ? "closed" : "cleared", error);
    if (this.#isDestroyed || this.#sources.tell === undefined) end();
    else setTimeout(end, WORD_MS);
  }

  #update(): void {
    if (this.#isOver) return;
    const group = GROUPS.find((each) => this.#troubles.has(each));
    const trouble = group === undefined ? undefined : this.#troubles.get(group);
    this.#set(trouble ?? { state: "open" });
  }

  #set(status: Omit<Status, "since">): void {
    if (status.state === this.#status.state) return;
    this.#status = Object.freeze({ ...status, since: Date.now() });
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) notify(listener, this.#status);
    }
  }
}

/** The status of one handle, which may be closed while the engine is not. */
export class HandleStatus {
  readonly #watch: StatusWatch;
  readonly #listening = new Map<StatusListener, () => void>();
  #closed: Status | undefined;

  constructor(watch: StatusWatch) {
    this.#watch = watch;
  }

  get now(): Status {
    return this.#closed ?? this.#watch.status;
  }

  /** Listens to what it comes to. Gives what ends that. */
  on(listener: unknown): () => void {
    const checked = callback<StatusListener>(listener, "listener");
    if (this.#closed !== undefined) return () => {};
    // A function of its own for each: the same listener may listen twice.
    const own: StatusListener = (status) => checked(status);
    const stop = this.#watch.listen(own);
    this.#listening.set(own, stop);
    return () => {
      stop();
      this.#listening.delete(own);
    };
  }

  /** The handle is closed. */
  close(): void {
    if (this.#closed !== undefined) return;
    const { status } = this.#watch;
    // Where it was over before, it is what it was.
    const isOver = status.state === "closed" || status.state === "cleared";
    this.#closed = isOver ? status : Object.freeze({ state: "closed", since: Date.now() });
    const listening = [...this.#listening];
    this.#listening.clear();
    for (const [listener, stop] of listening) {
      stop();
      if (!isOver) notify(listener, this.#closed);
    }
  }
}
