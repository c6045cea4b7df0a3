// Measures the built package beside raw IndexedDB and Dexie, in Chromium.
//
//     npm run bench                 builds, measures, prints tables, and writes target/bench.json
//     npm run bench -- --full       with more rounds, with logs of a million events, and natively with logs of ten
//     npm run bench -- --write      also writes docs/benchmarks.md and docs/benchmarks.svg, and the table of README.md
//     npm run bench -- --smoke      a few rounds of little, to see whether it runs
//     npm run bench -- --profile    instead of measuring, says where the time of appends, of opening and of reading goes

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { bundlePackage } from "./bundle.mjs";
import { charts } from "./charts.mjs";
import { markdown } from "./document.mjs";
import { growthOf } from "./growth.mjs";
import { linesOf } from "./lines.mjs";
import { loadNow, machine } from "./machine.mjs";
import { FULL, QUICK, SMOKE } from "./plan.mjs";
import { profileAll } from "./profile.mjs";
import { withMeasures } from "./readme.mjs";
import { openSession } from "./session.mjs";
import { nativeGrowth } from "./native-growth.mjs";
import { measure } from "./suite.mjs";
import { textTable } from "./table.mjs";
import { weigh } from "./weight.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(PROJECT, "target");
const FLAGS = ["--full", "--write", "--smoke", "--profile"];

async function main(flags) {
  const unknown = flags.find((flag) => !FLAGS.includes(flag));
  if (unknown !== undefined) throw new Error(`${unknown} is not known; there are ${FLAGS.join(", ")}`);
  if (flags.includes("--smoke") && flags.includes("--write")) throw new Error("the numbers of --smoke mean nothing, and are not written down");
  const session = await openSession(await distOf(flags));
  try {
    if (flags.includes("--profile")) await profileAll(session);
    else await benchmark(session, flags);
  } finally {
    await session.close();
  }
}

/** A profile names the files of the package; what is measured is what an application has. */
async function distOf(flags) {
  const dist = join(PROJECT, "dist");
  if (flags.includes("--profile")) return relative(PROJECT, dist);
  const bundle = join(TARGET, "bench", "dist");
  await bundlePackage(dist, bundle);
  return relative(PROJECT, bundle);
}

async function benchmark(session, flags) {
  const measuredOn = machine(PROJECT, session.browserVersion);
  const results = await measure(session, planOf(flags));
  const report = {
    ...results,
    lines: linesOf(results),
    growth: growthOf(results),
    nativeGrowth: flags.includes("--full") ? await nativeGrowth(TARGET) : undefined,
    compacted: results.coldReads.compaction !== undefined,
    weight: weigh(PROJECT),
    machine: { ...measuredOn, loadAfter: loadNow() },
  };
  console.log(`\n${textTable(report)}`);
  await mkdir(TARGET, { recursive: true });
  await writeFile(join(TARGET, "bench.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(TARGET, "bench.svg"), charts(report));
  if (flags.includes("--write")) await writeDocuments(report);
}

function planOf(flags) {
  if (flags.includes("--smoke")) return SMOKE;
  return flags.includes("--full") ? FULL : QUICK;
}

async function writeDocuments(report) {
  const docs = join(PROJECT, "docs");
  await mkdir(docs, { recursive: true });
  await writeFile(join(docs, "benchmarks.md"), markdown(report));
  await writeFile(join(docs, "benchmarks.svg"), charts(report));
  const readme = join(PROJECT, "README.md");
  await writeFile(readme, withMeasures(await readFile(readme, "utf8"), report));
  console.log(`\nwrote ${docs}/benchmarks.md, benchmarks.svg beside it, and the table of ${readme}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
