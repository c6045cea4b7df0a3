// The package as an application has it: its JavaScript in a few files from a bundler, the wasm beside them.

import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

/** What the page imports. */
const ENTRIES = ["index.js", "rust.js", "whole.js"];

/**
 * Bundles what stands in `dist` into a folder, which is made anew. What is imported later is split off, as applications have it:
 * file by file, a page would wait for a dozen answers of the server, one behind the other, where it waits for one.
 */
export async function bundlePackage(dist, folder) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const entryPoints = ENTRIES.map((entry) => join(dist, entry));
  await build({ entryPoints, outdir: folder, bundle: true, splitting: true, format: "esm", minify: true, logLevel: "warning" });
  const modules = (await readdir(dist)).filter((file) => file.endsWith(".wasm"));
  for (const module of modules) await copyFile(join(dist, module), join(folder, module));
}
