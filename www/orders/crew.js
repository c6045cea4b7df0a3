// Who does the work: the workers of all tabs, as far as they are heard of, and the one of this tab.

import { CHANNEL, TELL_MS, startWork } from "./work.js";

/** A worker that was not heard of for so long is gone, or frozen. */
const SILENCE_MS = 3 * TELL_MS;

/** So long a worker is frozen: longer than others wait until they take over. */
export const FREEZE_MS = 10_000;

export class Crew {
  #tab;
  #channel = new BroadcastChannel(CHANNEL);
  #listener;
  /** What was last heard of each tab. */
  #heard = new Map();
  #worker;
  #onError;

  /**
   * @param {string} tab the name of this tab
   * @param {object} listener
   * @param {() => void} listener.onChange is called when something was heard
   * @param {(fate: { tab: string, kind: "killed" | "frozen", tasks: string[] }) => void} listener.onFate is told of workers that were killed or frozen, in whichever tab, and of the tasks that they led
   * @param {(error: unknown) => void} listener.onError
   */
  constructor(tab, listener) {
    this.#tab = tab;
    this.#listener = listener;
    this.#onError = listener.onError;
    this.#channel.addEventListener("message", ({ data }) => this.#hear(data));
  }

  /** Whether this tab has a worker. */
  get isAtWork() {
    return this.#worker !== undefined;
  }

  /** Starts the worker of this tab. */
  start() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: this.#tab });
    worker.addEventListener("error", (event) => this.#onError(event.error ?? new Error(event.message || "The worker could not be started.")));
    this.#worker = worker;
    this.#listener.onChange();
  }

  /** Does the work in the page: what is kept in memory no worker can see. */
  startHere(store) {
    startWork(store, this.#tab);
  }

  /** Each task of which something is known: who leads it, and how it stands there. */
  tasks() {
    const now_ms = performance.now();
    const tasks = new Map();
    for (const [tab, { at_ms, standings }] of this.#heard) {
      for (const standing of standings) {
        const silence_ms = now_ms - at_ms;
        const known = tasks.get(standing.name);
        // Who is frozen still believes that it leads: who was heard last is right.
        if (known?.standing.active && (!standing.active || known.at_ms > at_ms)) continue;
        tasks.set(standing.name, { tab, at_ms, standing, isSilent: SILENCE_MS < silence_ms });
      }
    }
    return tasks;
  }

  /** How many workers are at work, as far as is known. */
  count() {
    const now_ms = performance.now();
    return [...this.#heard.values()].filter(({ at_ms }) => now_ms < at_ms + SILENCE_MS).length;
  }

  /** The tab that leads the most tasks. */
  leader() {
    const counts = new Map();
    for (const { tab, standing, isSilent } of this.tasks().values()) if (standing.active && !isSilent) counts.set(tab, (counts.get(tab) ?? 0) + 1);
    return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
  }

  /** Has a tab's worker killed or frozen, be it this one or another. */
  order(kind, tab) {
    const message = { kind, tab };
    this.#channel.postMessage(message);
    this.#hear(message);
  }

  /** Has the leader of a task try again what it has parked. */
  retry(name, id) {
    this.#channel.postMessage({ kind: "retry", name, id });
  }

  #hear(message) {
    const { kind, tab, standings } = message;
    if (kind === "standing") this.#heard.set(tab, { at_ms: performance.now(), standings });
    else if (kind === "kill" || kind === "freeze") this.#obey(kind, tab);
    this.#listener.onChange();
  }

  #obey(kind, tab) {
    const tasks = [...this.tasks()].filter(([, task]) => task.tab === tab && task.standing.active).map(([name]) => name);
    if (tab === this.#tab && kind === "kill") {
      this.#worker?.terminate();
      this.#worker = undefined;
    }
    if (tab === this.#tab && kind === "freeze") this.#worker?.postMessage({ freeze_ms: FREEZE_MS });
    // Nothing more is heard of who is killed, and what was on its way does not count.
    if (kind === "kill") this.#heard.delete(tab);
    this.#listener.onFate({ tab, kind: kind === "kill" ? "killed" : "frozen", tasks });
  }
}
