import assert from "node:assert/strict";
import { test } from "node:test";
import { numbered, refused, withStore } from "./check.mjs";

/** Events at these times, one a commit. */
async function appendAt(store, ...times) {
  for (const time of times) await store.append("s", { type: "A", time });
}

test("a replay hands over every event up to the end as it was, and says how far that is", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    await store.append("b", numbered(3));
    const seen = [];
    const result = await store.replay({}, async (event) => {
      seen.push(event.position);
      await store.append("late", numbered(1));
    });
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(result, { events: 6, lastPosition: 6 });
  }));

const BOUNDS = [
  [{ after: 2 }, { events: 4, lastPosition: 6 }],
  [{ before: 5 }, { events: 4, lastPosition: 4 }],
  [{ after: 6 }, { events: 0, lastPosition: 6 }],
  [{ query: { streams: ["a"] } }, { events: 3, lastPosition: 6 }],
];
for (const [options, expected] of BOUNDS) {
  test(`a replay with ${JSON.stringify(options)} comes to ${JSON.stringify(expected)}`, () =>
    withStore(async (store) => {
      await store.append("a", numbered(3));
      await store.append("b", numbered(3));
      assert.deepEqual(await store.replay(options, () => {}), expected);
    }));
}

test("a replay waits for its handler", () =>
  withStore(async (store) => {
    await store.append("s", numbered(3));
    let running = 0;
    await store.replay({}, async () => {
      running += 1;
      assert.equal(running, 1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
    });
    assert.equal(running, 0);
  }));

// Times of events, the rate, and how long the replay takes at least and at most, in milliseconds.
const RATES = [
  [[0, 1_000, 2_000], 20, 100, 1_000],
  [[0, 60_000, 120_000], 2_000, 60, 1_000],
  [[1_000, 0, 500, 1_000], 1, 0, 50],
  [[0, 1e9], Number.POSITIVE_INFINITY, 0, 50],
];
for (const [times, rate, least_ms, most_ms] of RATES) {
  test(`events at ${times} replayed at ${rate} times their speed take ${least_ms} ms`, () =>
    withStore(async (store) => {
      await appendAt(store, ...times);
      const begin_ms = performance.now();
      const { events } = await store.replay({ rate }, () => {});
      const elapsed_ms = performance.now() - begin_ms;
      assert.equal(events, times.length);
      assert.ok(least_ms <= elapsed_ms && elapsed_ms < most_ms, `took ${elapsed_ms} ms`);
    }));
}

test("a signal stops a replay while it waits, with its reason", () =>
  withStore(async (store) => {
    await appendAt(store, 0, 1e9);
    const controller = new AbortController();
    const reason = new Error("enough");
    const seen = [];
    const replay = store.replay({ rate: 1, signal: controller.signal }, (event) => {
      seen.push(event.position);
      setTimeout(() => controller.abort(reason), 5);
    });
    await assert.rejects(replay, reason);
    assert.deepEqual(seen, [1]);
  }));

test("a signal stops a replay that does not wait", () =>
  withStore(async (store) => {
    await store.append("s", numbered(10));
    const controller = new AbortController();
    const seen = [];
    const replay = store.replay({ signal: controller.signal }, (event) => {
      seen.push(event.position);
      if (event.position === 4) controller.abort();
    });
    await assert.rejects(replay, { name: "AbortError" });
    assert.deepEqual(seen, [1, 2, 3, 4]);
  }));

test("what a handler throws ends the replay as it is", () =>
  withStore(async (store) => {
    await store.append("s", numbered(10));
    const reason = new Error("handler");
    await assert.rejects(store.replay({}, () => Promise.reject(reason)), reason);
  }));

test("a replay reports its progress, and ends where it ends", () =>
  withStore(async (store) => {
    await store.append("s", numbered(10));
    const steps = [];
    await store.replay({ onProgress: (step) => steps.push(step) }, () => {});
    assert.deepEqual(steps, [{ done: 10, total: 10, phase: "replay" }]);
  }));

test("a replay says how far it is where nothing is found, too", () =>
  withStore(async (store) => {
    for (let batch = 0; batch < 8; batch += 1) {
      await store.append("s", Array.from({ length: 3_000 }, () => ({ type: "A", data: Math.random() })));
    }
    const progress = [];
    const query = { types: ["B"] };
    await store.replay({ query, onProgress: ({ done }) => progress.push(done) }, () => assert.fail("nothing matches"));
    assert.ok(1 < progress.length, "one page has it all");
    assert.ok(progress.every((done, index) => index === 0 || progress[index - 1] < done), `${progress}`);
    assert.equal(progress.at(-1), 24_000);
  }));

test("a replay of a closed store is refused", () =>
  withStore(async (store) => {
    await store.close();
    await refused(() => store.replay({}, () => {}), "CLOSED");
  }));
