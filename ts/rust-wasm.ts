import { bag } from "./arguments.js";
import type { Core } from "./core.js";
import { replaceCore } from "./core.js";
import type { Domain, ExportedAggregate, ExportsMessage } from "./domain-messages.js";
import type { EverfoldError } from "./errors.js";
import { invalidArgument } from "./errors.js";
import { instantiate } from "./instantiate.js";
import { VERSION } from "./version.js";
import { wasmCalls } from "./wasm-calls.js";

/** The wasm of somebody's own crate, which has everfold and aggregates in Rust in it. */
export interface WasmSource {
  /** All that is exported by the module which wasm-bindgen writes beside the wasm for its target `bundler`: that whose name ends in `_bg.js`. */
  readonly glue: object;
  /** Where the wasm is. */
  readonly url: URL;
}

/** What the glue of a crate with aggregates offers. */
interface Glue extends Core {
  everfoldAggregates(): string;
  everfoldDecide(aggregate: string, state: string, command: string, now: number, revision: number | undefined): string;
  __wbg_set_wasm(exports: object): void;
}

const FUNCTIONS = ["destroy", "exists", "limits", "openEngine", "everfoldAggregates", "everfoldDefine", "everfoldDecide", "__wbg_set_wasm"];

/** What this page uses in place of everfold's own. */
let used: Glue | undefined;
/** The aggregates of it, once it is loaded. */
let aggregates: ReadonlyMap<string, ExportedAggregate> | undefined;

/**
 * Has this page load the wasm of a crate of yours in place of everfold's own: one that has everfold in it, and the aggregates that
 * `everfold::export_aggregates!` exports. To be called before the first store is opened; until then nothing is loaded.
 *
 * Errors: `INVALID_ARGUMENT`, also where another wasm is in use. A wasm of another version of everfold is refused when it is loaded.
 *
 * @example
 * import * as glue from "./pkg/bank_domain_bg.js";
 * useWasm({ glue, url: new URL("./pkg/bank_domain_bg.wasm", import.meta.url) });
 */
export function useWasm(wasm: WasmSource): void {
  const { glue, url } = bag(wasm, ["glue", "url"], "wasm");
  if (!isGlue(glue)) {
    throw invalidArgument("wasm.glue", "is not what wasm-bindgen writes for its target bundler, of a crate with everfold::export_aggregates!");
  }
  if (!(url instanceof URL)) throw invalidArgument("wasm.url", 'is no URL; new URL("…_bg.wasm", import.meta.url) gives one');
  if (glue === used) return;
  if (used !== undefined || !replaceCore(() => load(glue, url))) {
    throw invalidArgument("wasm", "comes too late: this page uses another; useWasm() is to be called once, before the first store is opened");
  }
  used = glue;
}

function isGlue(glue: unknown): glue is Glue {
  if (typeof glue !== "object" || glue === null) return false;
  return FUNCTIONS.every((name) => typeof (glue as Record<string, unknown>)[name] === "function");
}

async function load(glue: Glue, url: URL): Promise<Core> {
  // All that it imports is its glue's, by whatever name it calls that.
  const imports = new Proxy({}, { get: () => glue }) as WebAssembly.Imports;
  const exports = wasmCalls.guard((await instantiate(url, imports)).exports as { __wbindgen_start(): void });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  const described = JSON.parse(wasmCalls.makeNow(() => glue.everfoldAggregates())) as ExportsMessage;
  if (described.everfold !== VERSION) {
    const problem = `has the crate everfold ${described.everfold} in it, and this is the package everfold ${VERSION}; both have to be of one version`;
    throw invalidArgument("wasm", problem);
  }
  aggregates = new Map(described.aggregates.map((aggregate) => [aggregate.name, aggregate]));
  return glue;
}

/** The aggregates in Rust of this page. */
export const domain: Domain = {
  aggregate(name) {
    const found = aggregates?.get(name);
    if (found === undefined) throw unknown(name);
    return found;
  },
  decide({ aggregate, state, command, now, revision }) {
    const { name } = domain.aggregate(aggregate);
    return JSON.parse(wasmCalls.makeNow(() => (used as Glue).everfoldDecide(name, state, command, now, revision)));
  },
};

function unknown(name: string): EverfoldError {
  let there: string;
  if (aggregates !== undefined) there = `it has ${[...aggregates.keys()].join(", ")}`;
  else there = used === undefined ? "everfold's own has none, and useWasm() has the page use another" : "it is not loaded yet: open a store first";
  return invalidArgument("aggregate.name", `is ${JSON.stringify(name)}, which is no aggregate of this page's wasm; ${there}`);
}
