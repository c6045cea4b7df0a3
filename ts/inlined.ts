import { wasm } from "./inline_bg.js";
import type { SupplementName } from "./wasm-modules.js";
import { offerModules } from "./wasm-modules.js";

/** Files of their own, so that nobody loads what he does not need. */
const SUPPLEMENTS: Readonly<Record<SupplementName, () => Promise<{ readonly wasm: string }>>> = {
  compaction: () => import("./inline_compaction.js"),
  inquiries: () => import("./inline_inquiries.js"),
  folding: () => import("./inline_folding.js"),
  projections: () => import("./inline_projections.js"),
  memory: () => import("./inline_memory.js"),
  consumers: () => import("./inline_consumers.js"),
};

offerModules("inlined", {
  first: () => unpacked(wasm),
  supplement: async (name) => unpacked((await SUPPLEMENTS[name]()).wasm),
});

/** A module that was compressed with gzip, and then written in base64. It is compiled while it is unpacked. */
function unpacked(packed: string): Response {
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream, { headers: { "Content-Type": "application/wasm" } });
}
