import type { ErrorMessage } from "./engine.js";
import { EverfoldError, internal, outOfMemory, reviveError } from "./errors.js";

/**
 * The calls under way into one instance of the wasm.
 *
 * A bug ends the instance with a trap, or with a stack that runs out, in the middle of whatever it did, be it a call or
 * a task that the browser woke: no promise that it gave would ever be settled. So each is kept here, and rejected when
 * the instance traps; nothing enters it any more, and later calls are refused with the same error.
 */
export class WasmCalls {
  #failure: EverfoldError | undefined;
  readonly #pending = new Set<(reason: EverfoldError) => void>();

  /** The exports of the instance, each guarded: every entry from JavaScript has to go through them. */
  guard<Exports extends object>(exports: Exports): Exports {
    const values: readonly unknown[] = Object.values(exports);
    const guarded = Object.entries(exports).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "function" ? this.#guarded(value as Entry, values) : value,
    ]);
    return Object.fromEntries(guarded) as Exports;
  }

  /** Makes a call that gives a promise. Rejects with an {@link EverfoldError} only. */
  make<Result>(call: () => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      const promise = this.makeNow(call);
      this.#pending.add(reject);
      promise.then(
        (result) => {
          this.#pending.delete(reject);
          resolve(result);
        },
        (error: unknown) => {
          this.#pending.delete(reject);
          reject(asEverfoldError(error));
        },
      );
    });
  }

  /** Makes a call that gives its result at once. */
  makeNow<Result>(call: () => Result): Result {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return call();
    } catch (error) {
      throw this.#failure ?? asEverfoldError(error);
    }
  }

  #guarded(enter: Entry, exports: readonly unknown[]): Entry {
    return (...values) => {
      // What wakes a task of a dead instance is an event of a transaction too: thrown there, this aborts it.
      if (this.#failure !== undefined) throw this.#failure;
      try {
        return enter(...values);
      } catch (error) {
        if (error instanceof Error && DEADLY.has(error.name)) this.#fail(error, exports);
        throw error;
      }
    };
  }

  /** Rejects all calls under way, and all later ones. */
  #fail(trap: Error, exports: readonly unknown[]): void {
    // A trap in an entry within another comes by twice.
    this.#failure ??= exports.some(isExhausted)
      ? outOfMemory(trap)
      : internal(`the WebAssembly instance stopped: ${trap.message}`, trap);
    exports.forEach(closeDatabases);
    for (const reject of this.#pending) reject(this.#failure);
    this.#pending.clear();
  }
}

/** Whether this is a memory that cannot grow any more: an allocation that was refused leaves no other trace. */
function isExhausted(memory: unknown): boolean {
  if (!(memory instanceof WebAssembly.Memory)) return false;
  try {
    memory.grow(LARGEST_ALLOCATION_PAGES);
    return false;
  } catch {
    return true;
  }
}

/** Lets go of the databases that a dead instance holds by this table: it would be in the way of who deletes them. */
function closeDatabases(table: unknown): void {
  if (!(table instanceof WebAssembly.Table) || !("IDBDatabase" in globalThis)) return;
  for (let place = 0; place < table.length; place += 1) {
    const value: unknown = table.get(place);
    if (value instanceof IDBDatabase) value.close();
  }
}

/** The largest body of a record, in pages of 64 KiB: no more is ever asked for at once. */
const LARGEST_ALLOCATION_PAGES = 512;

/** The names of what ends an instance: a trap, or a stack that ran out, as one browser or another calls it. */
const DEADLY: ReadonlySet<string> = new Set(["RuntimeError", "RangeError", "InternalError"]);

/** An exported function of the wasm. */
type Entry = (...values: unknown[]) => unknown;

/** All calls into the one instance of the wasm. The glue guards its exports by this. */
export const wasmCalls: WasmCalls = new WasmCalls();

function asEverfoldError(error: unknown): EverfoldError {
  if (error instanceof EverfoldError) return error;
  if (typeof error === "object" && error !== null && "code" in error && "retryable" in error) {
    return reviveError(error as ErrorMessage);
  }
  return internal(error instanceof Error ? error.message : String(error), error);
}
