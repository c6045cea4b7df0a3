// The package as npm gives it: packed, then installed from the tarball, in projects of their own.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
/** Projects that are built stand below the bundlers, which are installed here and for nothing else. */
const PROJECTS = fileURLToPath(new URL("projects", import.meta.url));
const DESCRIPTION = { name: "app", private: true, type: "module" };
const TIMEOUT_MS = 200_000;

/** Runs a program and gives what it printed; fails with that if the program does. */
export async function run(program, args, options) {
  try {
    return (await promisify(execFile)(program, args, { timeout: TIMEOUT_MS, ...options })).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`, { cause: error });
  }
}

/** The script of a tool of ours, for `node`. */
export const toolPath = (script) => join(PROJECT, "node_modules", script);

/** An installed tool and its version: `vite 8.3.8`. */
export function versionOf(tool) {
  const paths = createRequire(import.meta.url).resolve.paths(tool).map((folder) => join(folder, tool, "package.json"));
  for (const path of paths) {
    try {
      return `${tool} ${JSON.parse(readFileSync(path, "utf8")).version}`;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  throw new Error(`${tool} is not installed: run \`cargo xtask setup\``);
}

/**
 * Packs what is in `dist/` now, and installs it, away from everything that is installed here. `write` adds files to the app;
 * `project` makes a project of these files that has the package as well, and bundlers above it, and gives its folder.
 *
 * @returns {Promise<{ folder: string, tarball: string, files: string[], write: (files: Record<string, string>) => Promise<void>,
 *   project: (files: Record<string, string>) => Promise<string>, remove: () => Promise<void> }>}
 */
export async function installApp() {
  const folder = await mkdtemp(join(tmpdir(), "everfold-app-"));
  const made = [folder];
  // Without its scripts: packing would build, and what is judged must be what the other parts have tested.
  const packing = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename, files }] = JSON.parse(await run("npm", packing, { cwd: PROJECT }));
  await writeAll(folder, { "package.json": JSON.stringify(DESCRIPTION) });
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], { cwd: folder });
  return {
    folder,
    tarball: join(folder, filename),
    files: files.map((file) => file.path).sort(),
    write: (sources) => writeAll(folder, sources),
    project: async (sources) => {
      await mkdir(PROJECTS, { recursive: true });
      const project = await mkdtemp(join(PROJECTS, "app-"));
      made.push(project);
      // The lock file says to tools that this is where the project begins.
      for (const each of ["node_modules", "package-lock.json"]) await cp(join(folder, each), join(project, each), { recursive: true });
      await writeAll(project, { "package.json": JSON.stringify(DESCRIPTION), ...sources });
      return project;
    },
    remove: async () => {
      for (const each of made) await rm(each, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

async function writeAll(folder, sources) {
  for (const [path, text] of Object.entries(sources)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
