// The wasm of this page, and the glue that writes and reads its memory: everfold's own, or that of a crate which has everfold in it.
import { EverfoldError } from "./errors.js";
import * as own from "./everfold.js";
import { instantiate, otherVersion } from "./instantiate.js";
import type { SupplementLoader } from "./supplements.js";
import { supplementLoader } from "./supplements.js";
import { offeredModules } from "./wasm-modules.js";

/** What a glue offers. */
export interface Core extends Pick<typeof own, "destroy" | "exists" | "limits" | "openEngine"> {
  /** Loads what is not in its wasm. A crate that has everfold in its wasm has all of it. */
  readonly loadSupplement?: SupplementLoader;
  /** Of a crate that has aggregates: gives an engine one of them to fold with, and a handle to that. */
  everfoldDefine?(engine: own.Engine, names: string, numbers: Float64Array): number;
}

let load: () => Promise<Core> = loadOwn;
let loading: Promise<Core> | undefined;

/** Has another wasm be loaded in place of everfold's own. Gives whether it was in time. */
export function replaceCore(loadOther: () => Promise<Core>): boolean {
  const isInTime = loading === undefined;
  if (isInTime) load = loadOther;
  return isInTime;
}

/** The wasm of this page. The first call loads it; where that fails, the next does. */
export function loadCore(): Promise<Core> {
  loading ??= load().catch((error: unknown) => {
    // A network that failed once may do better the next time.
    loading = undefined;
    if (error instanceof EverfoldError) throw error;
    const cause = String(error);
    throw new EverfoldError(`the WebAssembly could not be loaded: ${cause}`, { code: "WASM_UNAVAILABLE", retryable: true, cause });
  });
  return loading;
}

async function loadOwn(): Promise<Core> {
  const imports = own.imports();
  const modules = offeredModules();
  const instance = await instantiate(modules.first(), imports);
  // What the glue calls by a name may be something else in another build: nothing is run before this is known.
  if (!(own.build in instance.exports)) throw otherVersion("of another build");
  own.start(instance);
  return { ...own, loadSupplement: supplementLoader(modules, instance.exports, own.build, imports) };
}
