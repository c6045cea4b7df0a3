// Code of this package that a page loads when it first needs it, as it does the supplements of the wasm. Each part imports the store, which the
// page has anyway: so bundlers put into one file what all parts need of it, and not into one for each mixture of parts.
import { EverfoldError } from "./errors.js";
import type { Capability } from "./foreseen.js";
import { foreseen } from "./foreseen.js";

/** Code that may be loaded later, by its scripts. */
export type PartName = "folds.js" | "commands.js" | "live-fold.js" | "projections.js" | "consuming.js" | "inquiries.js";

/** A part of the code. */
export class Part<Code> {
  /** What there is of it: nothing as long as it was not loaded. */
  code: Code | undefined;
  /** What gives it where it is not there. Each entry of the package says so. */
  source: (() => Promise<Code>) | undefined;
  readonly #name: PartName;
  #loading: Promise<Code> | undefined;

  constructor(name: PartName) {
    this.#name = name;
  }

  /** Works with the code: at once where it is there, and as soon as it is where not. Errors: `SUPPLEMENT_UNAVAILABLE`; what the work throws. */
  use<Result>(work: (code: Code) => Promise<Result>): Promise<Result> {
    return this.code === undefined ? this.load().then(work) : work(this.code);
  }

  /** Loads it. Where that fails, the next call tries again. */
  load(): Promise<Code> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<Code> {
    try {
      this.code ??= await (this.source as () => Promise<Code>)();
      return this.code;
    } catch (error) {
      this.#loading = undefined;
      const cause = String(error);
      const message = `code that is needed for this could not be loaded: ${cause}`;
      throw new EverfoldError(message, { code: "SUPPLEMENT_UNAVAILABLE", retryable: true, supplement: this.#name, cause });
    }
  }
}

export const FOLDS: Part<typeof import("./folds.js")> = new Part("folds.js");
export const COMMANDS: Part<typeof import("./commands.js")> = new Part("commands.js");
export const LIVE_FOLDS: Part<typeof import("./live-fold.js")> = new Part("live-fold.js");
export const READ_MODELS: Part<typeof import("./projections.js")> = new Part("projections.js");
export const CONSUMING: Part<typeof import("./consuming.js")> = new Part("consuming.js");
export const INQUIRIES: Part<typeof import("./inquiries.js")> = new Part("inquiries.js");

/** What is needed for what an application may ask. */
const PARTS_OF: Partial<Record<Capability, Part<unknown>>> = { folds: FOLDS, commands: COMMANDS, projections: READ_MODELS };

/** Begins to load what definitions have said will be needed. Where that fails, who needs it tries again, and hears of it. */
export function loadForeseen(): void {
  for (const capability of foreseen) PARTS_OF[capability]?.load().catch(() => undefined);
}

/** Options as they are now: what their caller does to them while code is loaded changes nothing. */
export function asTheyAre(options: unknown): unknown {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return options;
  // What is no property of its own, such as a getter of its class, is found behind it.
  const kept = Object.create(options) as Record<string, unknown>;
  for (const key in options) Object.defineProperty(kept, key, { value: (options as Record<string, unknown>)[key], enumerable: true });
  return kept;
}
