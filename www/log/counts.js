// Counts what matches, by type and by day, as charts.

import { drawBars } from "../parts/chart.js";
import { byId } from "../parts/element.js";
import { drawShares } from "../parts/shares.js";

/** A log that grows is counted no more often than this. */
const COUNT_MS = 1_500;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export class Counts {
  #store;
  #onTypes;
  #onError;
  #filter;
  #abort;
  #timer;
  #days = [];

  /** `onTypes` is told which types there are in the whole log. */
  constructor(store, { onTypes, onError }) {
    this.#store = store;
    this.#onTypes = onTypes;
    this.#onError = onError;
    new ResizeObserver(() => this.#drawDays()).observe(byId("by-day"));
  }

  /** Counts what matches another filter, at once. */
  show(filter) {
    this.#filter = filter;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#count();
  }

  /** There is more to count. */
  grow() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#count();
    }, COUNT_MS);
  }

  async #count() {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const { query, since, until } = this.#filter;
    const options = { since, until, signal: abort.signal };
    try {
      const types = await this.#store.count(query, { ...options, by: "type" });
      const days = await this.#store.count(query, { ...options, by: "day" });
      const all = this.#filter.isEverything ? types : await this.#store.count({}, { by: "type", signal: abort.signal });
      if (abort.signal.aborted) return;
      this.#days = filled(days);
      this.#onTypes(all);
      byId("by-type-empty").hidden = 0 < Object.keys(types).length;
      drawShares(byId("by-type"), Object.entries(types));
      this.#drawDays();
    } catch (error) {
      if (!abort.signal.aborted) this.#onError(error);
    }
  }

  #drawDays() {
    drawBars(byId("by-day"), { title: "Events by day", of: "Day (UTC)", counted: "events a day", bars: this.#days, short: shortDay, empty: "Nothing matches." });
  }
}

/** Every day from the first to the last, those without an event too. */
function filled(counts) {
  const days = Object.keys(counts);
  if (days.length === 0) return [];
  const all = [];
  const [first, last] = [Date.parse(days[0]), Date.parse(days.at(-1))];
  for (let time = first; time <= last; time += 86_400_000) {
    const day = new Date(time).toISOString().slice(0, 10);
    all.push([day, counts[day] ?? 0]);
  }
  return all;
}

/** "2026-10-03" → "3 Oct" */
function shortDay(day) {
  const [, month, date] = day.split("-").map(Number);
  return `${date} ${MONTHS[month - 1]}`;
}
