import { onAbort } from "./abort.js";
import type { Engine } from "./engine.js";

/** Lets those who work on the same stream wait for one another, in the order in which they came. */
export class Turns {
  /** By stream on which somebody works, what wakes those who wait for it. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /**
   * Works on a stream when all who came before are done with it, be it well or badly. Where the signal aborts while it waits, it
   * rejects with the signal's reason, and the work is not begun.
   */
  async take<Result>(stream: string, signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) this.#waiting.set(stream, new Set());
    else await turn(waiting, signal);
    try {
      return await work();
    } finally {
      this.#pass(stream);
    }
  }

  /** Hands over to the next; who comes meanwhile finds the stream still worked on. */
  #pass(stream: string): void {
    const [wake] = this.#waiting.get(stream) ?? [];
    if (wake === undefined) this.#waiting.delete(stream);
    else wake();
  }
}

/** Waits until it is woken. */
function turn(waiting: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const wake = () => {
      waiting.delete(wake);
      forget();
      resolve();
    };
    const forget = onAbort(signal, () => {
      waiting.delete(wake);
      forget();
      reject(signal?.reason);
    });
    waiting.add(wake);
  });
}

const known = new WeakMap<Engine, Turns>();

/** Those of the commands of an engine, from whichever of its handles. */
export function turnsOf(engine: Engine): Turns {
  const turns = known.get(engine) ?? new Turns();
  known.set(engine, turns);
  return turns;
}
