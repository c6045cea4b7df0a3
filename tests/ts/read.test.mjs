import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore } from "../../dist/index.js";
import { newName, numbered, refused, withStore } from "./check.mjs";

const revisions = (events) => events.map(({ revision }) => revision);
const positions = (events) => events.map(({ position }) => position);

// A stream of ten events, what is asked of it, and the revisions that come.
const STREAM_READS = [
  [undefined, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [{ from: 7 }, [7, 8, 9]],
  [{ before: 3 }, [0, 1, 2]],
  [{ from: 3, before: 5 }, [3, 4]],
  [{ from: 5, before: 5 }, []],
  [{ from: 6, before: 5 }, []],
  [{ from: 10 }, []],
  [{ from: Number.MAX_SAFE_INTEGER }, []],
  [{ limit: 0 }, []],
  [{ limit: 3 }, [0, 1, 2]],
  [{ limit: 30 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  // What does not fit into 32 bits.
  [{ limit: 2 ** 32 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [{ limit: 2 ** 32 + 3 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [{ direction: "backwards" }, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
  [{ direction: "backwards", from: 7 }, [9, 8, 7]],
  [{ direction: "backwards", before: 3 }, [2, 1, 0]],
  [{ direction: "backwards", before: 8, limit: 2 }, [7, 6]],
];
for (const [options, expected] of STREAM_READS) {
  test(`a stream read with ${JSON.stringify(options)} gives ${expected.length} events`, () =>
    withStore(async (store) => {
      await store.append("s", numbered(5));
      await store.append("other", numbered(5));
      await store.append("s", numbered(5));
      assert.deepEqual(revisions(await store.read("s", options).toArray()), expected);
    }));
}

// A log of six events: what is asked of it, and the positions that come.
const LOG = [
  { stream: "a-1", events: [{ type: "A", tags: ["x"], time: 100 }, { type: "B", tags: ["x", "y"], time: 200 }] },
  { stream: "b-1", events: [{ type: "A", tags: ["y"], time: 300 }, { type: "C", time: 400 }] },
  { stream: "a-2", events: [{ type: "B", time: 500 }, { type: "A", tags: ["x", "y"], time: 600 }] },
];
const LOG_READS = [
  [undefined, [1, 2, 3, 4, 5, 6]],
  [{ query: {} }, [1, 2, 3, 4, 5, 6]],
  [{ after: 4 }, [5, 6]],
  [{ before: 3 }, [1, 2]],
  [{ after: 2, before: 5 }, [3, 4]],
  [{ after: 6 }, []],
  [{ direction: "backwards" }, [6, 5, 4, 3, 2, 1]],
  [{ direction: "backwards", after: 3, limit: 2 }, [6, 5]],
  [{ since: 300 }, [3, 4, 5, 6]],
  [{ until: 300 }, [1, 2]],
  [{ since: new Date(200), until: "1970-01-01T00:00:00.500Z" }, [2, 3, 4]],
  [{ query: { types: ["A"] } }, [1, 3, 6]],
  [{ query: { types: ["A", "C"] } }, [1, 3, 4, 6]],
  [{ query: { tags: ["x", "y"] } }, [2, 6]],
  [{ query: { types: ["A"], tags: ["x"] } }, [1, 6]],
  [{ query: { streams: ["b-1", "a-2"] } }, [3, 4, 5, 6]],
  [{ query: { categories: ["a"] } }, [1, 2, 5, 6]],
  [{ query: { categories: ["a"], types: ["B"] } }, [2, 5]],
  [{ query: [{ types: ["C"] }, { tags: ["y"], streams: ["a-1"] }] }, [2, 4]],
  [{ query: { types: ["A"] }, limit: 2 }, [1, 3]],
  [{ query: { types: ["A"] }, direction: "backwards", limit: 2 }, [6, 3]],
  [{ query: { types: ["None"] } }, []],
];
for (const [options, expected] of LOG_READS) {
  test(`the log read with ${JSON.stringify(options)} gives ${expected}`, () =>
    withStore(async (store) => {
      await store.appendAll(LOG);
      assert.deepEqual(positions(await store.readAll(options).toArray()), expected);
    }));
}

test("an event has every part in its place", () =>
  withStore(async (store) => {
    const id = "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e";
    const event = { type: "A", data: { n: 1 }, metadata: { m: 2 }, tags: ["t"], time: 5, id };
    await store.append("s", [event, { type: "B" }]);
    const [first, second] = await store.read("s").toArray();
    assert.deepEqual(first, { ...event, stream: "s", revision: 0, position: 1 });
    assert.deepEqual(Object.keys(second), Object.keys(first));
    assert.deepEqual([second.data, second.metadata, second.tags], [undefined, {}, []]);
    assert.match(second.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(Math.abs(second.time - Date.now()) < 60_000);
  }));

test("pages come one after the other without a gap, in both directions and up to a limit", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 10; batch += 1) await store.append(`s-${batch % 3}`, numbered(1_000));
    const check = async (reading, expected) => {
      const seen = [];
      let pageCount = 0;
      for await (const page of reading.pages()) {
        assert.ok(0 < page.length);
        seen.push(...positions(page));
        pageCount += 1;
      }
      assert.deepEqual(seen, expected);
      return pageCount;
    };
    const upwards = Array.from({ length: 10_000 }, (_, index) => index + 1);
    assert.ok(1 < (await check(store.readAll(), upwards)));
    await check(store.readAll({ direction: "backwards" }), upwards.toReversed());
    await check(store.readAll({ limit: 9_999 }), upwards.slice(0, 9_999));
    await check(store.readAll({ direction: "backwards", limit: 7_000 }), upwards.slice(3_000).toReversed());
    await check(store.read("s-0", { from: 10 }), upwards.filter((position) => Math.floor((position - 1) / 1_000) % 3 === 0).slice(10));
  }));

test("a reading sees what was there when it began, and a second one begins anew", () =>
  withStore(async (store) => {
    await store.append("s", numbered(5_000));
    await store.append("s", numbered(5_000));
    const reading = store.readAll();
    let count = 0;
    for await (const _ of reading) {
      if (count === 0) await store.append("s", numbered(10));
      count += 1;
    }
    assert.equal(count, 10_000);
    assert.equal((await reading.toArray()).length, 10_010);
  }));

test("a long reading and a long count let others have their turn", () =>
  withStore(async (store) => {
    // Data that does not compress, so that one stretch of a count is a small part of it.
    const events = () => Array.from({ length: 10_000 }, () => ({ type: "A", data: [Math.random(), Math.random(), Math.random()] }));
    for (let batch = 0; batch < 6; batch += 1) await store.append(`s-${batch}`, events());
    let turns = 0;
    const others = setInterval(() => { turns += 1; }, 1);
    await store.readAll().toArray();
    const duringReading = turns;
    for (let round = 0; round < 5; round += 1) await store.count({}, { by: "day" });
    clearInterval(others);
    assert.ok(0 < duringReading && duringReading < turns, `${duringReading} of ${turns} turns`);
  }));

test("a reading that is left early reads no further, and the store goes on", () =>
  withStore(async (store) => {
    await store.append("s", numbered(100));
    for await (const event of store.read("s")) {
      if (event.revision === 3) break;
    }
    await assert.rejects(async () => {
      for await (const _ of store.read("s")) throw new Error("handler");
    }, /handler/);
    const iterator = store.read("s")[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value.revision, 0);
    assert.deepEqual(await iterator.return(), { value: undefined, done: true });
    assert.equal((await store.append("s", numbered(1))).lastRevision, 100);
  }));

test("a signal ends a reading with its reason", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 2; batch += 1) await store.append("s", numbered(9_000));
    const controller = new AbortController();
    const reason = new Error("enough");
    const read = async () => {
      for await (const _ of store.readAll({ signal: controller.signal }).pages()) controller.abort(reason);
    };
    await assert.rejects(read(), reason);
    await assert.rejects(store.read("s", { signal: controller.signal }).toArray(), reason);
    await assert.rejects(store.streams({ signal: controller.signal }).toArray(), reason);
    await assert.rejects(store.count({}, { signal: controller.signal }), reason);
  }));

test("a stream that never existed has no events and no description", () =>
  withStore(async (store) => {
    assert.deepEqual(await store.read("none").toArray(), []);
    assert.equal(await store.streamInfo("none"), undefined);
  }));

test("an event is found by its id, in its stream or in all", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    await store.append("b", numbered(3));
    const [, , event] = await store.read("b").toArray();
    assert.deepEqual(await store.event(event.id), event);
    assert.deepEqual(await store.event(event.id.toUpperCase(), { stream: "b" }), event);
    assert.equal(await store.event(event.id, { stream: "a" }), undefined);
    assert.equal(await store.event("00000000-0000-0000-0000-000000000000"), undefined);
  }));

test("streams are listed in the order of their names", () =>
  withStore(async (store) => {
    const names = ["b-2", "a-1", "b-1", "ü", "😀", "\uffee", "b"];
    for (const name of names) await store.append(name, numbered(1));
    const list = async (options) => (await store.streams(options).toArray()).map(({ stream }) => stream);
    assert.deepEqual(await list(), ["a-1", "b", "b-1", "b-2", "ü", "\uffee", "😀"]);
    assert.deepEqual(await list({ prefix: "b-" }), ["b-1", "b-2"]);
    assert.deepEqual(await list({ after: "b-1", limit: 2 }), ["b-2", "ü"]);
    assert.deepEqual(await list({ limit: 0 }), []);
  }));

test("more streams than a page holds are listed", () =>
  withStore(async (store) => {
    const writes = Array.from({ length: 2_500 }, (_, index) => ({ stream: `s-${String(index).padStart(4, "0")}`, events: numbered(1) }));
    await store.appendAll(writes);
    const listed = (await store.streams().toArray()).map(({ stream }) => stream);
    assert.deepEqual(listed, writes.map(({ stream }) => stream));
    assert.equal((await store.streams({ limit: 1_500 }).toArray()).length, 1_500);
  }));

const COUNTS = [
  [[], 6],
  [[{}], 6],
  [[{ types: ["A"] }], 3],
  [[{ types: ["None"] }], 0],
  [[{}, { since: 200, until: 500 }], 3],
  [[{}, { by: "type" }], { A: 3, B: 2, C: 1 }],
  [[{}, { by: "category" }], { a: 4, b: 2 }],
  [[{ types: ["A"] }, { by: "stream" }], { "a-1": 1, "a-2": 1, "b-1": 1 }],
  [[{}, { by: "day" }], { "1970-01-01": 6 }],
  [[{ types: ["None"] }, { by: "day" }], {}],
];
for (const [args, expected] of COUNTS) {
  test(`a count of ${JSON.stringify(args)} is ${JSON.stringify(expected)}`, () =>
    withStore(async (store) => {
      await store.appendAll(LOG);
      const progress = [];
      assert.deepEqual(await store.count(...args), expected);
      await store.count(args[0], { ...args[1], onProgress: (step) => progress.push(step) });
      assert.deepEqual(progress.at(-1), { done: 6, total: 6, phase: "count" });
    }));
}

test("a count adds up stretch by stretch, and says how far it is", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 8; batch += 1) {
      const events = Array.from({ length: 6_000 }, (_, index) => ({ type: index % 3 === 0 ? "A" : "B", data: `${Math.random()}`.repeat(30) }));
      await store.append(`s-${batch}`, events);
    }
    const progress = [];
    // No index knows how many events a day has, whether they were compacted meanwhile or not.
    const counts = await store.count({}, { by: "day", onProgress: ({ done }) => progress.push(done) });
    assert.equal(Object.values(counts).reduce((sum, count) => sum + count), 48_000);
    assert.deepEqual(await store.count({}, { by: "type" }), { A: 16_000, B: 32_000 });
    assert.equal(await store.count(), 48_000);
    assert.ok(1 < progress.length);
    assert.deepEqual([progress, progress.at(-1)], [progress.toSorted((one, other) => one - other), 48_000]);
  }));

