// What an application has said it will ask, before the first store is opened.
import assert from "node:assert/strict";
import { test } from "node:test";
import { foreseen } from "../../dist/foreseen.js";
import { rustAggregate } from "../../dist/rust.js";

test("who names an aggregate in Rust has the code that folds at hand when a store is open", () => {
  assert.deepEqual([...foreseen], []);
  assert.throws(() => rustAggregate({ name: "account", snapshotEvery: -1 }), { code: "INVALID_ARGUMENT" });
  assert.deepEqual([...foreseen], []);
  rustAggregate({ name: "account" });
  assert.deepEqual([...foreseen], ["folds"]);
});
