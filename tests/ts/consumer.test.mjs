// Consumers: what handlers are given, what becomes of what they throw, and what is stored of it. That events are handled at least once and in
// order whatever happens to tabs is the simulator's to show, and how fast another tab takes over is shown in browsers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStore, defineEvents, eventType } from "../../dist/index.js";
import { openTestTabs } from "../../dist/testing.js";
import { newName, numbered, refused, until, withStore } from "./check.mjs";

/** A consumer that notes what it is given, as `stream:number@attempt`. What `fail` gives is thrown. */
function noting(store, name, options = {}, fail = () => undefined) {
  const noted = [];
  const consumer = store.consumer(name, { after: 0, ...options }, (events, { attempt }) => {
    const words = [events].flat().map(({ stream, data }) => `${stream}:${data.number}`);
    noted.push(`${words.join("+")}@${attempt}`);
    const error = fail([events].flat(), attempt);
    if (error !== undefined) throw error;
  });
  return { consumer, noted };
}

/** Waits until everything is handled or parked. */
const done = (store, consumer) => until(() => consumer.active && consumer.position === store.position);

test("a consumer hands over what is there and then what comes, in order", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const { consumer, noted } = noting(store, "all");
    await store.append("b", numbered(1));
    await done(store, consumer);
    assert.deepEqual(noted, ["a:0@1", "a:1@1", "b:0@1"]);
    assert.deepEqual([consumer.name, consumer.active, consumer.position, consumer.lag, consumer.failure], ["all", true, 3, 0, undefined]);
    await consumer.stop();
    assert.deepEqual([consumer.active, consumer.position], [false, 3]);
    await store.append("b", numbered(1));
    assert.equal(consumer.lag, 1);
  }));

test("who consumes under a name again goes on where it is, and the position that is given counts only the first time", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    const first = noting(store, "mine", { after: 1 });
    await done(store, first.consumer);
    await first.consumer.stop();
    await store.append("b", numbered(1));
    const second = noting(store, "mine", { after: "end" });
    await done(store, second.consumer);
    const late = noting(store, "late", { after: "end" });
    await store.append("c", numbered(1));
    await Promise.all([done(store, second.consumer), done(store, late.consumer)]);
    assert.deepEqual([first.noted, second.noted, late.noted], [["a:1@1", "a:2@1"], ["b:0@1", "c:0@1"], ["c:0@1"]]);
    const stored = { lag: 0, active: true, parked: 0, position: 5 };
    assert.deepEqual(await store.consumers(), [{ name: "late", ...stored }, { name: "mine", ...stored }]);
  }));

test("of two consumers of one name one is handed events, and the other one as soon as the first is stopped", () =>
  withStore(async (store) => {
    await store.append("a", numbered(1));
    const one = noting(store, "shared");
    await done(store, one.consumer);
    const other = noting(store, "shared");
    await store.append("a", numbered(1));
    await done(store, one.consumer);
    await until(() => other.consumer.position === 2);
    assert.deepEqual([other.noted, other.consumer.active], [[], false]);
    await one.consumer.stop();
    await until(() => other.consumer.active);
    await store.append("b", numbered(1));
    await done(store, other.consumer);
    assert.deepEqual([one.noted, other.noted], [["a:0@1", "a:0@1"], ["b:0@1"]]);
  }));

test("with a batch the handler is given arrays of as many events as there are, and at most so many", () =>
  withStore(async (store) => {
    await store.append("a", numbered(5));
    const { consumer, noted } = noting(store, "batches", { batch: 2 });
    await done(store, consumer);
    assert.deepEqual(noted, ["a:0+a:1@1", "a:2+a:3@1", "a:4@1"]);
  }));

test("a query decides which events are handed over, and an upcaster as what", () => {
  const events = defineEvents({ Numbered: eventType({ version: 2, upcast: { 1: ({ number }) => (number === 1 ? null : { number: number + 10 }) } }) });
  const name = newName();
  return withStore(
    async (old) => {
      await old.append("a", [...numbered(3), { type: "Other", data: { number: 7 } }]);
      await withStore(
        async (store) => {
          const { consumer, noted } = noting(store, "some", { query: { types: ["Numbered"] } });
          await done(store, consumer);
          assert.deepEqual(noted, ["a:10@1", "a:12@1"]);
        },
        { events },
        name,
      );
    },
    {},
    name,
  );
});

