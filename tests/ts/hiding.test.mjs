import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAggregate } from "../../dist/index.js";
import { SEED, seeded } from "./bank.mjs";
import { numbered, refused, withStore } from "./check.mjs";

const revisions = async (store) => (await store.read("s").toArray()).map(({ revision }) => revision);

test("a deleted stream has no events, and goes on at the next revision", () =>
  withStore(async (store) => {
    await store.append("s", numbered(3));
    assert.deepEqual(await store.delete("s", { expected: 2 }), { stream: "s", position: 4, durability: "memory" });
    assert.deepEqual(await revisions(store), []);
    const { deleted, tombstoned, revision, count } = await store.streamInfo("s");
    assert.deepEqual({ deleted, tombstoned, revision, count }, { deleted: true, tombstoned: false, revision: 2, count: 0 });
    await store.append("s", numbered(1));
    assert.deepEqual(await revisions(store), [3]);
    assert.equal((await store.streamInfo("s")).deleted, false);
  }));

test("a tombstoned stream has no events, and stays so", () =>
  withStore(async (store) => {
    await store.append("s", numbered(3));
    assert.equal((await store.tombstone("s")).position, 4);
    assert.deepEqual(await revisions(store), []);
    const { deleted, tombstoned } = await store.streamInfo("s");
    assert.deepEqual({ deleted, tombstoned }, { deleted: true, tombstoned: true });
    await refused(() => store.delete("s"), "STREAM_DELETED", { stream: "s" });
    await refused(() => store.truncate("s", { before: 1 }), "STREAM_DELETED", { stream: "s" });
  }));

// The first revision that is still seen, and those that are.
const TRUNCATIONS = [
  [1, [1, 2]],
  [2, [2]],
  [3, []],
  [17, []],
];
for (const [before, seen] of TRUNCATIONS) {
  test(`a stream of three truncated before ${before} shows ${seen.length}`, () =>
    withStore(async (store) => {
      await store.append("s", numbered(3));
      assert.equal((await store.truncate("s", { before, expected: 2 })).position, 4);
      assert.deepEqual(await revisions(store), seen);
      assert.equal((await store.append("s", numbered(1))).lastRevision, 3);
    }));
}

test("what a stream is already is not written again", () =>
  withStore(async (store) => {
    await store.append("s", numbered(3));
    await store.truncate("s", { before: 2 });
    assert.equal((await store.truncate("s", { before: 2 })).position, undefined);
    await store.delete("s");
    assert.equal((await store.delete("s")).position, undefined);
    await store.tombstone("s");
    assert.equal((await store.tombstone("s")).position, undefined);
  }));

const MARKS = [
  ["delete", (store, options) => store.delete("s", options)],
  ["tombstone", (store, options) => store.tombstone("s", options)],
  ["truncate", (store, options) => store.truncate("s", { before: 1, ...options })],
];
for (const [name, mark] of MARKS) {
  test(`${name} is refused where the stream is elsewhere`, () =>
    withStore(async (store) => {
      await store.append("s", numbered(3));
      const violations = [{ stream: "s", expected: 7, actual: 2 }];
      await refused(() => mark(store, { expected: 7 }), "WRONG_EXPECTED_REVISION", { violations });
      assert.equal(store.position, 3);
    }));
}

test("queries see facts where they name them, and nowhere else", () =>
  withStore(async (store) => {
    await store.append("s", numbered(3));
    await store.truncate("s", { before: 2 });
    await store.delete("s");
    await store.tombstone("s");
    const query = { types: ["$deleted", "$tombstoned", "$truncated"] };
    const facts = await store.readAll({ query }).toArray();
    assert.deepEqual(
      facts.map(({ type, stream, revision, position, data, tags }) => ({ type, stream, revision, position, data, tags })),
      [
        { type: "$truncated", stream: "s", revision: undefined, position: 4, data: { before: 2 }, tags: [] },
        { type: "$deleted", stream: "s", revision: undefined, position: 5, data: undefined, tags: [] },
        { type: "$tombstoned", stream: "s", revision: undefined, position: 6, data: undefined, tags: [] },
      ],
    );
    assert.deepEqual(await store.readAll().toArray(), []);
    assert.deepEqual(await store.read("s").toArray(), []);
    assert.equal(await store.count(), 0);
  }));

test("the ids of hidden events are free at once", () =>
  withStore(async (store) => {
    const event = { type: "A", id: "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e" };
    await store.append("s", event);
    await store.delete("s");
    assert.deepEqual((({ duplicate, firstRevision }) => [duplicate, firstRevision])(await store.append("s", event)), [false, 1]);
  }));

test(`a stream of which nothing is seen is there as long as its description says so (seed ${SEED})`, () =>
  withStore(async (store) => {
    const random = seeded(SEED);
    const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1, snapshotEvery: 5 });
    const act = {
      append: (stream) => store.append(stream, numbered(1 + Math.floor(random() * 3))),
      delete: (stream) => store.delete(stream),
      truncate: (stream) => store.truncate(stream, { before: Math.floor(random() * 60) }),
      compact: () => store.compact(),
    };
    for (let step = 0; step < 200; step += 1) {
      const [stream, kind] = [`s-${Math.floor(random() * 3)}`, Math.floor(random() * 20)];
      await act[kind < 8 ? "append" : kind < 13 ? "delete" : kind < 19 ? "truncate" : "compact"](stream);
      const info = await store.streamInfo(stream);
      const revision = info === undefined || info.deleted ? undefined : info.revision;
      const { exists, ...loaded } = await store.load(Count, stream);
      assert.deepEqual([exists, loaded.revision, loaded.expected], [revision !== undefined, revision, revision ?? "noStream"], `step ${step}`);
    }
  }));
