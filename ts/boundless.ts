import type { EngineLimits } from "./engine.js";

/** Without a store there are no bounds but those of the stack. */
export const BOUNDLESS: EngineLimits = {
  jsonDepth: 1_000,
  tagsPerEvent: Infinity,
  eventBytes: Infinity,
  commitEvents: Infinity,
  commitBytes: Infinity,
  queryEntries: Infinity,
  queryNames: Infinity,
};