test("what a handler throws is tried again, and the attempts are counted, also by who goes on", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const told = [];
    const retry = (error, { attempt, event }) => (told.push([error.message, attempt, event.position]), attempt < 2 ? 0 : 60_000);
    const first = noting(store, "stubborn", { retry }, ([{ position }]) => (position === 2 ? new Error("no") : undefined));
    await until(() => told.length === 2);
    const { error, attempt, event } = first.consumer.failure;
    assert.deepEqual([error.message, attempt, event.position, first.consumer.position], ["no", 2, 2, 1]);
    await first.consumer.stop();
    assert.deepEqual(first.noted, ["a:0@1", "a:1@1", "a:1@2"]);
    assert.deepEqual(told, [["no", 1, 2], ["no", 2, 2]]);
    const second = noting(store, "stubborn");
    await done(store, second.consumer);
    assert.deepEqual(second.noted, ["a:1@3"]);
  }));

test("without a decision it is tried again after a pause that doubles, and at once when the browser is online again", { timeout: 20_000 }, () =>
  withStore(async (store) => {
    const listeners = new Set();
    globalThis.addEventListener = (type, listener) => type === "online" && listeners.add(listener);
    globalThis.removeEventListener = (_type, listener) => listeners.delete(listener);
    try {
      const times = [];
      await store.append("a", numbered(1));
      const consumer = store.consumer("patient", { after: 0 }, () => {
        times.push(performance.now());
        if (times.length < 6) throw new Error("offline");
      });
      await until(() => times.length === 3);
      const [first, second] = [times[1] - times[0], times[2] - times[1]];
      assert.ok(240 <= first && first < second && 490 <= second, `pauses of ${first} and ${second} ms`);
      await until(() => listeners.size === 1);
      const began = performance.now();
      for (let attempt = 4; attempt <= 6; attempt += 1) {
        await until(() => listeners.size === 1);
        for (const listener of [...listeners]) listener();
        await until(() => times.length === attempt);
      }
      assert.ok(performance.now() - began < 900, "it was waited for the pause");
      await done(store, consumer);
      await consumer.stop();
      assert.equal(listeners.size, 0);
    } finally {
      delete globalThis.addEventListener;
      delete globalThis.removeEventListener;
    }
  }));

test("where it is decided to stop, the consumer ends, and says why; nothing is skipped", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const told = [];
    const onError = (error, event) => told.push([error.message, event.position]);
    const failing = noting(store, "once", { retry: () => "stop", onError }, () => new Error("never"));
    await until(() => told.length === 1);
    await failing.consumer.stop();
    assert.deepEqual([failing.noted, told, failing.consumer.active], [["a:0@1"], [["never", 1]], false]);
    assert.equal(failing.consumer.failure.error.message, "never");
    const next = noting(store, "once");
    await done(store, next.consumer);
    assert.deepEqual(next.noted, ["a:0@1", "a:1@1"]);
  }));

for (const decision of [-1, NaN, "later", undefined]) {
  test(`a decision of ${decision} ends the consumer with INVALID_ARGUMENT`, () =>
    withStore(async (store) => {
      await store.append("a", numbered(1));
      const code = await new Promise((resolve) => noting(store, "odd", { retry: () => decision, onError: ({ code }) => resolve(code) }, () => new Error("no")));
      assert.equal(code, "INVALID_ARGUMENT");
    }));
}

const parkOdd = { retry: (_error, { attempt }) => (attempt < 2 ? 0 : "park") };

