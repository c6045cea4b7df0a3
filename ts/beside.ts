import type { SupplementName } from "./wasm-modules.js";
import { offerModules } from "./wasm-modules.js";

/** Each address stands here as a whole, as bundlers look for them. */
const SUPPLEMENTS: Readonly<Record<SupplementName, () => URL>> = {
  compaction: () => new URL("./everfold_compaction.wasm", import.meta.url),
  inquiries: () => new URL("./everfold_inquiries.wasm", import.meta.url),
  folding: () => new URL("./everfold_folding.wasm", import.meta.url),
  projections: () => new URL("./everfold_projections.wasm", import.meta.url),
  memory: () => new URL("./everfold_memory.wasm", import.meta.url),
  consumers: () => new URL("./everfold_consumers.wasm", import.meta.url),
};

offerModules("beside", {
  first: () => new URL("./everfold_bg.wasm", import.meta.url),
  supplement: (name) => SUPPLEMENTS[name](),
});
