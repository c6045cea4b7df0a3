// The guide, docs/guide.md: its pieces of code, put together, are a program, which is compiled, run, and held to the output that it
// promises.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { PROJECT, makeProject, promisedOutput } from "./programs.mjs";

const PERSISTENT = 'storage: "indexeddb"';
const guide = await readFile(join(PROJECT, "docs/guide.md"), "utf8");
const program = [...guide.matchAll(/^```ts part\n(.*?)^```$/gms)].map(([, part]) => part).join("\n");
let project;

before(async () => {
  project = await makeProject({ guide: program });
});
after(() => project.remove());

test("all code of the guide is in its program", () => {
  assert.equal(guide.split("```").length, 2 * guide.split("```ts part").length - 1);
  assert.ok(10 <= promisedOutput(program).length);
});

test("the guide compiles", async () => {
  await assert.doesNotReject(project.compile());
});

test("the guide prints what it promises", async () => {
  assert.equal(program.split(PERSISTENT).length, 2);
  await project.write("guide", program.replace(PERSISTENT, 'storage: "memory"'));
  const { stdout, stderr } = await project.run("guide");
  assert.equal(stderr, "");
  assert.deepEqual(stdout.trimEnd().split("\n"), promisedOutput(program));
});