test("a parked event holds back the later events of its stream and no others, until it is tried again", () =>
  withStore(async (store) => {
    let isBroken = true;
    await store.append("a", numbered(2));
    const { consumer, noted } = noting(store, "parking", parkOdd, ([{ stream, data }]) => (isBroken && stream === "a" && data.number === 1 ? new Error("broken") : undefined));
    await done(store, consumer);
    await store.append("b", numbered(1));
    await store.append("a", [{ type: "Numbered", data: { number: 2 } }]);
    await done(store, consumer);
    assert.deepEqual(noted.splice(0), ["a:0@1", "a:1@1", "a:1@2", "b:0@1"]);

    const [parked, ...others] = await consumer.parked();
    assert.deepEqual(others, []);
    const { time, event, ...rest } = parked;
    const id = event.id;
    assert.deepEqual(rest, { id, stream: "a", position: 2, attempts: 2, error: "Error: broken", behind: 1, retrying: false });
    assert.ok(Math.abs(Date.now() - time) < 60_000);
    assert.equal(event.data.number, 1);
    assert.deepEqual((await store.consumers())[0].parked, 1);

    assert.equal(await consumer.retryParked("00000000-0000-4000-8000-000000000000"), false);
    assert.equal(await consumer.retryParked(id), true);
    await until(() => noted.length === 2);
    await until(() => consumer.failure === undefined);
    assert.deepEqual(noted.splice(0), ["a:1@1", "a:1@2"]);
    assert.equal((await consumer.parked())[0].attempts, 2);

    isBroken = false;
    assert.equal(await consumer.retryParked(), true);
    await store.append("a", [{ type: "Numbered", data: { number: 3 } }]);
    await until(() => noted.length === 3);
    await done(store, consumer);
    assert.deepEqual(noted, ["a:1@1", "a:2@1", "a:3@1"]);
    assert.deepEqual(await consumer.parked(), []);
  }));

test("of a batch that is to be parked only what fails alone is parked", () =>
  withStore(async (store) => {
    await store.appendAll([
      { stream: "a", events: numbered(1) },
      { stream: "b", events: numbered(2) },
      { stream: "c", events: numbered(1) },
    ]);
    const fail = (events) => (events.some(({ stream, data }) => stream === "b" && data.number === 0) ? new Error("bad") : undefined);
    const { consumer, noted } = noting(store, "batch", { batch: 10, retry: () => "park" }, fail);
    await done(store, consumer);
    assert.deepEqual(noted, ["a:0+b:0+b:1+c:0@1", "a:0@1", "b:0@1", "c:0@1"]);
    const [{ stream, behind, event }] = await consumer.parked();
    assert.deepEqual([stream, behind, event.position], ["b", 1, 2]);
  }));

test("of a parked stream that was deleted nothing is left to be tried again", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const { consumer, noted } = noting(store, "gone", { retry: () => "park" }, () => new Error("bad"));
    await done(store, consumer);
    await store.delete("a");
    const [{ event, behind }] = await consumer.parked();
    assert.deepEqual([event, behind], [undefined, 0]);
    await consumer.retryParked();
    while (0 < (await consumer.parked()).length) await store.stats();
    assert.deepEqual(noted, ["a:0@1"]);
  }));

test("so many streams are parked, and then it is tried again and said", { timeout: 60_000 }, () =>
  withStore(async (store) => {
    const streams = Array.from({ length: 257 }, (_, place) => ({ stream: `s-${place}`, events: numbered(1) }));
    await store.appendAll(streams);
    const told = await new Promise((resolve) => {
      const onError = (error, event) => resolve([error.code, error.limit, error.maximum, event.stream]);
      noting(store, "full", { retry: () => "park", onError }, () => new Error("bad"));
    });
    assert.deepEqual(told, ["LIMIT_EXCEEDED", "parked streams", 256, "s-256"]);
    const [{ parked, position }] = await store.consumers();
    assert.deepEqual([parked, position], [256, 256]);
  }));

test("a consumer that is reset goes on after that position, with nothing parked", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    const { consumer, noted } = noting(store, "again", { retry: () => "park" }, ([{ data }], attempt) => (data.number === 1 && attempt === 1 && noted.length < 4 ? new Error("bad") : undefined));
    await done(store, consumer);
    assert.deepEqual(noted.splice(0), ["a:0@1", "a:1@1"]);
    noted.push("x", "x", "x", "x");
    await consumer.reset({ after: 1 });
    await until(() => noted.length === 6);
    assert.deepEqual(noted.slice(4), ["a:1@1", "a:2@1"]);
    assert.deepEqual(await consumer.parked(), []);
    await consumer.reset({ after: "end" });
    await store.append("a", numbered(1));
    await until(() => noted.length === 7);
    assert.deepEqual(noted.slice(6), ["a:0@1"]);
  }));

