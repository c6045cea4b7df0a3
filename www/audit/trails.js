// What was done to each user: every event, with the state before and after it and the patch between them.

import { User } from "./domain.js";

/**
 * A change.
 *
 * @typedef {object} Step
 * @property {object} event
 * @property {object} before the state before it
 * @property {object} state the state after it
 * @property {object[]} patch from the one to the other: a JSON Patch
 */

/** Follows the log, and tells its listeners of `change`. */
export class Trails extends EventTarget {
  /** The steps of each user, by stream. @type {Map<string, Step[]>} */
  #steps = new Map();
  #store;

  constructor(store, onError) {
    super();
    this.#store = store;
    store.subscribe({ query: { categories: ["user"] }, onError }, (event) => this.#extend(event));
  }

  /** The streams of all users, in the order of their names. */
  get streams() {
    return [...this.#steps.keys()].sort();
  }

  /** The steps of a user, the oldest first. */
  of(stream) {
    return this.#steps.get(stream) ?? [];
  }

  /** A user as it is. */
  stateOf(stream) {
    return this.of(stream).at(-1)?.state ?? User.initial();
  }

  /** The steps of all users, the newest first. */
  get all() {
    return [...this.#steps.values()].flat().sort((one, other) => other.event.time - one.event.time || other.event.position - one.event.position);
  }

  /** Reads what is not known of a user yet. The history may know more than the event that it is asked for. */
  async #extend({ stream, revision }) {
    const steps = this.of(stream);
    if (revision < steps.length) return;
    let before = this.stateOf(stream);
    const added = [];
    for await (const { event, state, patch } of this.#store.history(User, stream, { from: steps.length, diff: true })) {
      added.push({ event, before, state, patch });
      before = state;
    }
    this.#steps.set(stream, [...steps, ...added]);
    this.dispatchEvent(new Event("change"));
  }
}
