// Compacts a store, where the package can.

import { watched } from "./long-tasks.js";

/** How a compaction went; nothing where the package has none. */
export async function compactIfPossible(store) {
  if (typeof store.compact !== "function") return undefined;
  const { elapsed_ms, longTasks_ms } = await watched(() => store.compact());
  return { elapsed_ms, longTasks_ms };
}