test("how far a consumer is goes back with a reset", () =>
  withStore(async (store) => {
    await store.append("a", numbered(3));
    let go;
    let isHeld = false;
    const consumer = store.consumer("back", { after: 0 }, () => (isHeld ? new Promise((resolve) => (go = resolve)) : undefined));
    await done(store, consumer);
    isHeld = true;
    await consumer.reset({ after: 1 });
    await until(() => go !== undefined);
    assert.deepEqual([consumer.position, consumer.lag], [1, 2]);
    isHeld = false;
    go();
    await done(store, consumer);
  }));

test("a consumer that is removed ends, and one that is made anew begins anew", () =>
  withStore(async (store) => {
    await store.append("a", numbered(1));
    const first = noting(store, "removed");
    await done(store, first.consumer);
    assert.equal(await store.removeConsumer("removed"), true);
    assert.equal(await store.removeConsumer("removed"), false);
    await until(() => !first.consumer.active);
    assert.deepEqual(await store.consumers(), []);
    const second = noting(store, "removed");
    await done(store, second.consumer);
    assert.deepEqual([first.noted, second.noted], [["a:0@1"], ["a:0@1"]]);
  }));

test("a handler may append, and what it appends is handed over in its turn", () =>
  withStore(async (store) => {
    const handled = [];
    const consumer = store.consumer("chain", { after: 0 }, async (event) => {
      handled.push(event.data.number);
      if (event.data.number < 5) await store.append("a", [{ type: "Numbered", data: { number: event.data.number + 1 } }], { causedBy: event });
    });
    const before = handled.length;
    await store.append("a", numbered(1));
    assert.equal(before, handled.length, "an event is handed over after its append has resolved");
    await until(() => handled.length === 6);
    await done(store, consumer);
    assert.deepEqual(handled, [0, 1, 2, 3, 4, 5]);
  }));

test("who is stopped while an event is handled tells the handler, waits for it, and stores what it has handled", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const handled = [];
    let begin;
    const begun = new Promise((resolve) => (begin = resolve));
    const consumer = store.consumer("slow", { after: 0 }, async ({ position }, { signal }) => {
      begin();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      handled.push(position);
    });
    await begun;
    await consumer.stop();
    assert.deepEqual(handled, [1]);
    assert.deepEqual((await store.consumers())[0], { name: "slow", position: 1, lag: 1, active: false, parked: 0 });
  }));

