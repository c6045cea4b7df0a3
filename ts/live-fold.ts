// The state of an aggregate that follows the log: loaded once, then carried on with the events that come.
import type { AnyAggregate } from "./aggregate.js";
import { BackOff, mayPass } from "./back-off.js";
import type { Folded, Reducer } from "./evolve.js";
import { reducerOf } from "./evolve.js";
import type { LiveState } from "./live.js";
import type { Follower } from "./live-feed.js";
import { LiveFeed } from "./live-feed.js";
import type { Loaded } from "./load.js";
import { hiddenSince, loadedOf, stillSeen } from "./load.js";
import type { AnyRecorded } from "./page.js";
import type { Session } from "./session.js";
import type { Snapshots } from "./snapshot.js";
import { snapshotsOf } from "./snapshot.js";
import type { Source } from "./source.js";
import { upcasterOf } from "./upcast.js";
import "./store.js";

/** By open store, the feed of all that is live in it. */
const feeds = new WeakMap<Session, LiveFeed>();

/** Follows the state of a stream or a query, until the function that it gives is called. */
export function follow<State>(session: Session, aggregate: AnyAggregate<State>, source: Source, tell: (state: LiveState<Loaded<State>>) => void): () => void {
  try {
    return new LiveFold(session, aggregate, source, tell).follow(feedOf(session));
  } catch (error) {
    // An initial state that is none: there is nothing to follow.
    tell({ status: "error", error });
    return () => {};
  }
}

function feedOf(session: Session): LiveFeed {
  const feed = feeds.get(session) ?? new LiveFeed(session.engine);
  feeds.set(session, feed);
  if (session.isClosed()) feed.close();
  session.listening.add(feed.close);
  return feed;
}

/** What came that was not folded. */
interface Missed {
  readonly position: number;
  /** Whether it hides what was folded. */
  readonly hides: boolean;
}

const NOTHING_MISSED: Missed = { position: 0, hides: false };

/** One state that is carried on as long as it is wanted. */
class LiveFold<State> implements Follower {
  readonly #session: Session;
  readonly #aggregate: AnyAggregate<State>;
  readonly #source: Source;
  readonly #reducer: Reducer<State>;
  readonly #snapshots: Snapshots;
  readonly #tell: (state: LiveState<Loaded<State>>) => void;
  readonly #backOff = new BackOff();
  /** What is carried on; nothing while it is loaded, and where it cannot be. */
  #folded: Folded<State> | undefined;
  /** What was told last; nothing where that was no value. */
  #shown: Loaded<State> | undefined;
  #missed: Missed = NOTHING_MISSED;
  #isLoading = false;
  /** Whether nothing can be learnt of what comes. */
  #isCut = false;
  #isOver = false;

  constructor(session: Session, aggregate: AnyAggregate<State>, source: Source, tell: (state: LiveState<Loaded<State>>) => void) {
    this.#session = session;
    this.#aggregate = aggregate;
    this.#source = source;
    this.#reducer = reducerOf(aggregate, session.upcaster);
    this.#snapshots = snapshotsOf(session);
    this.#tell = tell;
  }

