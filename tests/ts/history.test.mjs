import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPatch } from "rfc6902";
import { defineAggregate } from "../../dist/index.js";
import { patchOf } from "../../dist/json-patch.js";
import { Account, SEED, deposited, naive, opened, seeded, withdrawn } from "./bank.mjs";
import { refused, withStore } from "./check.mjs";

const four = [opened(), deposited(5), withdrawn(2), deposited(1)];
const RANGES = [
  [undefined, [0, 1, 2, 3]],
  [{ from: 2 }, [2, 3]],
  [{ before: 2 }, [0, 1]],
  [{ from: 1, before: 3 }, [1, 2]],
  [{ from: 9 }, []],
  [{ from: 3, before: 2 }, []],
];
for (const [options, revisions] of RANGES) {
  test(`a history with ${JSON.stringify(options)} gives the steps ${revisions}, each with the state after it`, () =>
    withStore(async (store) => {
      await store.append("account-1", four);
      const steps = await store.history(Account, "account-1", options).toArray();
      const recorded = await store.read("account-1").toArray();
      assert.deepEqual(steps, revisions.map((revision) => ({ event: recorded[revision], state: naive(four.slice(0, revision + 1)), revision, patch: undefined })));
    }));
}

test("a history says what changed at each step", () =>
  withStore(async (store) => {
    await store.append("account-1", four);
    const patches = [];
    for await (const { patch } of store.history(Account, "account-1", { from: 1, diff: true })) patches.push(patch);
    assert.deepEqual(patches, [
      [{ op: "replace", path: "/balance", value: 5 }, { op: "replace", path: "/events", value: 2 }],
      [{ op: "replace", path: "/balance", value: 3 }, { op: "replace", path: "/events", value: 3 }],
      [{ op: "replace", path: "/balance", value: 4 }, { op: "replace", path: "/events", value: 4 }],
    ]);
  }));

test("a state that is no object has patches, too", () =>
  withStore(async (store) => {
    await store.append("s", [{ type: "A" }, { type: "A" }]);
    const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1 });
    const steps = await store.history(Count, "s", { diff: true }).toArray();
    assert.deepEqual(steps.map(({ patch }) => patch), [[{ op: "replace", path: "", value: 1 }], [{ op: "replace", path: "", value: 2 }]]);
  }));

test("a history that is left early reads no further, and one of nothing is empty", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 2; batch += 1) await store.append("account-1", Array.from({ length: 9_000 }, () => deposited(1)));
    for await (const { revision } of store.history(Account, "account-1")) if (revision === 3) break;
    assert.equal((await store.history(Account, "account-1").toArray()).at(-1).state.balance, 18_000);
    assert.deepEqual(await store.history(Account, "account-2").toArray(), []);
  }));

for (const [options, path] of [[{ from: -1 }, "options.from"], [{ before: "1" }, "options.before"], [{ diff: 1 }, "options.diff"], [{ limit: 1 }, "options.limit"]]) {
  test(`a history that is wrong in ${path} is refused`, () =>
    withStore((store) => refused(() => store.history(Account, "account-1", options).toArray(), "INVALID_ARGUMENT", { path })));
}

// Two states, and the patch between them.
const PATCHES = [
  [{ a: 1 }, { a: 1 }, []],
  [{ a: 1 }, { b: 1 }, [{ op: "remove", path: "/a" }, { op: "add", path: "/b", value: 1 }]],
  [{ "a/b~c": 1 }, { "a/b~c": 2 }, [{ op: "replace", path: "/a~1b~0c", value: 2 }]],
  [[1, 2, 3], [1, 2, 3, 4], [{ op: "add", path: "/3", value: 4 }]],
  [[1, 2, 3], [2, 3], [{ op: "remove", path: "/0" }]],
  [[1, 2, 3], [1, 9, 3], [{ op: "replace", path: "/1", value: 9 }]],
  [[1, 2, 3], [0, 1, 2, 3], [{ op: "add", path: "/0", value: 0 }]],
  [[1, 2, 3], [], [{ op: "remove", path: "/2" }, { op: "remove", path: "/1" }, { op: "remove", path: "/0" }]],
  [[[1], { a: [1] }], [[1], { a: [1, 2] }], [{ op: "add", path: "/1/a/1", value: 2 }]],
  [[1], { 0: 1 }, [{ op: "replace", path: "", value: { 0: 1 } }]],
  [null, {}, [{ op: "replace", path: "", value: {} }]],
  // In JSON, what is undefined is null in a list, and nowhere in an object.
  [[1], [undefined], [{ op: "replace", path: "/0", value: null }]],
  [[], [undefined], [{ op: "add", path: "/0", value: null }]],
  [[null, { a: 1 }], [undefined, { a: 1, b: undefined }], []],
  [[1, 2, 3], [1, , 3], [{ op: "replace", path: "/1", value: null }]],
  [{ a: 1, b: undefined }, { a: undefined }, [{ op: "remove", path: "/a" }]],
  [1, undefined, [{ op: "replace", path: "", value: null }]],
  [undefined, null, []],
];
for (const [earlier, later, patch] of PATCHES) {
  test(`from ${JSON.stringify(earlier)} to ${JSON.stringify(later)} it is ${JSON.stringify(patch)}`, () => assert.deepEqual(patchOf(earlier, later), patch));
}

test(`a patch makes any state of any other (seed ${SEED})`, () => {
  const random = seeded(SEED);
  const pick = (count) => Math.floor(random() * count);
  const value = (depth) => {
    const kind = pick(depth === 0 ? 3 : 5);
    if (kind === 3) return Array.from({ length: pick(5) }, () => value(depth - 1));
    if (kind === 4) return Object.fromEntries(Array.from({ length: pick(4) }, () => [["a", "b", "c/d", "~", ""][pick(5)], value(depth - 1)]));
    return [null, pick(3), `${pick(3)}`][kind];
  };
  for (let round = 0; round < 2_000; round += 1) {
    const [earlier, later] = [value(4), value(4)];
    const patched = { state: structuredClone(earlier) };
    const within = patchOf(earlier, later).map((operation) => ({ ...operation, path: `/state${operation.path}` }));
    assert.deepEqual(applyPatch(patched, structuredClone(within)).filter((error) => error !== null), []);
    assert.deepEqual(patched.state, later);
  }
});

test("a list of ten thousand that grows or shrinks is one operation, found at once", { timeout: 20_000 }, () => {
  const list = Array.from({ length: 10_000 }, (_, id) => ({ id, amounts: [id] }));
  for (const later of [[...list, { id: -1 }], list.toSpliced(5_000, 1), list.slice(1)]) assert.equal(patchOf(list, later).length, 1);
});

/** A list in a list, and so on, of which the innermost has a value that tells when it is read. */
function nested(depth, value, onRead) {
  let list = [{ get value() { onRead(); return value; } }];
  for (let level = 0; level < depth; level += 1) list = [list];
  return list;
}

test("a change deep in lists is compared a few times at each level, and what is shared is not looked into", () => {
  const depth = 12;
  let reads = 0;
  const read = () => { reads += 1; };
  const shared = nested(2, 0, read);
  const patch = patchOf([shared, nested(depth, 1, read), shared], [shared, nested(depth, 2, read), shared]);
  assert.deepEqual(patch, [{ op: "replace", path: `/1${"/0".repeat(depth + 1)}/value`, value: 2 }]);
  assert.ok(reads <= 12 * (depth + 2), `${reads} reads`);
});
