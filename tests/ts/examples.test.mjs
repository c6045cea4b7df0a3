// The programs in `examples/`, compiled and run as they stand: in Node, where `storage: "auto"` comes to memory.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { PROJECT, makeProject, promisedOutput } from "./programs.mjs";

const EXAMPLES = join(PROJECT, "examples");
const files = (await readdir(EXAMPLES)).filter((file) => file.endsWith(".ts"));
const programs = {};
for (const file of files) programs[file.slice(0, -".ts".length)] = await readFile(join(EXAMPLES, file), "utf8");
// One that has a crate of its own, which `cargo xtask domain` makes a package of.
const DOMAIN = join(EXAMPLES, "rust-aggregate");
programs["rust-aggregate"] = await readFile(join(DOMAIN, "main.ts"), "utf8");
let project;

before(async () => {
  project = await makeProject(programs, { "bank-domain": DOMAIN });
});

after(() => project.remove());

test("there are examples, and they compile", async () => {
  assert.ok(5 <= files.length, `only ${files}`);
  await assert.doesNotReject(project.compile());
});

for (const [name, program] of Object.entries(programs)) {
  test(`the example ${name} prints what it promises`, async () => {
    await project.write(name, program);
    const { stdout, stderr } = await project.run(name);
    assert.equal(stderr, "");
    assert.notDeepEqual(promisedOutput(program), []);
    assert.deepEqual(stdout.trimEnd().split("\n"), promisedOutput(program));
  });
}
