// What the benchmark's driver calls in the page.

// First, so that they are there when the package is loaded and starts its wasm.
import "./production.js";
import "./wasm-memory.js";

import { batches } from "./batches.js";
import { coldFold } from "./cold-folds.js";
import { coldLoad, endColdLoads, prepareColdLoads } from "./cold-loads.js";
import { coldRead, coldSizes, endColdReads, prepareColdReads } from "./cold-reads.js";
import { commands } from "./commands.js";
import { beginLog, endLog, growLog } from "./logs.js";
import { openAgain, openLog, readStream, walkThrough } from "./openings.js";
import { beginProfiled, endProfiled, runProfiled } from "./profiled.js";
import { coldQueries, endQueries, prepareQueries, projections } from "./projections.js";
import { singles } from "./singles.js";
import { sizes } from "./sizes.js";
import { timeline } from "./timeline.js";
import { unawaited } from "./unawaited.js";

globalThis.bench = {
  singles,
  commands,
  unawaited,
  batches,
  prepareColdReads,
  coldRead,
  coldFold,
  coldSizes,
  endColdReads,
  prepareColdLoads,
  coldLoad,
  endColdLoads,
  projections,
  prepareQueries,
  coldQueries,
  endQueries,
  sizes,
  beginLog,
  growLog,
  endLog,
  openLog,
  openAgain,
  readStream,
  walkThrough,
  beginProfiled,
  runProfiled,
  endProfiled,
  timeline,
};
