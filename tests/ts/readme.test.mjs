// The programs in README.md, run as they stand: each block that is marked `ts runnable` is checked by the
// compiler, run, and held to the output that it promises after each `// →`. Node has no IndexedDB, so what runs says
// `storage: "memory"` where the block says `storage: "indexeddb"`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { transform } from "esbuild";

const run = promisify(execFile);

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = join(PROJECT, "node_modules/typescript/bin/tsc");
const PERSISTENT = 'storage: "indexeddb"';

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

const blocks = programs(await readFile(join(PROJECT, "README.md"), "utf8"));
let folder;

before(async () => {
  // A user's project: the package is found where npm would have put it.
  folder = await mkdtemp(join(tmpdir(), "everfold-readme-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(PROJECT, join(folder, "node_modules/everfold"), "dir");
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  for (const [index, program] of blocks.entries()) await writeFile(join(folder, `block-${index}.ts`), program);
});

after(() => rm(folder, { recursive: true }));

test("the readme has programs, and each promises some output", () => {
  assert.ok(2 <= blocks.length, `only ${blocks.length} blocks are marked`);
  for (const program of blocks) {
    assert.notDeepEqual(promisedOutput(program), []);
    assert.equal(program.split(PERSISTENT).length, 2, `a program opens one store, with ${PERSISTENT}`);
  }
});

test("the programs compile", async () => {
  await assert.doesNotReject(compile());
});

for (const [index, program] of blocks.entries()) {
  test(`program ${index + 1} prints what it promises, and the same when it runs again on what it left behind`, async () => {
    const { code } = await transform(program.replace(PERSISTENT, 'storage: "memory"'), { loader: "ts", target: "es2022" });
    await writeFile(join(folder, `block-${index}.js`), code);
    const file = join(folder, `twice-${index}.js`);
    await writeFile(file, twice(program, `./block-${index}.js`));
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder });
    assert.equal(stderr, "");
    const promised = promisedOutput(program);
    assert.deepEqual(stdout.trimEnd().split("\n"), [...promised, ...promised]);
  });
}

/** The content of all blocks that are marked. */
function programs(document) {
  return [...document.matchAll(/^```ts runnable\n(.*?)^```$/gms)].map(([, program]) => program);
}

/** A program that runs another twice on one store, which it holds open: in memory it would end with its last handle. */
function twice(program, file) {
  const [, name] = /EventStore\.open\("([^"]+)"/.exec(program);
  return `
    import { EventStore } from "everfold";
    const store = await EventStore.open(${JSON.stringify(name)}, { storage: "memory" });
    await import("${file}?first");
    await import("${file}?second");
    await store.close();
  `;
}

/** The lines that the comments of a program promise, in their order. */
function promisedOutput(program) {
  const comments = [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, promised]) => promised);
  return comments.flatMap((promised) => promised.split(" → "));
}

/** Runs the compiler; what it says is the message of the error. */
async function compile() {
  try {
    await run(process.execPath, [TSC, "-p", folder], { cwd: folder });
  } catch (error) {
    throw new Error(error.stdout || error.message);
  }
}
