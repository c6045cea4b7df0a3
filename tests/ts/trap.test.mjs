// A trap of the wasm as it is shipped.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PAGE = fileURLToPath(new URL("trapped.mjs", import.meta.url));
const EXHAUSTED = fileURLToPath(new URL("exhausted.mjs", import.meta.url));

test("a trap in a background task ends every call of every store, and says why", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [PAGE], { timeout: 30_000 });
  const { refusals, uncaught, consumer } = JSON.parse(stdout);
  const internal = { name: "EverfoldError", code: "INTERNAL", causeName: "RuntimeError", hasStack: true };
  assert.deepEqual(refusals, [internal, internal, internal, internal]);
  assert.deepEqual(consumer, { told: ["INTERNAL"], failure: "INTERNAL", active: false });
  // The platform hears of the trap, and of what it has to refuse afterwards.
  assert.equal(uncaught[0]?.name, "RuntimeError");
  assert.ok(uncaught.slice(1).every(({ code }) => code === "INTERNAL"), JSON.stringify(uncaught));
});

test("an instance that gets no more memory says so, and what to do", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [EXHAUSTED], { timeout: 60_000 });
  const refusals = JSON.parse(stdout);
  assert.equal(refusals.length, 2);
  for (const { message, ...fields } of refusals) {
    assert.deepEqual(fields, { name: "EverfoldError", code: "OUT_OF_MEMORY", retryable: false });
    assert.match(message, /reload the page/);
  }
});
