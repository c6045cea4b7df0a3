// Serves what the tests open in browsers: the demo, the built package, and the tests' own pages.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { serve } from "../../www/serve.mjs";

const FOLDERS = { "/dist/": "dist", "/pages/": "tests/e2e/pages", "/": "www" };

/** The page that has the package in the global `everfold`, and nothing else. */
export const BARE_PAGE = "pages/bare.html";

/** Starts the server; fails where the package is not built. */
export async function serveTests() {
  const entry = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
  if (!existsSync(entry)) throw new Error("dist/index.js is not there: build the package first, with `npm run build`");
  return serve({ folders: FOLDERS });
}
