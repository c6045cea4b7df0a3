// One of the tabs that follow everything that all of them append, in each way there is, and keep nothing of it.

import { EventStore } from "/dist/index.js";

/** The package does not say which memory it has: they are caught as they are made, which is when the first store opens. */
const memories = new Set();
const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (...given) => {
  const source = await instantiateStreaming.apply(WebAssembly, given);
  Object.values(source.instance.exports).forEach((each) => each instanceof WebAssembly.Memory && memories.add(each));
  return source;
};

/** What the tests append has some length, as notes have. */
const TEXT = "a note of some length, as notes are that somebody writes by hand";
/** How long what was appended may take to come. */
const SETTLE_MS_MAX = 60_000;

const pause = (duration_ms) => new Promise((resolve) => setTimeout(resolve, duration_ms));

/**
 * Follows a store from its beginning.
 *
 * @param {{ database: string, writer: string }} task
 * @returns {Promise<Follower>}
 */
export async function follow({ database, writer }) {
  const store = await EventStore.open(database);
  const follower = new Follower(store, writer);
  await store.subscribe({}, (event) => follower.came("handler", event)).caughtUp;
  store.on("Noted", (event) => follower.came("bus", event));
  void follower.iterate();
  return follower;
}

class Follower {
  #store;
  #writer;
  /** The last position that came, by each way. Each event is one after the one before: nothing else has to be kept. */
  #last = { handler: 0, iterator: 0, bus: 0 };
  #fault;

  constructor(store, writer) {
    this.#store = store;
    this.#writer = writer;
  }

  came(way, { position }) {
    if (position !== this.#last[way] + 1) this.#fault ??= `by ${way}, ${position} came after ${this.#last[way]}`;
    this.#last[way] = position;
  }

  async iterate() {
    try {
      for await (const event of this.#store.subscribe()) this.came("iterator", event);
    } catch (error) {
      this.#fault ??= String(error);
    }
  }

  /**
   * Appends so often, so many events at once, and no faster than so many times a second: where a timer came late, what is due by
   * then is appended.
   *
   * @param {{ count: number, appendsPerSecond: number, eventsPerAppend: number }} course
   * @returns {Promise<number>} the position of the last event
   */
  async append({ count, appendsPerSecond, eventsPerAppend }) {
    const began_ms = performance.now();
    let position = 0;
    for (let appends = 0; appends < count; ) {
      const isDue = (1_000 * appends) / appendsPerSecond <= performance.now() - began_ms;
      if (!isDue) {
        await pause(5);
        continue;
      }
      const events = Array.from({ length: eventsPerAppend }, (_, place) => ({ type: "Noted", data: { place, text: TEXT } }));
      ({ lastPosition: position } = await this.#store.append(`note-${this.#writer}-${appends % 50}`, events));
      appends += 1;
    }
    return position;
  }

  /** Compacts what is there, and has the code of compaction from now on. */
  async compact() {
    await this.#store.compact();
  }

  /**
   * Waits until all up to a position has come by each way, and fails where it was not each event once, in order.
   *
   * @param {number} position
   * @returns {Promise<{ wasm_bytes: number }>} the length of the memory then
   */
  async settle(position) {
    const end_ms = performance.now() + SETTLE_MS_MAX;
    while (Math.min(...Object.values(this.#last)) < position && this.#fault === undefined) {
      if (end_ms < performance.now()) throw new Error(`of ${position} events came ${JSON.stringify(this.#last)}`);
      await pause(20);
    }
    if (this.#fault !== undefined) throw new Error(this.#fault);
    return { wasm_bytes: wasmBytes() };
  }
}

function wasmBytes() {
  return [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
