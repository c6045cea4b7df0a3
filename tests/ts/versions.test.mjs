// Files of two versions in one page, as while a new one is deployed: they are told apart before anything of them is run.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "../../dist/everfold.js";
import { refused } from "./check.mjs";

const DIST = new URL("../../dist/", import.meta.url);

/** Runs `body` with a package of its own, of which this file is of another build. */
async function withForeign(file, body) {
  const folder = await mkdtemp(join(tmpdir(), "everfold-versions-"));
  try {
    await cp(DIST, folder, { recursive: true });
    const path = join(folder, file);
    const bytes = await readFile(path, "latin1");
    assert.equal(bytes.split(build).length, 2, `${file} names its build once`);
    await writeFile(path, bytes.replace(build, build.replace(/./gs, "x")), "latin1");
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await body(await import(pathToFileURL(join(folder, "index.js")).href));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a supplement of another build is refused, and what does not need it goes on", () =>
  withForeign("everfold_inquiries.wasm", async ({ EventStore }) => {
    const store = await EventStore.open("mixed", { storage: "memory" });
    await store.append("a", { type: "A" });
    const { message } = await refused(() => store.count(), "SUPPLEMENT_UNAVAILABLE", { supplement: "inquiries" });
    assert.match(message, /files of two versions of everfold; reload the page/);
    await store.append("a", { type: "A" });
    assert.equal((await store.readAll().toArray()).length, 2);
    await store.close();
  }));

for (const file of ["everfold_bg.wasm", "everfold.js"]) {
  test(`no store is opened where ${file} is of another build`, () =>
    withForeign(file, async ({ EventStore }) => {
      const { message } = await refused(() => EventStore.open("mixed", { storage: "memory" }), "WASM_UNAVAILABLE");
      assert.match(message, /files of two versions of everfold; reload the page/);
    }));
}
