// The part of the code that folds: see `parts`.
import "./store.js";

export { historyPages } from "./history.js";
export { loadAll } from "./load-all.js";
export { load } from "./load.js";
