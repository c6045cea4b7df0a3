// The part of the code for what is asked and done now and then: see `parts`.
import "./store.js";

export { compact } from "./compact.js";
export { countEvents } from "./count.js";
export { statsOf, streamPages } from "./info.js";
export { replay } from "./replay.js";
