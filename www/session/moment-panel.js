// Shows the session at one moment, which the slider, the log and the playback choose.

import { DocumentView } from "./document-view.js";
import { formatCount, formatDuration, formatRate, formatTime } from "../parts/format.js";
import { LogView } from "./log-view.js";
import { play } from "./playback.js";

/** While the session is appended its end is shown no more often than this, so that appending has the time. */
const FOLLOW_MS = 200;

export class MomentPanel {
  #session;
  #figures;
  #onError;
  #play = document.getElementById("play");
  #speed = document.getElementById("speed");
  #slider = document.getElementById("moment");
  #label = document.getElementById("moment-label");
  #state = document.getElementById("moment-state");
  #playing = document.getElementById("playing-state");
  #facts = document.getElementById("document-facts");
  #save = document.getElementById("save");
  #panes = document.getElementById("panes");
  #view = new DocumentView(document.getElementById("document"));
  #log;
  /** What is shown. */
  #moment = 0;
  #document;
  /** When it was written, in words. */
  #written = "";
  /** Of the jump or the playback under way, or undefined. @type {AbortController | undefined} */
  #run;
  #isPlaying = false;
  /** Whether the end is shown, and followed when it moves. */
  #isAtEnd = true;
  #shown_ms = 0;

  constructor({ session, figures, onError }) {
    this.#session = session;
    this.#document = session.recording.empty;
    this.#figures = figures;
    this.#onError = onError;
    this.#log = new LogView(document.getElementById("log"), {
      onSelect: (revision) => this.#go(revision + 1),
      onError,
    });
    this.#slider.addEventListener("input", () => this.#go(Number(this.#slider.value)));
    this.#play.addEventListener("click", () => (this.#isPlaying ? this.#run.abort() : void this.#playBack()));
    this.#save.addEventListener("click", () => this.#download());
    const follow = document.getElementById("follow");
    follow.addEventListener("change", () => (this.#view.follows = follow.checked));
    // A browser may have kept the state of the box over a reload.
    this.#view.follows = follow.checked;
    session.addEventListener("count", () => this.#grown());
  }

  /** The session has a store: shows its end. */
  open() {
    this.#log.open(this.#session.store, this.#session.recording);
    this.#log.grow(this.#session.count);
    this.#show({ document: this.#session.recording.empty, event: undefined, moment: 0 });
    this.#go(this.#session.count);
  }

  /** The session is about to lose its store. */
  close() {
    this.#run?.abort();
    this.#run = undefined;
    this.#isPlaying = false;
    this.#log.open(undefined, this.#session.recording);
    this.#show({ document: this.#session.recording.empty, event: undefined, moment: 0 });
    for (const control of [this.#play, this.#slider, this.#save]) control.disabled = true;
    this.#slider.max = "0";
    this.#play.textContent = "Play";
    this.#playing.textContent = "";
  }

  /** More is stored: who was at the end stays there. */
  #grown() {
    const { count, recording } = this.#session;
    this.#log.grow(count);
    const isDue = recording.total <= count || FOLLOW_MS < performance.now() - this.#shown_ms;
    if (this.#isAtEnd && isDue) this.#go(count);
    else this.#drawControls();
  }

  /** Jumps to a moment; a later jump takes the place of one under way. */
  async #go(moment) {
    const { store, moments } = this.#session;
    if (moments === undefined) return;
    this.#run?.abort();
    const run = new AbortController();
    this.#run = run;
    this.#isPlaying = false;
    this.#isAtEnd = moment === this.#session.count;
    this.#shown_ms = performance.now();
    this.#slider.max = String(this.#session.count);
    this.#slider.value = String(moment);
    const onProgress = (folded, total) => {
      this.#state.textContent = `Rebuilding: ${formatCount(folded)} of ${formatCount(total)} ${this.#session.recording.unit}`;
    };
    try {
      const found = await moments.at(moment, { signal: run.signal, onProgress });
      if (run.signal.aborted) return;
      this.#run = undefined;
      this.#show(found);
      void this.#judge();
    } catch (error) {
      if (!run.signal.aborted && store === this.#session.store) this.#onError(error);
    }
  }

  async #playBack() {
    const { store, moments, count, recording } = this.#session;
    this.#run?.abort();
    const run = new AbortController();
    const isOver = count <= this.#moment;
    const start = isOver ? { document: recording.empty, moment: 0 } : { document: this.#document, moment: this.#moment };
    this.#run = run;
    this.#isPlaying = true;
    this.#isAtEnd = false;
    this.#drawControls();
    try {
      const played = await play(store, recording, start, {
        speed: () => Number(this.#speed.value),
        signal: run.signal,
        onEvent: (moment, folded) => moments.keep(moment, folded),
        onFrame: (state) => this.#frame(run, state),
      });
      // At any other speed the rate is that of the one who typed.
      if (store === this.#session.store && this.#speed.value === "Infinity") this.#figures.show({ replayRate: formatRate(played.events, played.elapsed_ms) });
    } catch (error) {
      if (store === this.#session.store && !run.signal.aborted) this.#onError(error);
    }
    // A jump may have taken over.
    if (this.#run !== run) return;
    this.#run = undefined;
    this.#isPlaying = false;
    this.#isAtEnd = this.#moment === this.#session.count;
    this.#playing.textContent = "";
    this.#drawControls();
    void this.#judge();
  }

  #frame(run, { idle_ms, ...state }) {
    if (this.#run !== run) return;
    this.#playing.textContent = 0 < idle_ms ? `Nothing for ${formatDuration(idle_ms)}: the wait is cut to a second` : "";
    this.#show(state);
  }

  #show({ document, event, moment }) {
    this.#document = document;
    this.#moment = moment;
    this.#view.show(document, this.#session.recording.lastChange(document, event));
    this.#log.select(moment - 1);
    this.#facts.textContent = `${formatCount(document.text.length)} characters`;
    if (moment === 0) {
      this.#state.textContent = this.#session.count === 0 ? "Nothing is stored yet: append the session first." : "Before the first edit";
    } else {
      this.#written = `Written: ${formatTime(event.time)}${event.time === 0 ? "" : " UTC"}`;
      this.#state.textContent = this.#written;
    }
    this.#drawControls();
  }

  #drawControls() {
    const { count } = this.#session;
    const isEmpty = count === 0;
    this.#slider.max = String(count);
    this.#slider.value = String(this.#moment);
    this.#slider.disabled = isEmpty;
    this.#play.disabled = isEmpty;
    this.#play.textContent = this.#isPlaying ? "Stop" : "Play";
    this.#save.disabled = isEmpty;
    this.#panes.classList.toggle("is-empty", isEmpty);
    // Each frame has a time of its own: screen readers say the last one.
    this.#state.setAttribute("aria-busy", String(this.#isPlaying));
    const label = `${formatCount(this.#moment)} of ${formatCount(count)}`;
    this.#label.textContent = label;
    this.#slider.setAttribute("aria-valuetext", `edit ${label}`);
  }

  /** Says at the end whether the text is the one that the recording ends with. */
  async #judge() {
    const { recording } = this.#session;
    if (this.#moment !== recording.total) return;
    try {
      const { endContent } = await recording.load();
      if (endContent === undefined || this.#moment !== recording.total || recording !== this.#session.recording) return;
      const verdict = this.#document.text === endContent ? "equal" : "NOT equal";
      this.#state.textContent = `${this.#written} · ${verdict} to the recording's final text`;
    } catch (error) {
      this.#onError(error);
    }
  }

  #download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.#document.text], { type: "text/plain" }));
    link.download = `document-at-${this.#moment}.${this.#session.recording.ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}
