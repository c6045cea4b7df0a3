import type { ErrorMessage } from "./engine.js";
import { EverfoldError, internal, reviveError } from "./errors.js";

/**
 * The calls under way into one instance of the wasm.
 *
 * A panic ends the instance in the middle of whatever it did: no promise that it gave would ever be settled.
 * So each is kept here, and rejected when the instance fails; later calls are refused with the same error.
 */
export class WasmCalls {
  #failure: EverfoldError | undefined;
  readonly #pending = new Set<(reason: EverfoldError) => void>();

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
      // A trap ends the instance as a panic does; of a panic the hook has told already, with its reason.
      if (error instanceof WebAssembly.RuntimeError) this.fail(asEverfoldError(error));
      throw this.#failure ?? asEverfoldError(error);
    }
  }

  /** Rejects all calls under way, and all later ones. */
  fail(failure: EverfoldError): void {
    this.#failure ??= failure;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const reject of pending) reject(this.#failure);
  }
}

function asEverfoldError(error: unknown): EverfoldError {
  if (error instanceof EverfoldError) return error;
  if (typeof error === "object" && error !== null && "code" in error && "retryable" in error) {
    return reviveError(error as ErrorMessage);
  }
  return internal(error instanceof Error ? error.message : String(error), error);
}
