// Random cases of the declarative reducer: written by the interpreter, folded by the core.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { caseOf, numbersOf } from "./reducer-cases.mjs";

const FIXTURE = new URL("../fixtures/reducers-random.json", import.meta.url);
const CASE_COUNT = 300;

test("the cases are what the interpreter made when they were last written with EVERFOLD_BLESS=1", () => {
  const cases = Array.from({ length: CASE_COUNT }, (_, seed) => (seed % 15 === 0 ? numbersOf(seed) : caseOf(seed)));
  const text = `[\n${cases.join(",\n")}\n]\n`;
  if (process.env.EVERFOLD_BLESS === "1") writeFileSync(FIXTURE, text);
  assert.equal(readFileSync(FIXTURE, "utf8"), text);
});
