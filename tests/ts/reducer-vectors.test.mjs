// The shared vectors of the declarative reducer, run by the interpreter that is the oracle of the core.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { interpret } from "./reducer-interpreter.mjs";

const VECTORS = JSON.parse(readFileSync(new URL("../fixtures/reducers.json", import.meta.url), "utf8"));

for (const { name, initial, evolve, events, state, error } of VECTORS) {
  test(name, () => {
    if (error === undefined) {
      assert.equal(JSON.stringify(interpret(evolve, initial).fold(events)), JSON.stringify(state));
      return;
    }
    const { place, ...fields } = error;
    assert.throws(() => interpret(evolve, initial).fold(events), fields);
  });
}

test("there are 60 vectors and more", () => assert.ok(VECTORS.length >= 60));
