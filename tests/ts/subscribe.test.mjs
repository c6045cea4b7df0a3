import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineEvents, eventType, isEverfoldError } from "../../dist/index.js";
import { newName, numbered, refused, until, withStore } from "./check.mjs";

/** Something that is waited for, and how to say that it is there. */
function coming() {
  let come;
  const there = new Promise((resolve) => (come = resolve));
  return { there, come };
}

/** Subscribes, and gives the positions that were handled, and a way to wait for the first so many. */
function positionsOf(store, options) {
  const positions = [];
  const waiting = [];
  const subscription = store.subscribe(options, ({ position }) => {
    positions.push(position);
    for (const { count, come } of waiting) if (count <= positions.length) come();
  });
  const handled = (count) => {
    const { there, come } = coming();
    if (count <= positions.length) come();
    waiting.push({ count, come });
    return there;
  };
  return { subscription, positions, handled };
}

test("a subscription hands over what is there and then what comes, in order, once", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    const { subscription, positions, handled } = positionsOf(store);
    await subscription.caughtUp;
    assert.deepEqual(positions, [1, 2, 3]);
    await Promise.all([store.append("b", numbered(2)), store.append("c", numbered(1))]);
    await store.append("a", numbered(1));
    await handled(7);
    assert.deepEqual(positions, [1, 2, 3, 4, 5, 6, 7]);
    subscription.stop();
    await store.append("a", numbered(1));
    await store.readAll().toArray();
    assert.deepEqual(positions, [1, 2, 3, 4, 5, 6, 7]);
    assert.equal(subscription.position, 7);
  }));

const STARTS = [
  [{}, [1, 2, 3, 4, 5, 6]],
  [{ after: 2 }, [3, 4, 5, 6]],
  [{ after: "end" }, [5, 6]],
  [{ after: 5 }, [6]],
  [{ query: { streams: ["b"] } }, [3, 4, 6]],
  [{ after: 3, query: { streams: ["b"] } }, [4, 6]],
  [{ query: { types: ["Odd"] } }, [6]],
];
for (const [options, expected] of STARTS) {
  test(`a subscription with ${JSON.stringify(options)} hands over ${expected}`, () =>
    withStore(async (store) => {
      await store.append("a", numbered(2));
      await store.append("b", numbered(2));
      const { positions, handled } = positionsOf(store, options);
      await store.append("a", numbered(1));
      await store.append("b", numbered(1, "Odd"));
      await handled(expected.length);
      assert.deepEqual(positions, expected);
    }));
}

test("events of which there are many pages are handed over, and the end is told once it is reached, and again after it was far", () =>
  withStore(async (store) => {
    await store.append("a", numbered(9_000));
    let ends = 0;
    let sum = 0;
    const subscription = store.subscribe({ onCaughtUp: () => (ends += 1) }, (event) => void (sum += event.data.number));
    await subscription.caughtUp;
    assert.equal(sum, (9_000 * 8_999) / 2);
    assert.equal(ends, 1);
    const far = coming();
    const again = store.subscribe({ after: "end", onCaughtUp: () => (ends += 1) }, async ({ position }) => {
      if (position === 9_001) await far.there;
    });
    await again.caughtUp;
    await store.append("a", numbered(1));
    await store.append("a", numbered(9_000));
    far.come();
    await until(() => 18_001 <= Math.min(again.position, subscription.position));
    assert.equal(ends, 4, "one end of each at first, and one of each again");
  }));

test("a handler is waited for, and one that takes long delays only itself", () =>
  withStore(async (store) => {
    const release = coming();
    let running = 0;
    const slow = [];
    store.subscribe({}, async ({ position }) => {
      running += 1;
      assert.equal(running, 1);
      await release.there;
      slow.push(position);
      running -= 1;
    });
    const { positions, handled } = positionsOf(store);
    await store.append("a", numbered(3));
    await store.append("a", numbered(3));
    await handled(6);
    assert.deepEqual(slow, []);
    release.come();
    await until(() => slow.length === 6);
    assert.deepEqual([slow, positions], [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]]);
  }));

