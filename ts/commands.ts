// The part of the code that decides: see `parts`.
import "./store.js";

export { Execution } from "./execute.js";
export { transact } from "./transact.js";
