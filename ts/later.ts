// Has code be imported when it is first needed.
import { COMMANDS, CONSUMING, FOLDS, INQUIRIES, LIVE_FOLDS, READ_MODELS } from "./parts.js";

// Each import stands here as a whole, as bundlers look for them.
COMMANDS.source = () => import("./commands.js");
CONSUMING.source = () => import("./consuming.js");
FOLDS.source = () => import("./folds.js");
INQUIRIES.source = () => import("./inquiries.js");
LIVE_FOLDS.source = () => import("./live-fold.js");
READ_MODELS.source = () => import("./projections.js");
