// Which events match, newest first, and the events themselves where they are looked at.

/** Events that are read at once. */
const PAGE_EVENTS = 100;

/** Pages that are kept; the one that was read first goes first. */
const PAGES_KEPT = 60;

/** Events that are kept as they came: more than are in view at the top. */
const RECENT_EVENTS = 100;

/** Positions that are noted between two looks of the page. */
const TOLD_MS = 120;

/**
 * The events that match a query. Of the whole log it is known where they stand: each position is a row. Of a
 * part of it the positions are noted as a read comes to them, from the newest on, so that the first rows are there at once.
 */
export class Matches {
  #store;
  #filter;
  #onError;
  /** What came since, in the order of the log. */
  #newer = [];
  /** What was there, from the newest on; nothing where that is each position up to `#end`. @type {number[] | undefined} */
  #older;
  #end;
  #pages = new Map();
  /** What came last, by position: where events come faster than they are read, the top of the list is there all the same. */
  #recent = new Map();
  #isReading = false;
  #abort = new AbortController();
  /** Whether all that was there was looked at. */
  isComplete = false;

  /**
   * @param {object} store
   * @param {{ query: object, since?: number, until?: number, isEverything: boolean }} filter
   * @param {(error: unknown) => void} onError
   */
  constructor(store, filter, onError) {
    this.#store = store;
    this.#filter = filter;
    this.#onError = onError;
    this.#end = store.position;
    this.#older = filter.isEverything ? undefined : [];
  }

  get count() {
    return this.#newer.length + (this.#older?.length ?? this.#end);
  }

  /** Looks for what matches, and then for what comes; tells how many rows there are more, above and below. */
  async follow(onGrown) {
    const { signal } = this.#abort;
    try {
      const coming = this.#listen(onGrown, signal);
      if (this.#older !== undefined) await this.#scan(onGrown, signal);
      this.isComplete = true;
      onGrown({ above: 0, below: 0 });
      await coming;
    } catch (error) {
      if (!signal.aborted) this.#onError(error);
    }
  }

  stop() {
    this.#abort.abort();
  }

  /** The event of a row, where it was read. */
  eventAt(row) {
    const position = this.#positionAt(row);
    return this.#recent.get(position) ?? this.#pages.get(Math.floor((position - 1) / PAGE_EVENTS))?.get(position);
  }

  /** Reads one page that is in view and not there; gives whether there was one. What was scrolled past meanwhile is never read. */
  async readMissing(first, end) {
    if (this.#isReading) return false;
    for (let row = first; row < end; row += 1) {
      if (this.eventAt(row) !== undefined) continue;
      this.#isReading = true;
      try {
        await this.#read(this.#positionAt(row));
      } catch (error) {
        if (!this.#abort.signal.aborted) this.#onError(error);
        return false;
      } finally {
        this.#isReading = false;
      }
      return this.eventAt(row) !== undefined;
    }
    return false;
  }

  /** The position of a row: what came since stands above what was there. */
  #positionAt(row) {
    const newer = this.#newer.length;
    if (row < newer) return this.#newer[newer - 1 - row];
    return this.#older === undefined ? this.#end - (row - newer) : this.#older[row - newer];
  }

  /** Reads the stretch of the log in which a position stands: with few that match, one row or two. */
  async #read(position) {
    const page = Math.floor((position - 1) / PAGE_EVENTS);
    const { query, since, until } = this.#filter;
    const after = page * PAGE_EVENTS;
    const events = await this.#store.readAll({ query, since, until, after, before: after + PAGE_EVENTS + 1, signal: this.#abort.signal }).toArray();
    this.#pages.set(page, new Map(events.map((event) => [event.position, event])));
    if (PAGES_KEPT < this.#pages.size) this.#pages.delete(this.#pages.keys().next().value);
  }

  async #scan(onGrown, signal) {
    const { query, since, until } = this.#filter;
    let told_ms = performance.now();
    let below = 0;
    for await (const page of this.#store.readAll({ query, since, until, before: this.#end + 1, direction: "backwards", signal }).pages()) {
      for (const { position } of page) this.#older.push(position);
      below += page.length;
      if (performance.now() - told_ms < TOLD_MS && PAGE_EVENTS < this.#older.length) continue;
      onGrown({ above: 0, below });
      below = 0;
      told_ms = performance.now();
    }
    onGrown({ above: 0, below });
  }

  async #listen(onGrown, signal) {
    const { query, since, until } = this.#filter;
    let above = 0;
    let isDue = false;
    const tell = () => {
      isDue = false;
      if (signal.aborted) return;
      onGrown({ above, below: 0 });
      above = 0;
    };
    for await (const event of this.#store.subscribe({ after: this.#end, query, signal })) {
      if (event.time < (since ?? -Infinity) || (until ?? Infinity) <= event.time) continue;
      // Read before this event came: it is read again.
      this.#pages.delete(Math.floor((event.position - 1) / PAGE_EVENTS));
      this.#recent.set(event.position, event);
      if (RECENT_EVENTS < this.#recent.size) this.#recent.delete(this.#recent.keys().next().value);
      this.#newer.push(event.position);
      above += 1;
      if (isDue) continue;
      isDue = true;
      setTimeout(tell, TOLD_MS);
    }
  }
}
