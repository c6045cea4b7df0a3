// What the wasm of this package loads when it is first needed: modules that live in the instance of the first one.
import { instantiate } from "./instantiate.js";
import type { SupplementName, WasmModules } from "./wasm-modules.js";
import { SUPPLEMENT_NAMES } from "./wasm-modules.js";

/** The number of a supplement. */
export const SUPPLEMENT = { compaction: 0, inquiries: 1, folding: 2, projections: 3, consumers: 5 } as const;

/** Loads a supplement, by its number. Where that fails, the next call tries again. */
export type SupplementLoader = (number: number) => Promise<void>;

/**
 * What loads the supplements of this instance. They fill its table with functions, and take those that they call from there. It is exported by the
 * name of the build, by which they import it: those of another one find nothing, and are not linked.
 */
export function supplementLoader(modules: WasmModules, exports: WebAssembly.Exports, build: string, imports: WebAssembly.Imports): SupplementLoader {
  const table = exports[build] as WebAssembly.Table;
  const functions = new Proxy({}, { get: (_, slot) => table.get(Number(slot)) as WebAssembly.ImportValue });
  const all = { ...imports, b: exports, c: functions };
  const loading: (Promise<void> | undefined)[] = [];
  return (number) => {
    const load = async (): Promise<void> => {
      try {
        await instantiate(modules.supplement(SUPPLEMENT_NAMES[number] as SupplementName), all);
      } catch (error) {
        loading[number] = undefined;
        throw error;
      }
    };
    return (loading[number] ??= load());
  };
}