const LISTENED = {
  open: (store, onProgress) => EventStore.open(newName(), { storage: "memory", onProgress }),
  count: (store, onProgress) => store.count({}, { onProgress }),
  replay: (store, onProgress) => store.replay({ onProgress }, () => {}),
};
for (const [method, call] of Object.entries(LISTENED)) {
  test(`what a listener to the progress of ${method} throws is reported, and fails nothing`, () =>
    withStore(async (store) => {
      await store.append("s", { type: "A" });
      const { queueMicrotask } = globalThis;
      const reason = new Error("listener");
      const [thrown, reported] = [[], []];
      // An error that nobody catches ends a process of Node's: so it is caught where the platform would report it.
      globalThis.queueMicrotask = (task) =>
        queueMicrotask(() => {
          try {
            task();
          } catch (error) {
            reported.push(error);
          }
        });
      try {
        await call(store, () => {
          thrown.push(reason);
          throw reason;
        });
        await new Promise((resolve) => setTimeout(resolve));
      } finally {
        globalThis.queueMicrotask = queueMicrotask;
      }
      assert.deepEqual(reported, thrown);
      if (method !== "open") assert.deepEqual(reported, [reason]);
    }));
}

test("a stream says what is known of it", () =>
  withStore(async (store) => {
    await store.append("s", [{ type: "A", time: 5 }, { type: "A", time: 3 }]);
    const info = { stream: "s", revision: 1, count: 2, firstPosition: 1, lastPosition: 2, createdAt: 5, updatedAt: 3 };
    assert.deepEqual(await store.streamInfo("s"), { ...info, deleted: false, tombstoned: false, truncatedBefore: 0 });
  }));

test("the store says what it keeps", () =>
  withStore(async (store) => {
    assert.deepEqual((({ events, streams, bytesPerEvent }) => ({ events, streams, bytesPerEvent }))(await store.stats()), {
      events: 0,
      streams: 0,
      bytesPerEvent: 0,
    });
    await store.append("s", numbered(100));
    const stats = await store.stats();
    assert.deepEqual([stats.events, stats.streams, stats.segments, stats.snapshots], [100, 1, 1, 0]);
    assert.equal(stats.bytesPerEvent, stats.bytes / 100);
    assert.deepEqual(Object.keys(stats.quota), ["usage", "quota", "persisted"]);
  }));

test("a closed store refuses a reading at its next page", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 2; batch += 1) await store.append("s", numbered(9_000));
    const pages = store.readAll().pages();
    await pages.next();
    await store.close();
    await refused(() => pages.next(), "CLOSED");
  }));
