// Measures the built package against IndexedDB used by hand, in Chromium.
//
//     npm run bench                 builds, measures, prints a table, and writes target/bench.json
//     npm run bench -- --write      also writes docs/benchmarks.md, and the table of README.md
//     npm run bench -- --quick      fewer rounds, to see whether it runs
//     npm run bench -- --profile    instead of measuring, says where the time of appends goes

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { markdown } from "./document.mjs";
import { linesOf } from "./lines.mjs";
import { machine } from "./machine.mjs";
import { profileAppends } from "./profile.mjs";
import { withMeasures } from "./readme.mjs";
import { openSession } from "./session.mjs";
import { FULL, QUICK, measure } from "./suite.mjs";
import { textTable } from "./table.mjs";
import { weigh } from "./weight.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const FLAGS = ["--write", "--quick", "--profile"];

async function main(flags) {
  const unknown = flags.find((flag) => !FLAGS.includes(flag));
  if (unknown !== undefined) throw new Error(`${unknown} is not known; there are ${FLAGS.join(", ")}`);
  const session = await openSession();
  try {
    if (flags.includes("--profile")) await profileAppends(session);
    else await benchmark(session, flags);
  } finally {
    await session.close();
  }
}

async function benchmark(session, flags) {
  const measuredOn = machine(PROJECT, session.browserVersion);
  const results = await measure(session, flags.includes("--quick") ? QUICK : FULL);
  const report = {
    ...results,
    lines: linesOf(results),
    weight: weigh(PROJECT),
    machine: measuredOn,
  };
  console.log(`\n${textTable(report)}`);
  const target = process.env.CARGO_TARGET_DIR ?? join(PROJECT, "target");
  await mkdir(target, { recursive: true });
  await writeFile(join(target, "bench.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  if (flags.includes("--write")) await writeDocuments(report);
}

async function writeDocuments(report) {
  const path = join(PROJECT, "docs", "benchmarks.md");
  await mkdir(join(PROJECT, "docs"), { recursive: true });
  await writeFile(path, markdown(report));
  const readme = join(PROJECT, "README.md");
  await writeFile(readme, withMeasures(await readFile(readme, "utf8"), report));
  console.log(`\nwrote ${path} and the table of ${readme}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
