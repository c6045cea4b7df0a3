// Does the work of the saga in one context, a worker or a page, and tells all tabs how it stands.

import { saga } from "./saga.js";

/** Over which the tabs and their workers talk. */
export const CHANNEL = "demo-orders-work";

/** So often it is looked at who leads: the library says it to whoever asks. */
const LOOK_MS = 25;

/** At least so often it is told how the work stands, so that others know that it goes on. */
export const TELL_MS = 500;

/**
 * Begins the work.
 *
 * @param {import("../dist/index.js").EventStore} store
 * @param {string} tab the name of the tab, which what is appended bears
 * @returns {() => Promise<void>} ends it
 */
export function startWork(store, tab) {
  const channel = new BroadcastChannel(CHANNEL);
  const tasks = saga(store, { tab }).map((task) => new Task(store, task));
  let told = "";
  let told_ms = -TELL_MS;
  const tell = () => {
    const standings = tasks.map((task) => task.standing());
    const text = JSON.stringify(standings);
    const now = performance.now();
    if (text === told && now < told_ms + TELL_MS) return;
    [told, told_ms] = [text, now];
    channel.postMessage({ kind: "standing", tab, standings });
  };
  const looking = setInterval(tell, LOOK_MS);
  channel.addEventListener("message", ({ data }) => {
    if (data.kind === "retry") for (const task of tasks) task.retry(data);
  });
  return async () => {
    clearInterval(looking);
    await Promise.all(tasks.map((task) => task.stop()));
    channel.close();
  };
}

/** A consumer, and what can be said of it. */
class Task {
  #consumer;
  /** What is being handled. */
  #doing;
  #handled = 0;
  #parked = [];
  /** At which position, and when, it was last looked for what is parked. */
  #looked = { position: -1, at_ms: 0 };

  constructor(store, { name, options, handle }) {
    this.#consumer = store.consumer(name, options, async (event, context) => {
      this.#doing = { stream: event.stream, attempt: context.attempt };
      try {
        await handle(event, context);
        this.#handled += 1;
      } finally {
        this.#doing = undefined;
      }
    });
  }

  /** How it stands, as texts and numbers. */
  standing() {
    const { name, active, position, failure } = this.#consumer;
    if (active) this.#look(position);
    const failed = failure && { stream: failure.event?.stream, attempt: failure.attempt, error: failure.error?.message };
    return { name, active, position, handled: this.#handled, doing: this.#doing, failed, parked: active ? this.#parked : undefined };
  }

  /** Has what is parked tried again, where this context leads. */
  retry({ name, id }) {
    if (name === this.#consumer.name && this.#consumer.active) this.#consumer.retryParked(id).catch(console.error);
  }

  stop() {
    return this.#consumer.stop();
  }

  /** Looks for what is parked, where that may have changed. */
  #look(position) {
    const { position: before, at_ms } = this.#looked;
    const now_ms = performance.now();
    if (position === before && (this.#parked.length === 0 || now_ms < at_ms + TELL_MS)) return;
    this.#looked = { position, at_ms: now_ms };
    this.#consumer.parked().then(
      (parked) => (this.#parked = parked.map(({ id, stream, attempts, error, behind, retrying }) => ({ id, stream, attempts, error, behind, retrying }))),
      // It cannot be read now: it is looked again when something was done.
      () => {},
    );
  }
}
