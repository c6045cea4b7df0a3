// The document at any moment, read out of the store and folded; checkpoints in the page make that quick.

/** A jump folds fewer events than this. Smaller is quicker, and takes more memory: a copy of the text for each. */
const CHECKPOINT_EVENTS = 500;

/** Folded for at most this long before the page gets its turn. */
const SLICE_MS = 8;

/** A moment is a number of events: 0 is before the first, n after the event of revision n − 1. */
export class Moments {
  #store;
  #recording;
  /** The document after so many times `CHECKPOINT_EVENTS` events, as far as folds have passed there. */
  #checkpoints;

  constructor(store, recording) {
    this.#store = store;
    this.#recording = recording;
    this.#checkpoints = [recording.empty];
  }

  /**
   * The document at a moment, and the event that led to it.
   *
   * @param {number} moment
   * @param {object} [options]
   * @param {AbortSignal} [options.signal] rejects with its reason
   * @param {(folded: number, total: number) => void} [options.onProgress] events folded, of how many that are needed
   */
  async at(moment, { signal, onProgress } = {}) {
    const { stream, evolve } = this.#recording;
    const place = Math.min(Math.floor(moment / CHECKPOINT_EVENTS), this.#checkpoints.length - 1);
    const from = place * CHECKPOINT_EVENTS;
    let document = this.#checkpoints[place];
    // The event of a checkpoint itself stands before it.
    let last = from === moment && 0 < moment ? await this.#event(moment - 1) : undefined;
    let revision = from;
    let turn_ms = performance.now();
    if (revision === moment) return { document, event: last, moment };
    for await (const page of this.#store.read(stream, { from, before: moment, signal }).pages()) {
      for (const event of page) {
        document = evolve(document, event);
        last = event;
        revision += 1;
        this.keep(revision, document);
      }
      onProgress?.(revision - from, moment - from);
      if (SLICE_MS < performance.now() - turn_ms) {
        await new Promise((resolve) => setTimeout(resolve));
        turn_ms = performance.now();
      }
      signal?.throwIfAborted();
    }
    return { document, event: last, moment: revision };
  }

  /** Takes a document that somebody else has folded, where a checkpoint is due. */
  keep(moment, document) {
    if (moment === this.#checkpoints.length * CHECKPOINT_EVENTS) this.#checkpoints.push(document);
  }

  async #event(revision) {
    const [event] = await this.#store.read(this.#recording.stream, { from: revision, limit: 1 }).toArray();
    return event;
  }
}