test("who goes on after a subscription that was stopped meets no event twice", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    const [met, stopped] = [[], coming()];
    const meet = ({ position }) => void met.push(position);
    const handled = store.subscribe({}, async (event) => {
      meet(event);
      if (event.position < 2) return;
      handled.stop();
      await null;
      stopped.come();
    });
    await stopped.there;
    await until(() => handled.position !== 1);
    assert.deepEqual([met, handled.position], [[1, 2], 2]);
    const iterated = store.subscribe({ after: handled.position });
    for await (const event of iterated) {
      meet(event);
      iterated.stop();
    }
    assert.deepEqual([met, iterated.position], [[1, 2, 3], 3]);
    const left = store.subscribe({ after: 1 });
    for await (const _ of left) break;
    assert.equal(left.position, 1, "an iteration that does not ask for the next event may have failed with this one");
  }));

for (const kind of ["throws", "rejects"]) {
  test(`a handler that ${kind} ends its own subscription, which says why and where`, () =>
    withStore(async (store) => {
      const failure = new Error("no");
      const told = coming();
      const subscription = store.subscribe({ onError: (error, event) => told.come([error, event]) }, ({ position }) => {
        if (position !== 2) return undefined;
        if (kind === "rejects") return Promise.reject(failure);
        throw failure;
      });
      const { positions, handled } = positionsOf(store);
      await store.append("a", numbered(4));
      const [error, event] = await told.there;
      assert.equal(error, failure);
      assert.equal(event.position, 2);
      assert.equal(subscription.position, 1);
      await assert.rejects(subscription.caughtUp, failure);
      await store.append("a", numbered(1));
      await handled(5);
      assert.deepEqual(positions, [1, 2, 3, 4, 5]);
    }));
}

test("an event of this tab is handed over after its append has resolved", () =>
  withStore(async (store) => {
    const order = [];
    const { handled } = positionsOf(store);
    store.subscribe({ after: "end" }, ({ position }) => void order.push(`handled ${position}`));
    store.on("Numbered", ({ position }) => void order.push(`heard ${position}`));
    for (let position = 1; position <= 20; position += 1) {
      await store.append("a", numbered(1));
      order.push(`appended ${position}`);
      await handled(position);
      await until(() => order.length === 3 * position);
    }
    for (let place = 0; place < 60; place += 3) assert.equal(order[place], `appended ${1 + place / 3}`);
  }));

test("a subscription is iterated over, and ends with the iteration", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    const subscription = store.subscribe({});
    const seen = [];
    for await (const { position } of subscription) {
      seen.push(position);
      if (position === 3) void store.append("a", numbered(2));
      if (position === 5) break;
    }
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    assert.equal(subscription.position, 4, "the last event is not done before the next is asked for");
    await subscription.caughtUp;
    for await (const event of subscription) assert.fail(`came after its end: ${event.position}`);
  }));

test("the iteration ends when the subscription is stopped while it waits", () =>
  withStore(async (store) => {
    const subscription = store.subscribe({ onCaughtUp: () => subscription.stop() });
    for await (const event of subscription) assert.fail(`came from nowhere: ${event.position}`);
    await subscription.caughtUp;
  }));

test("a signal ends a subscription, with its reason", () =>
  withStore(async (store) => {
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(store.subscribe({ signal: aborted }, () => assert.fail("was stopped")).caughtUp, reason);
    const controller = new AbortController();
    await assert.rejects(async () => {
      for await (const event of store.subscribe({ signal: controller.signal, onCaughtUp: () => controller.abort(reason) })) assert.fail(event);
    }, reason);
    await store.append("a", numbered(1));
  }));

