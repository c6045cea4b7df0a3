// What the wasm of this package loads when it is first needed: modules that live in the instance of the first one.
import { instantiate } from "./instantiate.js";

/** The supplements, in the order of their numbers. Each address stands here as bundlers look for them. */
const ADDRESSES: readonly (() => URL)[] = [
  () => new URL("./everfold_compaction.wasm", import.meta.url),
  () => new URL("./everfold_inquiries.wasm", import.meta.url),
  () => new URL("./everfold_folding.wasm", import.meta.url),
  () => new URL("./everfold_projections.wasm", import.meta.url),
  () => new URL("./everfold_memory.wasm", import.meta.url),
];

/** The number of a supplement. */
export const SUPPLEMENT = { compaction: 0, inquiries: 1, folding: 2, projections: 3 } as const;

/** Loads a supplement, by its number. Where that fails, the next call tries again. */
export type SupplementLoader = (number: number) => Promise<void>;

/** What loads the supplements of this instance. It fills its table with functions, and takes those that it calls from there. */
export function supplementLoader({ exports }: WebAssembly.Instance, imports: WebAssembly.Imports): SupplementLoader {
  const table = exports["functions"] as WebAssembly.Table;
  const functions = new Proxy({}, { get: (_, slot) => table.get(Number(slot)) as WebAssembly.ImportValue });
  const all = { ...imports, b: exports, c: functions };
  const loading: (Promise<void> | undefined)[] = [];
  return (number) => {
    const load = async (): Promise<void> => {
      try {
        await instantiate((ADDRESSES[number] as () => URL)(), all);
      } catch (error) {
        loading[number] = undefined;
        throw error;
      }
    };
    return (loading[number] ??= load());
  };
}
