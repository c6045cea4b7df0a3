// Gives the package to the functions that tests run in this page.

import * as everfold from "/dist/index.js";

globalThis.everfold = everfold;
