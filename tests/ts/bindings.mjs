// The bindings in `examples/bindings`, bundled as a user would: for a browser, or to be rendered on a server.
import { copyFile, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "esbuild";
import { compile } from "svelte/compiler";

import { PROJECT } from "./programs.mjs";

export const BINDINGS = join(PROJECT, "examples/bindings");

/** Has esbuild take components of Svelte's. */
const svelte = (generate) => ({
  name: "svelte",
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js, warnings } = compile(await readFile(path, "utf8"), { filename: path, generate, dev: false });
      if (0 < warnings.length) throw new Error(warnings.join("\n"));
      return { contents: js.code, loader: "js" };
    });
  },
});

/** A folder with these programs in it as `name.js`, by their names, and the wasm of the package beside them. */
export async function bundled(programs, platform) {
  const folder = await mkdtemp(join(tmpdir(), "everfold-bindings-"));
  const generate = platform === "browser" ? "client" : "server";
  const conditions = platform === "browser" ? ["browser", "svelte", "development"] : ["svelte", "development"];
  const options = { bundle: true, format: "esm", platform, conditions, jsx: "automatic", logLevel: "warning", plugins: [svelte(generate)] };
  // The programs stand in the folder of a package whose files do nothing by being imported, as they do.
  const own = { ignoreAnnotations: true };
  // React is at its most exacting while developing.
  const define = { "process.env.NODE_ENV": '"development"' };
  const banner = platform === "node" ? { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' } : {};
  const common = { ...options, ...own, define, banner, absWorkingDir: BINDINGS, alias: { everfold: join(PROJECT, "dist/index.js") } };
  for (const [name, source] of Object.entries(programs)) {
    const input = { stdin: { contents: source, resolveDir: BINDINGS, loader: "tsx", sourcefile: `${name}.tsx` } };
    await build({ ...common, ...input, outfile: join(folder, `${name}.js`) });
  }
  const wasm = (await readdir(join(PROJECT, "dist"))).filter((file) => file.endsWith(".wasm"));
  for (const file of wasm) await copyFile(join(PROJECT, "dist", file), join(folder, file));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