test("a handler that gives up because of its signal has not handled the event", () =>
  withStore(async (store) => {
    await store.append("a", numbered(1));
    const controller = new AbortController();
    const consumer = store.consumer("polite", { after: 0, signal: controller.signal }, (_event, { signal }) => {
      queueMicrotask(() => controller.abort());
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    await consumer.stop();
    assert.equal((await store.consumers())[0].position, 0);
  }));

test("a consumer ends with its store, which does not wait for a handler", async () => {
  const name = newName();
  const keeper = await EventStore.open(name, { storage: "memory" });
  const store = await EventStore.open(name, { storage: "memory" });
  await store.append("a", numbered(1));
  const idle = noting(store, "idle");
  await done(store, idle.consumer);
  let isAborted = false;
  await new Promise((begin) => {
    store.consumer("busy", { after: 0 }, (_event, { signal }) => {
      signal.addEventListener("abort", () => (isAborted = true));
      begin();
      return new Promise(() => {});
    });
  });
  await store.close();
  assert.equal(isAborted, true);
  const active = Object.fromEntries((await keeper.consumers()).map((info) => [info.name, info.active]));
  assert.deepEqual(active, { busy: true, idle: false });
  await keeper.close();
});

test("no handler begins after its consumer was stopped, or its store closed, whenever that is", async () => {
  for (let turns = 0; turns < 60; turns += 1) {
    await withStore(async (store) => {
      await store.append("a", numbered(1));
      let hasBegun = false;
      const consumer = store.consumer("late", { after: 0 }, () => ((hasBegun = true), new Promise(() => {})));
      await until(() => consumer.active);
      for (let turn = 0; turn < turns; turn += 1) await null;
      const before = hasBegun;
      await (turns % 2 === 0 && !before ? consumer.stop() : store.close());
      assert.equal(hasBegun, before, `after ${turns} turns`);
    });
  }
});

test("what comes online while a handler is at work has what fails be tried again at once", { timeout: 20_000 }, () =>
  withStore(async (store) => {
    const listeners = new Set();
    globalThis.addEventListener = (type, listener) => type === "online" && listeners.add(listener);
    globalThis.removeEventListener = (_type, listener) => listeners.delete(listener);
    try {
      await store.append("a", numbered(1));
      let attempts = 0;
      const consumer = store.consumer("sudden", { after: 0, retry: () => 3_600_000 }, () => {
        attempts += 1;
        if (attempts > 1) return;
        for (const listener of listeners) listener();
        throw new Error("offline");
      });
      await done(store, consumer);
      await consumer.stop();
      assert.equal(attempts, 2);
    } finally {
      delete globalThis.addEventListener;
      delete globalThis.removeEventListener;
    }
  }));

test("with a signal that was aborted before nothing is stored, and nothing is handed over", () =>
  withStore(async (store) => {
    await store.append("a", numbered(1));
    const { consumer, noted } = noting(store, "never", { after: "end", signal: AbortSignal.abort() });
    await consumer.stop();
    assert.deepEqual([await store.consumers(), noted, consumer.active], [[], [], false]);
  }));

test("who begins with another query goes on where the consumer is, and who had the old one is told", () =>
  withStore(async (store) => {
    await store.append("a", numbered(1));
    let old;
    const told = new Promise((resolve) => {
      const onError = (error, event) => resolve([error.code, error.path, event]);
      old = noting(store, "mails", { query: { types: ["Numbered"] }, onError });
    });
    await done(store, old.consumer);
    const { consumer, noted } = noting(store, "mails", { query: { types: ["Numbered", "Other"] } });
    await until(() => consumer.active);
    await store.append("a", [...numbered(1, "Other"), ...numbered(1), ...numbered(1, "Other")]);
    await done(store, consumer);
    assert.deepEqual([noted.length, await told], [3, ["INVALID_ARGUMENT", "options.query", undefined]]);
  }));

test("what a consumer is asked for is checked", () =>
  withStore(async (store) => {
    const handler = () => {};
    for (const [act, path] of [
      [() => store.consumer("", { after: 0 }, handler), "name"],
      [() => store.consumer("a", {}, handler), "options.after"],
      [() => store.consumer("a", { after: "start" }, handler), "options.after"],
      [() => store.consumer("a", { after: 0, batch: 0 }, handler), "options.batch"],
      [() => store.consumer("a", { after: 0, retry: 3 }, handler), "options.retry"],
      [() => store.consumer("a", { after: 0, tries: 3 }, handler), "options.tries"],
      [() => store.consumer("a", { after: 0, query: { types: [] } }, handler), "options.query.types"],
      [() => store.consumer("a", { after: 0 }), "handler"],
      [() => store.removeConsumer(""), "name"],
    ]) {
      await refused(act, "INVALID_ARGUMENT", { path });
    }
    const consumer = store.consumer("a", { after: 0 }, handler);
    await refused(() => consumer.reset({}), "INVALID_ARGUMENT", { path: "options.after" });
    await refused(() => consumer.retryParked("no id"), "INVALID_ARGUMENT", { path: "id" });
  }));

test("too large a batch and too long a name are refused by the core", () =>
  withStore(async (store) => {
    const codes = (name, options) => new Promise((resolve) => store.consumer(name, { after: 0, onError: (error) => resolve([error.code, error.limit]), ...options }, () => {}));
    assert.deepEqual(await codes("large", { batch: 1_001 }), ["LIMIT_EXCEEDED", "consumer batch"]);
    assert.deepEqual(await codes("x".repeat(257), {}), ["LIMIT_EXCEEDED", "consumer name bytes"]);
  }));

test("a handler is told where its store is gone while it is at work", { timeout: 20_000 }, async () => {
  const tabs = await openTestTabs(1);
  const [tab] = tabs;
  const signals = [];
  const consumer = tab.store.consumer("c", { after: 0 }, (_event, { signal }) => {
    signals.push(signal);
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  await tab.store.append("s", { type: "Noted" });
  await until(() => 0 < signals.length);
  tab.kill();
  await until(() => signals[0].aborted && !consumer.active);
  await consumer.stop();
  assert.equal(signals.length, 1);
  await tabs.close();
});