test("a position moves on though nothing is wanted of what comes", () =>
  withStore(async (store) => {
    const { subscription, positions } = positionsOf(store, { query: { types: ["Never"] } });
    await subscription.caughtUp;
    await store.append("a", numbered(7));
    await until(() => subscription.position === 7);
    assert.deepEqual(positions, []);
  }));

test("closing ends the subscriptions of a handle, and no other's", async () => {
  const name = newName();
  const [one, other] = await Promise.all([EventStore.open(name, { storage: "memory" }), EventStore.open(name, { storage: "memory" })]);
  const ended = one.subscribe({ onError: assert.fail }, () => assert.fail("its store is closed"));
  const iterated = one.subscribe();
  const waiting = (async () => {
    for await (const event of iterated) assert.fail(event);
  })();
  const { handled } = positionsOf(other);
  await one.close();
  await waiting;
  await refused(() => ended.caughtUp, "CLOSED");
  await refused(() => one.subscribe(), "CLOSED");
  await refused(() => one.on("A", () => {}), "CLOSED");
  await other.append("a", numbered(1));
  await handled(1);
  await other.close();
});

test("a database that is destroyed ends subscriptions with CLOSED", async () => {
  const name = newName();
  const store = await EventStore.open(name, { storage: "memory" });
  const told = coming();
  const subscription = store.subscribe({ onError: told.come }, () => {});
  await subscription.caughtUp;
  await EventStore.destroy(name);
  assert.ok(isEverfoldError(await told.there, "CLOSED"));
  await store.close();
});

const events = defineEvents({
  Renamed: eventType({ formerly: ["Numbered"], version: 2, upcast: { 1: (data) => (data.number === 1 ? null : { was: data.number }) } }),
});

test("events are handed over as they are today", async () => {
  const name = newName();
  const old = await EventStore.open(name, { storage: "memory" });
  const today = await EventStore.open(name, { storage: "memory", events });
  await old.append("a", numbered(3));
  const seen = [];
  const heard = [];
  const { there, come } = coming();
  today.on("Renamed", ({ type, data }) => void heard.push([type, data.was]));
  today.subscribe({ query: { types: ["Renamed"] } }, ({ type, data }) => {
    seen.push([type, data.was]);
    if (seen.length === 4) come();
  });
  await old.append("a", numbered(3));
  await there;
  assert.deepEqual(seen, [0, 2, 0, 2].map((number) => ["Renamed", number]));
  await until(() => heard.length === 2);
  assert.deepEqual(heard, seen.slice(2));
  await old.close();
  await today.close();
});

test("an upcaster that throws ends the subscription before its event", async () => {
  const name = newName();
  const old = await EventStore.open(name, { storage: "memory" });
  await old.append("a", numbered(3));
  const failing = defineEvents({
    Numbered: eventType({ version: 2, upcast: { 1: (data) => (data.number === 2 ? JSON.parse("{") : data) } }),
  });
  const today = await EventStore.open(name, { storage: "memory", events: failing });
  const told = coming();
  const seen = [];
  today.subscribe({ onError: told.come }, ({ position }) => void seen.push(position));
  const error = await told.there;
  assert.ok(isEverfoldError(error, "UPCASTER_FAILED") && error.position === 3);
  assert.deepEqual(seen, [1, 2]);
  await old.close();
  await today.close();
});

const REFUSED = [
  [[{ from: 1 }, () => {}], "options.from"],
  [[{ after: -1 }, () => {}], "options.after"],
  [[{ after: "start" }, () => {}], "options.after"],
  [[{ query: [] }, () => {}], "options.query"],
  [[{}, 1], "handler"],
  [[{ onError: () => {} }], "options.onError"],
  [[{ onCaughtUp: 1 }, () => {}], "options.onCaughtUp"],
  [[{ signal: {} }, () => {}], "options.signal"],
];
for (const [given, path] of REFUSED) {
  test(`a subscription refuses ${path} of ${JSON.stringify(given)}`, () =>
    withStore((store) => refused(() => store.subscribe(...given), "INVALID_ARGUMENT", { path })));
}
