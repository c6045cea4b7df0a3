// The programs in README.md and in docs/, run as they stand: each block that is marked `ts runnable` is checked by the
// compiler, run, and held to the output that it promises. Node has no IndexedDB, so what runs says
// `storage: "memory"` where the block says `storage: "indexeddb"`.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { SUPPLEMENT_NAMES } from "../../dist/wasm-modules.js";
import { PROJECT, makeProject, promisedOutput } from "./programs.mjs";

const PERSISTENT = 'storage: "indexeddb"';

const inDocs = (await readdir(join(PROJECT, "docs"))).filter((name) => name.endsWith(".md")).sort();
const documents = ["README.md", ...inDocs.map((name) => join("docs", name))];
const texts = await Promise.all(documents.map((path) => readFile(join(PROJECT, path), "utf8")));
const blocks = texts.flatMap((text, index) => programs(text).map((program) => ({ program, from: documents[index] })));
let project;

before(async () => {
  project = await makeProject(Object.fromEntries(blocks.map(({ program }, index) => [`block-${index}`, program])));
});

after(() => project.remove());

test("the readme has programs, and each promises some output", () => {
  assert.ok(2 <= programs(texts[0]).length, "the readme has too few programs");
  assert.ok(6 <= blocks.length, `only ${blocks.length} blocks are marked`);
  for (const { program } of blocks) {
    assert.notDeepEqual(promisedOutput(program), []);
    assert.equal(program.split(PERSISTENT).length, 2, `a program opens one store, with ${PERSISTENT}`);
  }
});

test("the recipe for pages that are offline keeps every module that there is", () => {
  const [, modules] = /^const MODULES = (\[.*\]);$/m.exec(texts[documents.indexOf(join("docs", "bundlers.md"))]);
  assert.deepEqual(JSON.parse(modules), ["bg", ...SUPPLEMENT_NAMES].sort());
});

test("the programs compile", async () => {
  await assert.doesNotReject(project.compile());
});

for (const [index, { program, from }] of blocks.entries()) {
  test(`program ${index + 1}, of ${from}, prints what it promises, and the same when it runs again on what it left behind`, async () => {
    await project.write(`block-${index}`, program.replace(PERSISTENT, 'storage: "memory"'));
    await project.write(`twice-${index}`, twice(program, `./block-${index}.js`));
    const { stdout, stderr } = await project.run(`twice-${index}`);
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
