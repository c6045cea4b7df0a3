// Where the modules of everfold's own wasm come from. Each entry of the package has its own answer, and all share the instance.

/** A module of the wasm, in any form that a page may have it in. A text is a URL, and counts from the page or worker. */
export type WasmInput = string | URL | Response | WebAssembly.Module | BufferSource;

/** A module, or what gives it when it is needed: a function is called again where loading failed. */
export type WasmSupply = WasmInput | PromiseLike<WasmInput> | (() => WasmInput | PromiseLike<WasmInput>);

/** A module that is loaded when it is first needed: `everfold_<name>.wasm`. */
export type SupplementName = "compaction" | "inquiries" | "folding" | "projections" | "memory" | "consumers";

/** All of them, in the order of their numbers. */
export const SUPPLEMENT_NAMES: readonly SupplementName[] = ["compaction", "inquiries", "folding", "projections", "memory", "consumers"];

/** Gives the modules. May throw, and reject. */
export interface WasmModules {
  /** The one that is loaded first. */
  first(): WasmInput | PromiseLike<WasmInput>;
  supplement(name: SupplementName): WasmInput | PromiseLike<WasmInput>;
}

/** Who offers modules. A later one of these counts, whatever is imported first: it was chosen with more care. */
const OFFERERS = ["beside", "inlined", "init"] as const;

let offerer: (typeof OFFERERS)[number] | undefined;
let offered: WasmModules | undefined;

/** Has these modules be loaded by the first `open`, or by the next where that fails. What is loaded stays. */
export function offerModules(by: (typeof OFFERERS)[number], modules: WasmModules): void {
  if (offerer !== undefined && OFFERERS.indexOf(by) < OFFERERS.indexOf(offerer)) return;
  offerer = by;
  offered = modules;
}

/** The modules to load. Throws where nobody has offered any. */
export function offeredModules(): WasmModules {
  if (offered === undefined) throw new Error('nobody said where it is: call init() of "everfold/slim" before the first store is opened');
  return offered;
}
