// The part of the code that folds: see `parts`. Whatever it needs beneath is named here too, so that a browser to which no
// bundler has gone before asks for all of it at once, and not for one file after the other.
import "./document-reducer.js";
import "./evolve.js";
import "./fingerprint.js";
import "./fold-messages.js";
import "./fold-pages.js";
import "./moment.js";
import "./sha1.js";
import "./snapshot.js";
import "./store.js";

export { historyPages } from "./history.js";
export { loadAll } from "./load-all.js";
export { load } from "./load.js";
