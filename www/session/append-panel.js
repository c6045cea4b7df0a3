// Appends the session to the store, and shows how far it is.

import { appendSession } from "./appending.js";
import { measure } from "./figures.js";
import { formatCount, formatRate, formatSeconds } from "../parts/format.js";

/** The store is measured no more often than this while it is appended to. */
const MEASURE_MS = 1_000;

export class AppendPanel {
  #session;
  #figures;
  #onError;
  #button = document.getElementById("append");
  #bar = document.getElementById("append-progress");
  #count = document.getElementById("append-count");
  #state = document.getElementById("append-state");
  /** Of the run under way, or undefined. @type {AbortController | undefined} */
  #run;
  #measured_ms = 0;

  constructor({ session, figures, onError }) {
    this.#session = session;
    this.#figures = figures;
    this.#onError = onError;
    this.#button.addEventListener("click", () => this.#toggle());
    session.addEventListener("count", () => this.#grown());
  }

  /** The session has a store. */
  open() {
    this.#state.textContent = this.#resting();
    this.#draw();
    void this.#measure();
  }

  /** The session is about to lose its store. */
  close() {
    this.#run?.abort();
    this.#run = undefined;
    this.#draw();
    this.#button.disabled = true;
    this.#state.textContent = "The store is closed.";
  }

  /** The store could not be opened. */
  fail() {
    this.#state.textContent = "The store could not be opened.";
  }

  #toggle() {
    if (this.#run === undefined) void this.#append();
    else this.#run.abort();
  }

  async #append() {
    const { store } = this.#session;
    const run = new AbortController();
    this.#run = run;
    this.#session.isAppending = true;
    this.#state.textContent = "Loading the recording…";
    this.#draw();
    try {
      await appendSession(store, this.#session.recording, { signal: run.signal, onProgress: (progress) => this.#progress(store, progress) });
    } catch (error) {
      if (store === this.#session.store) {
        this.#state.textContent = this.#resting();
        this.#onError(error);
      }
    }
    if (store !== this.#session.store || this.#run !== run) return;
    this.#run = undefined;
    this.#session.isAppending = false;
    this.#draw();
    void this.#measure();
  }

  #progress(store, { count, appended, elapsed_ms, durability, others }) {
    // Another recording may have been chosen meanwhile.
    if (store !== this.#session.store || this.#run === undefined) return;
    const rate = formatRate(appended, elapsed_ms);
    const parts = [`${formatCount(appended)} ${this.#session.recording.unit} appended in ${formatSeconds(elapsed_ms)}`];
    if (rate !== undefined) parts.push(rate);
    if (0 < others) parts.push(`another tab was faster ${formatCount(others)} times`);
    this.#state.textContent = parts.join(" · ");
    this.#figures.show({ appendRate: rate, durability: durability || undefined });
    this.#session.grow(count);
    this.#draw();
    if (MEASURE_MS < performance.now() - this.#measured_ms) void this.#measure();
  }

  /** Another tab, or this one, has appended. */
  #grown() {
    this.#draw();
    if (this.#run !== undefined) return;
    this.#state.textContent = this.#resting();
    void this.#measure();
  }

  #draw() {
    const { count, recording } = this.#session;
    const isDone = recording.total <= count;
    // Said when it is over, and not a hundred times before.
    this.#state.setAttribute("aria-busy", String(this.#run !== undefined));
    this.#bar.max = recording.total;
    this.#bar.value = count;
    this.#count.textContent = `${formatCount(count)} of ${formatCount(recording.total)}`;
    this.#button.disabled = !this.#session.isOpen || (isDone && this.#run === undefined);
    if (this.#run !== undefined) this.#button.textContent = "Pause";
    else if (isDone) this.#button.textContent = `All ${recording.unit} are stored`;
    else this.#button.textContent = count === 0 ? "Append the session" : "Carry on";
  }

  #resting() {
    const { count, recording } = this.#session;
    if (recording.total <= count) return "The whole session is stored.";
    if (count === 0) return "The log is empty.";
    return `${formatCount(count)} ${recording.unit} are stored; carry on where that ended.`;
  }

  async #measure() {
    const { store } = this.#session;
    this.#measured_ms = performance.now();
    try {
      const found = await measure(store);
      // Meanwhile the session may have lost it.
      if (store === this.#session.store) this.#figures.show(found);
    } catch (error) {
      if (store === this.#session.store) this.#onError(error);
    }
  }
}
