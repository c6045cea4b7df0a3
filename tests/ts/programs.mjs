// Programs that are shown to users, compiled and run as a user would: each is held to the output that its comments promise, after
// each `// →`.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { transform } from "esbuild";

const run = promisify(execFile);

export const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = join(PROJECT, "node_modules/typescript/bin/tsc");

/** As a careful user compiles, for a browser. */
const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    types: [],
    module: "NodeNext",
    strict: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
  },
  include: ["*.ts"],
};

/**
 * A user's project with these programs, by their names: the package is found where npm would have put it, and beside it others,
 * which are copied from their folders.
 */
export async function makeProject(programs, packages = {}) {
  const folder = await mkdtemp(join(tmpdir(), "everfold-programs-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(PROJECT, join(folder, "node_modules/everfold"), "dir");
  for (const [name, source] of Object.entries(packages)) {
    await cp(source, join(folder, "node_modules", name), { recursive: true });
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  for (const [name, program] of Object.entries(programs)) await writeFile(join(folder, `${name}.ts`), program);
  return {
    /** Runs the compiler; what it says is the message of the error. */
    async compile() {
      try {
        await run(process.execPath, [TSC, "-p", folder], { cwd: folder });
      } catch (error) {
        throw new Error(error.stdout || error.message);
      }
    },
    /** Writes a program as JavaScript. */
    async write(name, program) {
      const { code } = await transform(program, { loader: "ts", target: "es2022" });
      await writeFile(join(folder, `${name}.js`), code);
    },
    /** Runs one that was written. */
    run: (name) => run(process.execPath, [join(folder, `${name}.js`)], { cwd: folder }),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** The lines that the comments of a program promise, in their order. */
export function promisedOutput(program) {
  const comments = [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, promised]) => promised);
  return comments.flatMap((promised) => promised.split(" → "));
}
