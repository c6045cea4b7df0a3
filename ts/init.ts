import { bag } from "./arguments.js";
import { invalidArgument } from "./errors.js";
import { isWasmInput, kindOf } from "./instantiate.js";
import type { SupplementName, WasmInput, WasmSupply } from "./wasm-modules.js";
import { SUPPLEMENT_NAMES, offerModules } from "./wasm-modules.js";

/** What {@link init} may be told as well. */
export interface InitOptions {
  /**
   * Where the modules are that are loaded when they are first needed. Where nothing is said they are looked for beside the first one, by
   * the names that they have in the package: `everfold_compaction.wasm`, and so on.
   */
  readonly supplements?: Readonly<Record<SupplementName, WasmSupply>> | ((supplement: SupplementName) => WasmInput | PromiseLike<WasmInput>);
}

/**
 * Says where everfold's wasm is. Nothing is loaded before the first store is opened; what is loaded stays, so that a later call only matters
 * where loading has failed. A `Response` can be read once: a function that fetches it can be asked again.
 *
 * Errors: `INVALID_ARGUMENT`, also for a module, bytes, or a `data:` or `blob:` URL without `supplements`, as they do not say what is beside them.
 *
 * @example
 * import wasmUrl from "everfold/everfold.wasm?url"; // as Vite gives it
 * init(wasmUrl, { supplements: (name) => fetch(`/wasm/everfold_${name}.wasm`) });
 */
export function init(wasm: WasmSupply, options: InitOptions = {}): void {
  bag(options, ["supplements"], "options");
  const { supplements } = options;
  checkSupply(wasm, "wasm");
  checkSupplements(supplements);
  if (supplements === undefined && isWasmInput(wasm) && !canTellAddress(wasm)) {
    throw invalidArgument("options.supplements", "is missing: a module, bytes, and data: and blob: URLs do not say where the others are");
  }
  // Who opens a store is told; until then nobody listens.
  if (isPromise(wasm)) wasm.then(undefined, () => undefined);
  let address: string | undefined;
  offerModules("init", {
    first: async () => {
      const first = await supplied(wasm);
      address = addressOf(first);
      return first;
    },
    supplement(name) {
      if (typeof supplements === "function") return supplements(name);
      if (supplements !== undefined) return supplied(supplements[name]);
      if (!address) throw new Error("init() was told nothing of supplements, and its module does not say where they are");
      return new URL(`everfold_${name}.wasm`, address);
    },
  });
}

function checkSupplements(supplements: unknown): void {
  if (supplements === undefined || typeof supplements === "function") return;
  if (typeof supplements !== "object" || supplements === null) throw invalidArgument("options.supplements", "is neither an object nor a function");
  for (const name of SUPPLEMENT_NAMES) checkSupply((supplements as Record<string, unknown>)[name], `options.supplements.${name}`);
}

function checkSupply(supply: unknown, path: string): void {
  if (typeof supply === "function" || isPromise(supply) || isWasmInput(supply)) return;
  throw invalidArgument(path, "is no URL, Response, WebAssembly.Module or bytes, no promise of one and no function that gives one");
}

function isPromise(value: unknown): value is PromiseLike<WasmInput> {
  return typeof value === "object" && value !== null && "then" in value;
}

function supplied(supply: WasmSupply): WasmInput | PromiseLike<WasmInput> {
  return typeof supply === "function" ? supply() : supply;
}

function canTellAddress(wasm: WasmInput): boolean {
  // Nothing is beside what a page holds itself.
  if (typeof wasm === "string" || kindOf(wasm) === "URL") return !/^(?:data|blob):/i.test(String(wasm));
  return kindOf(wasm) === "Response";
}

/** The address of a module, beside which the others may be: none of one that has none, such as a response that was made by hand. */
function addressOf(wasm: WasmInput): string | undefined {
  if (kindOf(wasm) === "Response") return (wasm as Response).url;
  if (!canTellAddress(wasm)) return undefined;
  return new URL(wasm as string | URL, globalThis.document?.baseURI ?? globalThis.location?.href).href;
}