  /** Begins: first of all to hear what comes, so that nothing is missed while it is loaded. */
  follow(feed: LiveFeed): () => void {
    const leave = feed.join(this.#source, this);
    void this.#load();
    return () => {
      this.#isOver = true;
      leave();
      this.#backOff.end();
    };
  }

  take(events: readonly AnyRecorded[]): Promise<void> | undefined {
    const folded = this.#folded;
    if (folded === undefined) {
      this.#miss(events);
      return undefined;
    }
    const news = events.filter(({ position }) => folded.asOf < position);
    const last = news.at(-1);
    if (last === undefined) return undefined;
    try {
      const start = this.#startOf(folded, news);
      if (start === undefined) {
        this.#miss(news);
        return undefined;
      }
      const after = news.slice(start.after);
      // What one value's upcasters or reducer make of an event is no other's business.
      const own = upcasterOf(this.#aggregate) ?? this.#session.upcaster ? structuredClone(after) : after;
      const following = this.#reducer.fold(this.#session.engine, start.folded, own, last.position);
      if (!(following instanceof Promise)) return this.#carryOn(following);
      return following.then(
        (next) => this.#carryOn(next),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  fail(error: unknown): void {
    this.#isCut = true;
    this.#folded = undefined;
    this.#backOff.end();
    this.#say(error);
  }

  recover(): void {
    this.#isCut = false;
    void this.#load();
  }

  /**
   * What is folded on, and from which of the events on: a deletion takes away all that was before it. Nothing where what is seen has
   * to be read again, because it is not known what is left.
   */
  #startOf(folded: Folded<State>, events: readonly AnyRecorded[]): { readonly folded: Folded<State>; readonly after: number } | undefined {
    const isOfStream = "stream" in this.#source;
    let start = { folded, after: 0 };
    for (const [place, { type, revision, position }] of events.entries()) {
      if (revision !== undefined) continue;
      if (!isOfStream || type === "$truncated") return undefined;
      start = { folded: { ...this.#reducer.start(), asOf: position }, after: place + 1 };
    }
    const first = events[start.after]?.revision;
    // Where one is left out it was hidden before it could be read, and the fact of that is still to come.
    const isGap = isOfStream && first !== undefined && start.folded.revision !== undefined && first !== start.folded.revision + 1;
    return isGap ? undefined : start;
  }

  #carryOn(folded: Folded<State>): undefined {
    if (this.#isOver || this.#isCut) return;
    const { state, revision, asOf: position } = folded;
    const isKept = this.#snapshots.keep(this.#aggregate, this.#source, folded);
    this.#folded = isKept ? { ...folded, count: 0 } : folded;
    if ("query" in this.#source) this.#show({ state, exists: 0 < folded.count, revision: undefined, position, expected: "noStream" });
    else this.#show({ state, exists: revision !== undefined, revision, position, expected: revision ?? "noStream" });
  }

  /** Notes what came while it could not be folded, and sees to it that it is read. */
  #miss(events: readonly AnyRecorded[]): void {
    const hides = events.some(({ revision }) => revision === undefined);
    this.#missed = { position: events.at(-1)?.position ?? 0, hides: hides || this.#missed.hides };
    // A reducer that failed will fail again, unless what it failed for is hidden.
    const isMended = hides || this.#folded !== undefined;
    if (isMended && !this.#isLoading && !this.#isCut) {
      this.#folded = undefined;
      void this.#load();
    }
  }

  /** Loads it, until nothing is missing; where the storage fails, again and again. */
  async #load(): Promise<void> {
    if (this.#isLoading || this.#isCut) return;
    this.#isLoading = true;
    let folded: Folded<State> | undefined;
    while (!this.#isOver && !this.#isCut) {
      try {
        this.#missed = NOTHING_MISSED;
        folded = await this.#foldOn(folded);
        const loaded = await loadedOf(this.#session.engine, folded, { source: this.#source });
        if (this.#isOver || this.#isCut) break;
        this.#backOff.reset();
        this.#show(loaded);
        if (this.#missed.position <= folded.asOf) {
          this.#folded = folded;
          break;
        }
      } catch (error) {
        if (this.#isOver || this.#isCut) break;
        this.#say(error);
        folded = undefined;
        if (mayPass(error)) await this.#backOff.pause();
        else if (!this.#missed.hides) break;
      }
    }
    this.#missed = NOTHING_MISSED;
    this.#isLoading = false;
  }

  async #foldOn(folded: Folded<State> | undefined): Promise<Folded<State>> {
    const { engine } = this.#session;
    const source = this.#source;
    let next: Folded<State>;
    if (folded === undefined) next = await this.#snapshots.fold(this.#aggregate, this.#reducer, { source });
    else {
      const hidden = await hiddenSince(engine, folded.asOf);
      next = await this.#reducer.foldStretch(engine, stillSeen(folded, source, hidden, this.#reducer), { source, asOf: hidden.asOf });
    }
    return this.#snapshots.keep(this.#aggregate, this.#source, next) ? { ...next, count: 0 } : next;
  }

  #failed(error: unknown): void {
    this.#folded = undefined;
    if (this.#isOver || this.#isCut) return;
    this.#say(error);
    if (mayPass(error)) void this.#load();
  }

  #show(value: Loaded<State>): void {
    const shown = this.#shown;
    // Of a query there is nothing to see but this.
    if (shown !== undefined && "query" in this.#source && shown.state === value.state && shown.exists === value.exists) return;
    this.#shown = value;
    this.#tell({ status: "ready", value });
  }

  /** Tells why there is no value. */
  #say(error: unknown): void {
    if (this.#isOver) return;
    this.#shown = undefined;
    this.#tell({ status: "error", error });
  }
}
