// The events that live values follow: one subscription for all of them, however many there are.
import { BackOff } from "./back-off.js";
import type { Engine, QueryItemMessage } from "./engine.js";
import { closed, isEverfoldError } from "./errors.js";
import { Feed } from "./feed.js";
import type { AnyRecorded } from "./page.js";
import { FACT_TYPES, WHATEVER } from "./query.js";
import { matches, mayConcern } from "./query-match.js";
import type { Source } from "./source.js";

/** What follows the events of a source. */
export interface Follower {
  /**
   * Takes the next events and facts of its source, as they are stored: some at least. No more come until what it gives is settled,
   * which never fails.
   */
  take(events: readonly AnyRecorded[]): Promise<void> | undefined;
  /** Hears that for now nothing can be learnt of what comes; of `CLOSED`, for good. */
  fail(error: unknown): void;
  /** Hears that it can be again: what came meanwhile is not told. */
  recover(): void;
}

/** A source, and all that follow it. */
interface Followed {
  readonly source: Source;
  readonly followers: Set<Follower>;
}

/** Hands what comes to those whose source it is of. */
export class LiveFeed {
  readonly #engine: Engine;
  readonly #streams = new Map<string, Followed>();
  readonly #queries = new Map<string, Followed>();
  readonly #backOff = new BackOff();
  #feed: Feed | undefined;
  /** Up to where all was handed out. */
  #position = 0;
  #isRunning = false;
  #isClosed = false;
  #failure: unknown;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Follows a source from now on: what this tab knows of the log by now need not come. Gives what ends that.
   */
  join(source: Source, follower: Follower): () => void {
    if (this.#isClosed) {
      follower.fail(closed());
      return () => {};
    }
    if (this.#isEmpty()) this.#position = this.#engine.position;
    const [all, key] = "stream" in source ? [this.#streams, source.stream] : [this.#queries, JSON.stringify(source.query)];
    let followed = all.get(key);
    if (followed === undefined) {
      all.set(key, (followed = { source, followers: new Set() }));
      this.#renew();
    }
    followed.followers.add(follower);
    if (this.#failure !== undefined) follower.fail(this.#failure);
    return () => {
      followed.followers.delete(follower);
      if (0 < followed.followers.size || all.get(key) !== followed) return;
      all.delete(key);
      this.#renew();
    };
  }

  /** Ends it: whoever follows hears that the store is closed. */
  readonly close = (): void => {
    this.#end(closed());
  };

  /** Has it go on, where it was, with the sources that there are now. */
  #renew(): void {
    if (this.#feed !== undefined) this.#position = Math.max(this.#position, this.#feed.lookedAt);
    this.#feed?.stop();
    this.#feed = undefined;
    if (this.#isEmpty()) this.#backOff.end();
    if (this.#isRunning || this.#isEmpty()) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    // Those who come in one task share a subscription.
    await undefined;
    while (!this.#isEmpty()) {
      this.#feed = new Feed(this.#engine, { after: this.#position, query: this.#query() });
      try {
        await this.#handOut(this.#feed);
      } catch (error) {
        if (isEverfoldError(error, "CLOSED")) {
          this.#end(error);
          break;
        }
        this.#feed?.stop();
        // What could not be read may be mended.
        this.#feed = undefined;
        this.#failure = error;
        for (const follower of this.#followers()) follower.fail(error);
        await this.#backOff.pause();
      }
    }
    this.#failure = undefined;
    this.#isRunning = false;
  }

  async #handOut(feed: Feed): Promise<void> {
    for (;;) {
      const page = await feed.next();
      if (page === undefined) return;
      this.#position = page.end;
      feed.passed(page.end);
      this.#backOff.reset();
      if (this.#failure !== undefined) {
        this.#failure = undefined;
        for (const follower of this.#followers()) follower.recover();
      }
      const taking = this.#portions(page.events).flatMap(([{ followers }, events]) => Array.from(followers, (follower) => follower.take(events)));
      await Promise.all(taking);
      if (feed.isStopped) return;
    }
  }

  /** What there is for each source. */
  #portions(events: readonly AnyRecorded[]): [Followed, AnyRecorded[]][] {
    const portions = new Map<Followed, AnyRecorded[]>();
    const add = (followed: Followed | undefined, event: AnyRecorded) => {
      if (followed === undefined) return;
      const portion = portions.get(followed);
      if (portion === undefined) portions.set(followed, [event]);
      else portion.push(event);
    };
    for (const event of events) {
      add(this.#streams.get(event.stream), event);
      for (const followed of this.#queries.values()) {
        const { query } = followed.source as { readonly query: readonly QueryItemMessage[] };
        // A fact is of whatever it may have hidden.
        if (event.revision === undefined ? mayConcern(query, event.stream) : matches(query, event)) add(followed, event);
      }
    }
    return [...portions];
  }

  /** A query for all sources, and for all facts, which tell what was hidden. */
  #query(): readonly QueryItemMessage[] {
    const { queryEntries, queryNames } = this.#engine.limits;
    const streams = [...this.#streams.keys()];
    const query: QueryItemMessage[] = [{ types: FACT_TYPES }];
    for (let start = 0; start < streams.length; start += queryEntries) query.push({ streams: streams.slice(start, start + queryEntries) });
    for (const { source } of this.#queries.values()) query.push(...(source as { readonly query: readonly QueryItemMessage[] }).query);
    const nameCount = query.reduce((count, item) => count + Object.values(item).reduce((sum, names) => sum + names.length, 0), 0);
    return query.length <= queryEntries && nameCount <= queryNames ? query : WHATEVER;
  }

  *#followers(): Generator<Follower, void, undefined> {
    for (const all of [this.#streams, this.#queries]) {
      for (const { followers } of [...all.values()]) yield* [...followers];
    }
  }

  #isEmpty(): boolean {
    return this.#streams.size === 0 && this.#queries.size === 0;
  }

  #end(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const followers = [...this.#followers()];
    this.#streams.clear();
    this.#queries.clear();
    this.#renew();
    for (const follower of followers) follower.fail(error);
  }
}
