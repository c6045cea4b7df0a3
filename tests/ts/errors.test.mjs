import assert from "node:assert/strict";
import { test } from "node:test";
import { EverfoldError, isEverfoldError } from "../../dist/index.js";
import { WasmCalls } from "../../dist/wasm-calls.js";
import { numbered, refused, withStore } from "./check.mjs";

test("an error is an Error with its code, its fields, and nothing else in sight", () =>
  withStore(async (store) => {
    const error = await refused(() => store.append("s", numbered(1), { expected: 4 }), "WRONG_EXPECTED_REVISION");
    assert.ok(error instanceof EverfoldError && error instanceof Error);
    assert.equal(error.name, "EverfoldError");
    assert.equal(error.message, 'stream "s": expected revision 4, found no stream');
    assert.deepEqual(Object.keys(error).sort(), ["code", "retryable", "violations"]);
    assert.match(error.stack, /^EverfoldError: stream "s"/);
  }));

test("an error of another copy of the package is known as one", async () => {
  const copy = await import("../../dist/errors.js?copy");
  const error = new copy.EverfoldError("closed", { code: "CLOSED", retryable: false });
  assert.ok(!(error instanceof EverfoldError));
  assert.ok(isEverfoldError(error) && isEverfoldError(error, "CLOSED"));
  assert.ok(!isEverfoldError(error, "INTERNAL"));
});

for (const value of [undefined, null, "CLOSED", 1, new Error("CLOSED"), { code: "CLOSED" }]) {
  test(`${String(value)} is no error of the store`, () => assert.ok(!isEverfoldError(value)));
}

// What a call into the wasm fails with, and what its caller gets.
const FAILURES = [
  [{ code: "CLOSED", message: "closed", retryable: false }, { code: "CLOSED", message: "closed" }],
  [
    { code: "STORAGE_FAILED", message: "lost", retryable: true, cause: "UnknownError: lost", outcome: "unknown", ids: ["a"] },
    { code: "STORAGE_FAILED", retryable: true, cause: "UnknownError: lost", outcome: "unknown", ids: ["a"] },
  ],
  [new Error("stray"), { code: "INTERNAL", problem: "stray" }],
  ["text", { code: "INTERNAL", problem: "text" }],
];
for (const [thrown, fields] of FAILURES) {
  test(`a call that fails with ${thrown.code ?? thrown} rejects with ${fields.code}`, async () => {
    const calls = new WasmCalls();
    await refused(() => calls.make(() => Promise.reject(thrown)), fields.code, fields);
    await refused(async () => calls.makeNow(() => { throw thrown; }), fields.code, fields);
    assert.equal(await calls.make(async () => 1), 1);
  });
}

/** An instance with an export that traps. */
function instance() {
  const trap = () => { throw new WebAssembly.RuntimeError("unreachable"); };
  const calls = new WasmCalls();
  return { calls, exports: calls.guard({ memory: "memory", add: (one, other) => one + other, trap }) };
}

/** Expects that nothing can be asked of an instance, nor enters it. */
async function assertDead({ calls, exports }) {
  const error = await refused(() => calls.make(async () => 1), "INTERNAL", {
    problem: "the WebAssembly instance stopped: unreachable",
  });
  assert.ok(error.cause instanceof WebAssembly.RuntimeError);
  assert.match(error.cause.stack, /unreachable/);
  let called = false;
  await refused(async () => calls.makeNow(() => { called = true; }), "INTERNAL");
  assert.equal(called, false);
  assert.throws(() => exports.add(1, 2), error);
}

test("guarded exports do what they did", () => {
  const { calls, exports } = instance();
  assert.deepEqual([exports.memory, exports.add(1, 2)], ["memory", 3]);
  assert.equal(calls.makeNow(() => exports.add(3, 4)), 7);
});

test("a trap in a call rejects it, the calls under way, and every later one", async () => {
  const dead = instance();
  const { calls, exports } = dead;
  const never = calls.make(() => new Promise(() => {}));
  assert.equal(await calls.make(async () => 1), 1);
  await refused(async () => calls.makeNow(() => exports.trap()), "INTERNAL");
  await refused(() => never, "INTERNAL");
  await assertDead(dead);
});

test("a trap in a background task rejects the calls under way at once, and every later one", async () => {
  const dead = instance();
  const never = dead.calls.make(() => new Promise(() => {}));
  await assert.rejects(Promise.resolve().then(dead.exports.trap), WebAssembly.RuntimeError);
  await refused(() => never, "INTERNAL");
  await assertDead(dead);
});

// (module (func $f (export "recurse") (call $f)))
const ENDLESS = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
  ...[7, 11, 1, 7, ...new TextEncoder().encode("recurse"), 0, 0, 10, 6, 1, 4, 0, 0x10, 0, 0x0b],
]);
test("a stack that runs out in the wasm ends it as a trap does", async () => {
  const { instance } = await WebAssembly.instantiate(ENDLESS);
  const calls = new WasmCalls();
  const { recurse } = calls.guard(instance.exports);
  const never = calls.make(() => new Promise(() => {}));
  const refusals = [await refused(async () => calls.makeNow(() => recurse()), "INTERNAL"), await refused(() => never, "INTERNAL")];
  refusals.push(await refused(() => calls.make(async () => 1), "INTERNAL"));
  for (const { cause } of refusals) assert.ok(cause instanceof RangeError, String(cause));
  assert.throws(() => recurse(), refusals[0]);
});

test("an error that the wasm throws on purpose does not end it", async () => {
  const calls = new WasmCalls();
  const { refuse } = calls.guard({ refuse: () => { throw new Error("refused"); } });
  await refused(async () => calls.makeNow(() => refuse()), "INTERNAL", { problem: "refused" });
  assert.equal(await calls.make(async () => 1), 1);
});

test("importing the package has no effect: nothing is loaded before a store is opened", async () => {
  const before = new Set(Object.getOwnPropertyNames(globalThis));
  const copy = await import("../../dist/index.js?effect");
  assert.deepEqual(Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)), []);
  assert.equal(typeof copy.EventStore.open, "function");
});
