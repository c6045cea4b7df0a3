// A value that follows the log: what it is now, and who is to hear that it is another.
import { callback } from "./arguments.js";
import { isEverfoldError } from "./errors.js";
import { notify } from "./report.js";

/** What is known of a live value. */
export type LiveState<Value> =
  /** Not known yet. */
  | { readonly status: "loading" }
  /** Known, and followed. Never to be changed in place. */
  | { readonly status: "ready"; readonly value: Value }
  /** Why it cannot be known. Where the world mends that, it is known again, without anybody's doing. */
  | { readonly status: "error"; readonly error: unknown };

/**
 * A value that follows the log as long as somebody listens, and for a second after that. `get` and `subscribe` need no `this`, and are what
 * React's `useSyncExternalStore` takes.
 *
 * @example
 * const { get, subscribe } = store.live(Account, "account-1");
 * const stop = subscribe(() => console.log(get()));
 */
export interface Live<Value> {
  /**
   * What is known now: the same object until something changes. Where nobody listens, it has the value loaded, and begins with
   * `"loading"`.
   */
  readonly get: () => LiveState<Value>;
  /** Calls the listener after each change. What it throws is reported by the platform. Gives a function that ends the listening. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** Begins to follow, and tells what is known until the function that it gives is called. */
export type Following<Value> = (tell: (state: LiveState<Value>) => void) => () => void;

/** So long a value is followed after its last listener has left: who comes back at once finds it as it is. */
const GRACE_MS = 1_000;
const LOADING = { status: "loading" } as const;

/** A live value that follows whatever it is made of only as long as it is wanted. */
export class LiveValue<Value> implements Live<Value> {
  readonly #follow: Following<Value>;
  readonly #listeners = new Set<{ readonly call: () => void }>();
  #state: LiveState<Value> = LOADING;
  /** Where it follows, what ends that. */
  #end: (() => void) | undefined;
  #timer: unknown;

  constructor(follow: Following<Value>) {
    this.#follow = follow;
  }

  readonly get = (): LiveState<Value> => {
    if (this.#listeners.size === 0) this.#want();
    return this.#state;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    // An object of its own for each: the same listener may listen twice.
    const own = { call: callback<() => void>(listener, "listener") };
    this.#listeners.add(own);
    this.#want();
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#want();
    };
  };

  /** Sees to it that it follows: with nobody who listens, for as long as the grace is. */
  #want(): void {
    clearTimeout(this.#timer as number);
    this.#end ??= this.#begin();
    if (0 < this.#listeners.size) return;
    this.#timer = setTimeout(() => this.#release(), GRACE_MS);
    // That it is kept for a while keeps no process of Node's alive.
    (this.#timer as { unref?(): void }).unref?.();
  }

  #begin(): () => void {
    let isOver = false;
    const end = this.#follow((state) => {
      if (isOver || isSameError(this.#state, state)) return;
      this.#state = state;
      for (const listener of [...this.#listeners]) {
        if (this.#listeners.has(listener)) notify(listener.call);
      }
    });
    return () => {
      isOver = true;
      end();
    };
  }

  #release(): void {
    this.#end?.();
    this.#end = undefined;
    this.#state = LOADING;
  }
}

/** Whether it is the same that went wrong: all attempts that fail for one reason are one state. */
function isSameError(one: LiveState<unknown>, other: LiveState<unknown>): boolean {
  if (one.status !== "error" || other.status !== "error") return false;
  const [known, error] = [one.error, other.error];
  return known === error || (isEverfoldError(known) && isEverfoldError(error, known.code) && known.message === error.message);
}

/**
 * Live values by what they are of: as long as anybody has one, it is given to all who ask for the same. Whoever follows holds it.
 */
export class LiveValues {
  readonly #values = new Map<string, WeakRef<LiveValue<unknown>>>();
  readonly #forget = new FinalizationRegistry<string>((key) => {
    if (this.#values.get(key)?.deref() === undefined) this.#values.delete(key);
  });

  /** The value of this key, which `follow` makes where there is none. */
  of<Value>(key: string, follow: Following<Value>): Live<Value> {
    const known = this.#values.get(key)?.deref() as LiveValue<Value> | undefined;
    if (known !== undefined) return known;
    const value = new LiveValue(follow);
    this.#values.set(key, new WeakRef<LiveValue<unknown>>(value as LiveValue<unknown>));
    this.#forget.register(value, key);
    return value;
  }
}
