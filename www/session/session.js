// What the parts of the page share: the open store, and how many events of the session are in it.

import { streamCount } from "./appending.js";
import { Moments } from "./moments.js";
import { TRACE } from "./trace.js";

/** Tells its listeners of `count` when the stream has grown. */
export class Session extends EventTarget {
  /** The open store, or undefined. */
  store;
  /** What is appended to it. @type {import("./trace.js").Recording} */
  recording = TRACE;
  /** The document at any moment, out of this store. @type {Moments | undefined} */
  moments;
  /** How many events of the session are stored. */
  count = 0;
  isAppending = false;

  get isOpen() {
    return this.store !== undefined;
  }

  async open(store, recording = this.recording) {
    const count = await streamCount(store, recording.stream);
    this.recording = recording;
    this.store = store;
    this.moments = new Moments(store, recording);
    this.count = count;
  }

  close() {
    this.store = undefined;
    this.moments = undefined;
    this.count = 0;
    this.isAppending = false;
  }

  /** Looks how long the stream is, for other tabs append to it too. */
  async refresh() {
    const { store, recording } = this;
    const count = await streamCount(store, recording.stream);
    if (store === this.store && recording === this.recording) this.grow(count);
  }

  /** Says how many events are stored. */
  grow(count) {
    if (count === this.count) return;
    this.count = count;
    this.dispatchEvent(new Event("count"));
  }
}
