// Where states are frozen: everywhere but in production.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

/** Loads the package in a process of its own, where `process` is something else, or nothing, and says whether states are frozen. */
const program = (before) => `
  const { log } = console;
  ${before};
  const { defineAggregate } = await import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)});
  const { given } = await import(${JSON.stringify(new URL("../../dist/testing.js", import.meta.url).href)});
  let state;
  const Noted = defineAggregate({ name: "noted", initial: () => ({ list: [] }), evolve: (before) => ({ list: [...before.list, {}] }), decide: (_, now) => ((state = now), []) });
  given(Noted, { type: "Noted" }).when({});
  log(Object.isFrozen(state) && Object.isFrozen(state.list[0]));
`;

for (const [what, before, isFrozen] of [
  ["there is no process, as in a page without a bundler", "delete globalThis.process", true],
  ["there is a process that says nothing", "globalThis.process = {}", true],
  ["it is development", 'globalThis.process = { env: { NODE_ENV: "development" } }', true],
  ["a page says that it is production", 'globalThis.process = { env: { NODE_ENV: "production" } }', false],
]) {
  test(`states are ${isFrozen ? "" : "not "}frozen where ${what}`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program(before)], { timeout: 20_000 });
    assert.equal(stdout.trim(), String(isFrozen));
  });
}
