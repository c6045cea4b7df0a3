// The generated glue is this package's own: it may change, and then it changes here, where it is seen.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";

const GENERATED = new URL("../../dist/everfold.d.ts", import.meta.url);
const GOLDEN = new URL("../fixtures/glue.d.ts", import.meta.url);

test("the glue offers what it offered when this was last written with EVERFOLD_BLESS=1", async () => {
  const generated = await readFile(GENERATED, "utf8");
  if (process.env.EVERFOLD_BLESS === "1") await writeFile(GOLDEN, generated);
  assert.equal(generated, await readFile(GOLDEN, "utf8"));
});
