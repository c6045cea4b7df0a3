// The part of the code that decides: see `parts`. As in `folds`, whatever it needs beneath is named too.
import "./command.js";
import "./decide.js";
import "./document-reducer.js";
import "./evolve.js";
import "./fingerprint.js";
import "./fold-messages.js";
import "./fold-pages.js";
import "./load.js";
import "./moment.js";
import "./new-events.js";
import "./recent.js";
import "./sha1.js";
import "./snapshot.js";
import "./store.js";
import "./turns.js";

export { Execution } from "./execute.js";
export { transact } from "./transact.js";
