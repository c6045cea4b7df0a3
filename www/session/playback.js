// Plays the session back out of the store: as it happened, faster, or as fast as it goes.

/** A gap longer than this, on the viewer's clock, is cut to it and said: the session has idle nights. */
export const IDLE_MS = 1_000;

/** Long enough to fold a good many events, short enough for sixty frames a second. */
const FRAME_BUDGET_MS = 10;

/** A frame that has not come by then is not waited for. */
const FRAME_MS_MAX = 100;

/**
 * Reads the events after `start` and hands the state over once a frame, until the end, or until the signal aborts.
 *
 * @param {object} store
 * @param {import("./trace.js").Recording} recording
 * @param {object} start the document, and its moment
 * @param {object} options
 * @param {() => number} options.speed how many times faster than it happened; may change while it runs; Infinity is as fast as it goes
 * @param {AbortSignal} options.signal
 * @param {(state: { document: object, moment: number, event: object, idle_ms: number }) => void} options.onFrame
 *   `idle_ms` is how long nothing happened before this event, where that gap was cut, else 0
 * @param {(moment: number, document: object) => void} options.onEvent
 * @returns {Promise<{ events: number, elapsed_ms: number }>} how many events were played, in what time
 */
export async function play(store, recording, { document, moment }, { speed, signal, onFrame, onEvent }) {
  const state = { document, moment, event: undefined, idle_ms: 0 };
  const pace = new Pace(speed);
  const begun = performance.now();
  let frame = begun;
  let events = 0;
  for await (const page of store.read(recording.stream, { from: moment }).pages()) {
    for (const event of page) {
      const delay_ms = pace.delay(event.time);
      const isLate = FRAME_BUDGET_MS < performance.now() - frame;
      if (0 < delay_ms || isLate) {
        if (state.event !== undefined) onFrame({ ...state, idle_ms: pace.idle_ms });
        await (0 < delay_ms ? pause(delay_ms, signal) : nextFrame());
        frame = performance.now();
      }
      if (signal.aborted) return { events, elapsed_ms: performance.now() - begun };
      state.document = recording.evolve(state.document, event);
      state.moment += 1;
      state.event = event;
      events += 1;
      onEvent(state.moment, state.document);
    }
  }
  if (state.event !== undefined) onFrame(state);
  return { events, elapsed_ms: performance.now() - begun };
}

/** When events are due: their own times, sped up, with long gaps cut. */
class Pace {
  /** How long nothing happened before the next event, where that was cut. */
  idle_ms = 0;
  #speed;
  #time;
  #due_ms = performance.now();

  constructor(speed) {
    this.#speed = speed;
  }

  /** How long to wait for the event of this time. */
  delay(time) {
    const speed = this.#speed();
    const now = performance.now();
    // Time 0 means that none was recorded: there is no gap to tell of.
    const gap_ms = this.#time === undefined || this.#time === 0 ? 0 : Math.max(0, time - this.#time);
    this.#time = time;
    if (speed === Infinity) {
      this.#due_ms = now;
      this.idle_ms = 0;
      return 0;
    }
    const wait_ms = gap_ms / speed;
    this.idle_ms = IDLE_MS < wait_ms ? gap_ms : 0;
    // Behind its time, as in a tab that was hidden, it goes on from now and does not race.
    this.#due_ms = Math.max(this.#due_ms, now - IDLE_MS) + Math.min(wait_ms, IDLE_MS);
    // Timers are no finer than this; events of one instant come together.
    const delay_ms = this.#due_ms - now;
    return 4 < delay_ms ? delay_ms : 0;
  }
}

function nextFrame() {
  return new Promise((resolve) => {
    // A tab that is hidden has no frames, be it from the first or only once one was asked for.
    const timer = setTimeout(() => {
      cancelAnimationFrame(frame);
      resolve();
    }, FRAME_MS_MAX);
    const frame = requestAnimationFrame(() => {
      clearTimeout(timer);
      setTimeout(resolve);
    });
  });
}

/** Waits, and no longer than until the signal aborts. */
function pause(delay_ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delay_ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
