// How a log grows without a browser: what `benches/growth.rs` printed.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Its header, and a row a log. `npm run bench -- --full` has cargo print them before it starts the browser. */
export async function nativeGrowth(target) {
  const lines = (await readFile(join(target, "growth.tsv"), "utf8")).trim().split("\n");
  const [header, ...rows] = lines.map((line) => line.split("\t"));
  return { header, rows };
}
