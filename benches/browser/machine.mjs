// On what was measured.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

/** The machine, and the versions of what ran on it. Call it before anything is measured: the load is to be that of others. */
export function machine(project, browser) {
  return {
    browser,
    node: process.versions.node,
    dexie: JSON.parse(readFileSync(join(project, "node_modules/dexie/package.json"), "utf8")).version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "an unknown processor",
    load: loadNow(),
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    revision: revision(project),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** How many programs wanted a core in the last minute. */
export function loadNow() {
  return loadavg()[0].toFixed(1);
}

/** The commit that is checked out. An archive of the source has none. */
function revision(project) {
  try {
    const git = (...options) => execFileSync("git", options, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", "src", "ts", "Cargo.toml", "Cargo.lock") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}
