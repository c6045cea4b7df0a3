// `everfold/whole`: all of the JavaScript is there from the beginning, for who cannot import anything later.
import * as commands from "./commands.js";
import * as consuming from "./consuming.js";
import * as folds from "./folds.js";
import * as inquiries from "./inquiries.js";
import * as liveFold from "./live-fold.js";
import { COMMANDS, CONSUMING, FOLDS, INQUIRIES, LIVE_FOLDS, READ_MODELS } from "./parts.js";
import * as projections from "./projections.js";

COMMANDS.code = commands;
CONSUMING.code = consuming;
FOLDS.code = folds;
INQUIRIES.code = inquiries;
LIVE_FOLDS.code = liveFold;
READ_MODELS.code = projections;
