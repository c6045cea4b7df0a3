// An app that uses the package as npm gives it: packed, then installed from the tarball, in a folder of its own.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a program and gives what it printed; fails with that if the program does. */
export async function run(program, args, options) {
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`, { cause: error });
  }
}

/** The script of a tool of ours, for `node`. */
export const toolPath = (script) => join(PROJECT, "node_modules", script);

/**
 * Packs what is in `dist/` now, and installs it.
 *
 * @returns {Promise<{ folder: string, files: string[], write: (files: Record<string, string>) => Promise<void>, remove: () => Promise<void> }>}
 */
export async function installApp() {
  const folder = await mkdtemp(join(tmpdir(), "everfold-app-"));
  // Without its scripts: packing would build, and what is judged must be what the other parts have tested.
  const packing = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename, files }] = JSON.parse(await run("npm", packing, { cwd: PROJECT }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], { cwd: folder });
  return {
    folder,
    files: files.map((file) => file.path).sort(),
    write: async (sources) => {
      for (const [path, text] of Object.entries(sources)) await writeFile(join(folder, path), text);
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}
