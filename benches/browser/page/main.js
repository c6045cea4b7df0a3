// What the benchmark's driver calls in the page.

import { batches } from "./batches.js";
import { coldRead, endColdReads, prepareColdReads } from "./cold-reads.js";
import { beginProfiled, endProfiled, runProfiled } from "./profiled.js";
import { singles } from "./singles.js";
import { sizes } from "./sizes.js";
import { unawaited } from "./unawaited.js";

globalThis.bench = { singles, unawaited, batches, prepareColdReads, coldRead, endColdReads, sizes, beginProfiled, runProfiled, endProfiled };
