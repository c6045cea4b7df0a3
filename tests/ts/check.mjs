// What all tests of the facade share: a store of their own, and one way to expect a refusal.
import assert from "node:assert/strict";
import { EventStore, isEverfoldError } from "../../dist/index.js";

let storeCount = 0;

/** A name that no other test of this process has. */
export function newName() {
  storeCount += 1;
  return `test-${storeCount}`;
}

/** Runs `body` with an empty store in memory, and closes it. */
export async function withStore(body, options = {}, name = newName()) {
  const store = await EventStore.open(name, { storage: "memory", ...options });
  try {
    return await body(store);
  } finally {
    await store.close();
  }
}

/** Expects that `act` rejects, or throws, with this code and these fields. Gives the error. */
export async function refused(act, code, fields = {}) {
  let error;
  try {
    await act();
  } catch (thrown) {
    error = thrown;
  }
  assert.notEqual(error, undefined, `expected ${code}, and nothing was refused`);
  assert.ok(isEverfoldError(error), `expected ${code}, found ${error?.stack ?? error}`);
  assert.equal(error.code, code, error.message);
  for (const [name, value] of Object.entries(fields)) {
    assert.deepEqual(error[name], value, `${name} of: ${error.message}`);
  }
  return error;
}

/** Events of one type, with their number as data. */
export function numbered(count, type = "Numbered") {
  return Array.from({ length: count }, (_, number) => ({ type, data: { number } }));
}

/** Waits until something holds. What comes meanwhile has its turn. */
export async function until(holds) {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
