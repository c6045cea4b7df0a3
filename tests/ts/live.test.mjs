// Values that follow the log: what a load would give, without a load for each commit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAggregate } from "../../dist/index.js";
import { matches } from "../../dist/query-match.js";
import { openTestTabs } from "../../dist/testing.js";
import { Account, SEED, bank, deposited, naive, opened, seeded, withdrawn } from "./bank.mjs";
import { numbered, refused, until, withStore } from "./check.mjs";
import { listening, ready } from "./live.mjs";

/** As `Account`, folded by the core. */
const Documented = defineAggregate({
  name: "documented",
  category: "account",
  events: bank,
  initial: () => ({ owner: "", balance: 0, events: 0 }),
  evolve: {
    AccountOpened: { $set: { owner: "$data.owner" }, $inc: { events: 1 } },
    MoneyDeposited: { $inc: { balance: "$data.amount", events: 1 } },
    MoneyWithdrawn: { $inc: { balance: { $multiply: ["$data.amount", -1] }, events: 1 } },
    AccountClosed: { $inc: { events: 1 } },
  },
});
const KINDS = { functions: Account, "a document": Documented };
const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1 });

/** What a load would give; of which position it is, is its own business. */
const withoutPosition = ({ position: _, ...loaded }) => loaded;

for (const [kind, aggregate] of Object.entries(KINDS)) {
  test(`a live value is what a load gives, and follows what is appended: ${kind}`, () =>
    withStore(
      async (store) => {
        await store.append("account-1", [opened(), deposited(50)]);
        const live = store.live(aggregate, "account-1");
        assert.deepEqual(live.get(), { status: "loading" });
        const { states, stop } = listening(live);
        assert.deepEqual(await ready(live), await store.load(aggregate, "account-1"));
        await store.append("account-1", [deposited(1), withdrawn(20)]);
        await store.append("account-2", deposited(1_000));
        const value = await ready(live, ({ revision }) => revision === 3);
        assert.deepEqual(value.state, { owner: "Ada", balance: 31, events: 4 });
        assert.deepEqual([value.exists, value.position, value.expected], [true, 4, 3]);
        assert.deepEqual(
          states.map(({ status, value }) => [status, value.revision]),
          [
            ["ready", 1],
            ["ready", 3],
          ],
        );
        stop();
      },
      { events: bank },
    ));

  test(`a stream that is deleted, tombstoned, truncated or written again is what a load gives: ${kind}`, () =>
    withStore(
      async (store) => {
        const live = store.live(aggregate, "account-1");
        const { stop } = listening(live);
        const seen = async (what, holds) => {
          const value = await ready(live, holds);
          assert.deepEqual(withoutPosition(value), withoutPosition(await store.load(aggregate, "account-1")), what);
        };
        await seen("never written", ({ exists }) => !exists);
        await store.append("account-1", [opened(), deposited(1), deposited(2), deposited(3)]);
        await seen("written", ({ revision }) => revision === 3);
        await store.truncate("account-1", { before: 2 });
        await seen("truncated", ({ state }) => state.events === 2);
        await store.append("account-1", deposited(4));
        await seen("written after it was truncated", ({ revision }) => revision === 4);
        await store.truncate("account-1", { before: 99 });
        await seen("truncated as a whole", ({ state }) => state.events === 0);
        await store.append("account-1", deposited(5));
        await seen("written after it was truncated as a whole", ({ revision }) => revision === 5);
        await store.delete("account-1");
        await seen("deleted", ({ exists }) => !exists);
        await Promise.all([store.append("account-1", deposited(6)), store.delete("account-1"), store.append("account-1", deposited(7))]);
        await seen("written after it was deleted", ({ revision }) => revision === 7);
        await store.tombstone("account-1");
        await seen("tombstoned", ({ exists }) => !exists);
        stop();
      },
      { events: bank },
    ));

  test(`live values are what loads give, whatever is appended, hidden and compacted: ${kind} (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const tabs = await openTestTabs(2, { events: bank });
    try {
      const [{ store }, other] = tabs;
      const streams = ["account-1", "account-2", "account-3", "other-1"];
      const sources = [...streams, { query: { tags: ["big"] } }, { query: [{ types: ["MoneyDeposited"], categories: ["account"] }, { streams: ["other-1"] }] }, { query: {} }];
      const lives = sources.map((source) => [source, store.live(aggregate, source)]);
      const stops = lives.map(([, live]) => live.subscribe(() => {}));
      for (let round = 0; round < 40; round += 1) {
        for (let steps = Math.floor(random() * 6); 0 < steps; steps -= 1) {
          const writer = pick([store, other.store]);
          const events = Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({ ...pick([opened("Eve"), deposited(5), withdrawn(2)]), tags: pick([[], ["big"]]) }));
          await writer.append(pick(streams), events);
          if (random() < 0.1) await writer.delete(pick(streams));
          if (random() < 0.1) await writer.truncate(pick(streams), { before: Math.floor(random() * 20) });
          if (random() < 0.05) await writer.compact();
          if (random() < 0.1) {
            const place = Math.floor(random() * lives.length);
            stops[place]();
            stops[place] = lives[place][1].subscribe(() => {});
          }
        }
        for (const [source, live] of lives) {
          const loaded = await store.load(aggregate, source);
          const isSame = ({ state, revision, exists }) => JSON.stringify([state, revision, exists]) === JSON.stringify([loaded.state, loaded.revision, loaded.exists]);
          await Promise.race([ready(live, isSame), new Promise((_, reject) => setTimeout(reject, 5_000).unref())]).catch(() => {
            assert.deepEqual(live.get(), { status: "ready", value: loaded }, `round ${round}, ${JSON.stringify(source)}`);
          });
          assert.deepEqual(withoutPosition(live.get().value), withoutPosition(loaded));
        }
      }
      for (const stop of stops) stop();
    } finally {
      await tabs.close();
    }
  });
}

test("the same arguments give the same object, and others another", () =>
  withStore(async (store) => {
    const live = store.live(Count, "a");
    assert.equal(store.live(Count, "a"), live);
    assert.notEqual(store.live(Count, "b"), live);
    assert.notEqual(store.live(Account, "a"), live);
    const ofQuery = store.live(Count, { query: { types: ["A", "B"], tags: ["t"] } });
    assert.equal(store.live(Count, { query: [{ tags: ["t"], types: ["B", "A"] }] }), ofQuery);
    assert.notEqual(store.live(Count, { query: { types: ["A", "B"], tags: ["u"] } }), ofQuery);
    assert.notEqual(store.live(Count, { query: { streams: ["a"] } }), live);
  }));

test("get keeps its identity until a change", () =>
  withStore(async (store) => {
    const { get, subscribe } = store.live(Count, "a");
    assert.equal(get(), get());
    const stop = subscribe(() => {});
    await until(() => get().status === "ready");
    const before = get();
    await store.append("b", numbered(3));
    const other = store.live(Count, "b");
    const { stop: stopOther } = listening(other);
    await ready(other);
    await store.append("b", numbered(1));
    await ready(other, ({ revision }) => revision === 3);
    assert.equal(get(), before);
    await store.append("a", numbered(1));
    await until(() => get() !== before);
    assert.equal(get().value.state, 1);
    stop();
    stopOther();
  }));

test("of a query, events that leave the state as it is are no change", () =>
  withStore(async (store) => {
    const Big = defineAggregate({ name: "big", initial: () => ({ sum: 0 }), evolve: (state, { data }) => (data.number === 0 ? state : { sum: state.sum + data.number }) });
    const live = store.live(Big, { query: { types: ["Numbered"] } });
    const { states, stop } = listening(live);
    await store.append("a", { type: "Numbered", data: { number: 0 } });
    await ready(live, ({ exists }) => exists);
    const count = states.length;
    await store.append("a", { type: "Numbered", data: { number: 0 } });
    await store.append("a", { type: "Numbered", data: { number: 7 } });
    await ready(live, ({ state }) => state.sum === 7);
    assert.equal(states.length, count + 1);
    stop();
  }));

/** A store whose engine counts what is asked of it. */
function counted(store) {
  const { engine } = store.handle.session;
  const counts = { subscribe: 0, readStream: 0, readAll: 0, fold: 0, streamInfo: 0, snapshot: 0 };
  for (const name of Object.keys(counts)) {
    const asked = engine[name].bind(engine);
    engine[name] = (...message) => {
      counts[name] += 1;
      return asked(...message);
    };
  }
  return counts;
}

for (const [kind, aggregate] of Object.entries(KINDS)) {
  test(`a hundred live values cost one subscription, and a commit no read: ${kind}`, () =>
    withStore(
      async (store) => {
        const counts = counted(store);
        const lives = Array.from({ length: 100 }, (_, index) => store.live(aggregate, `account-${index}`));
        const stops = lives.map((live) => live.subscribe(() => {}));
        for (const live of lives) await ready(live);
        assert.equal(counts.subscribe, 1);
        Object.keys(counts).forEach((name) => (counts[name] = 0));
        for (let index = 0; index < 100; index += 1) await store.append(`account-${index % 10}`, [deposited(1), deposited(2)]);
        await Promise.all(lives.slice(0, 10).map((live) => ready(live, ({ revision }) => revision === 19)));
        assert.deepEqual(counts, { subscribe: 0, readStream: 0, readAll: 0, fold: 0, streamInfo: 0, snapshot: 0 });
        for (const stop of stops) stop();
      },
      { events: bank },
    ));
}

test("each event is folded once, however many come", () =>
  withStore(async (store) => {
    let folded = 0;
    const Folding = defineAggregate({ name: "folding", initial: () => 0, evolve: (count) => ((folded += 1), count + 1) });
    await store.append("a", numbered(500));
    const live = store.live(Folding, "a");
    const stop = live.subscribe(() => {});
    await ready(live);
    assert.equal(folded, 500);
    for (let round = 0; round < 50; round += 1) await store.append("a", numbered(10));
    await ready(live, ({ revision }) => revision === 999);
    assert.equal(folded, 1_000);
    stop();
  }));

test("what comes while a value is loaded is not missed", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2_000));
    const lives = Array.from({ length: 20 }, (_, index) => store.live(Count, index % 2 === 0 ? "a" : { query: { types: ["Numbered"], tags: [`${index}`] } }));
    const stops = [];
    for (let index = 0; index < 20; index += 1) {
      stops.push(lives[index].subscribe(() => {}));
      await Promise.all([store.append("a", { type: "Numbered", data: { number: 0 }, tags: [`${index}`] }), new Promise((resolve) => setTimeout(resolve, index % 3))]);
    }
    for (const live of lives) await ready(live, ({ state }) => state === 2_020 || state === 1);
    for (const stop of stops) stop();
  }));

test("what is hidden while a value is carried on by a load is not in it", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const { engine } = store.handle.session;
    const { readStream, readAll } = engine;
    const live = store.live(Count, "a");
    // While it is loaded for the first time an event comes, and before what came is loaded, everything is hidden.
    engine.readStream = async (message) => {
      const page = await readStream.call(engine, message);
      engine.readStream = readStream;
      await store.append("a", numbered(1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      return page;
    };
    engine.readAll = async (message) => {
      engine.readAll = readAll;
      await store.delete("a");
      return readAll.call(engine, message);
    };
    const { states, stop } = listening(live);
    await ready(live, ({ exists }) => !exists);
    await store.append("a", numbered(1));
    assert.equal((await ready(live, ({ revision }) => revision === 3)).state, 1);
    assert.deepEqual(states.map(({ value }) => value.state), [2, 0, 1]);
    stop();
  }));

test("where an event was hidden before it came, no state is shown that has those before it", async () => {
  const tabs = await openTestTabs(2);
  const [one, two] = tabs;
  const Numbers = defineAggregate({ name: "numbers", initial: () => [], evolve: (numbers, { data }) => [...numbers, data.number] });
  const live = one.store.live(Numbers, "a");
  const { states, stop } = listening(live);
  const event = (number, padding = "") => ({ type: "Numbered", data: { number, padding } });
  await two.store.append("a", event(0));
  await ready(live, ({ revision }) => revision === 0);
  one.freeze();
  await two.store.append("a", event(1));
  // So much that the fact comes with a later page than what follows the hidden event.
  for (let number = 2; number < 12; number += 1) await two.store.append("a", event(number, "x".repeat(900_000)));
  await two.store.truncate("a", { before: 2 });
  one.thaw();
  const { state } = await ready(live, ({ revision }) => revision === 11);
  assert.deepEqual(state, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  for (const { value } of states) assert.equal(value.state.includes(0) && value.state.includes(2), false, `${value.state}`);
  stop();
  await tabs.close();
});

test("a listener that another one stops hears nothing any more", () =>
  withStore(async (store) => {
    const live = store.live(Count, "a");
    const heard = [];
    const stops = [];
    stops.push(live.subscribe(() => stops[1]()));
    stops.push(live.subscribe(() => heard.push("stopped")));
    stops.push(live.subscribe(() => heard.push("last")));
    await ready(live);
    assert.deepEqual(heard, ["last"]);
    for (const stop of stops) stop();
  }));

test("listeners hear of the same change, each until it stops, whatever another throws", async () => {
  const reported = [];
  const report = (error) => void reported.push(error.message);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", report);
  try {
    await withStore(async (store) => {
      const live = store.live(Count, "a");
      const heard = [];
      const listener = () => heard.push("twice");
      const stops = [
        live.subscribe(() => {
          throw new Error("thrown");
        }),
        live.subscribe(listener),
        live.subscribe(listener),
      ];
      await ready(live);
      stops[1]();
      stops[1]();
      await store.append("a", numbered(1));
      await ready(live, ({ revision }) => revision === 0);
      await until(() => reported.length === 2);
      assert.deepEqual([heard, reported], [["twice", "twice", "twice"], ["thrown", "thrown"]]);
      for (const stop of stops) stop();
    });
  } finally {
    process.off("uncaughtException", report);
    for (const other of others) process.on("uncaughtException", other);
  }
});

test("who comes back within the grace finds the value as it is, and later it begins anew", () =>
  withStore(async (store) => {
    const counts = counted(store);
    const live = store.live(Count, "a");
    live.subscribe(() => {})();
    const { stop } = listening(live);
    await ready(live);
    stop();
    await store.append("a", numbered(1));
    await ready(live, ({ revision }) => revision === 0);
    assert.equal(counts.subscribe, 1);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    const again = listening(live);
    assert.deepEqual(live.get(), { status: "loading" });
    assert.equal(store.live(Count, "a"), live);
    await ready(live);
    assert.equal(counts.subscribe, 2);
    again.stop();
  }));

test("a value that only get asks for is loaded, and let go", () =>
  withStore(async (store) => {
    const counts = counted(store);
    const { get } = store.live(Count, "a");
    get();
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    await store.append("a", numbered(1));
    assert.equal(counts.subscribe, 1);
    assert.equal(get().status, "loading");
  }));

test(`which events are a query's is judged as the core does (seed ${SEED})`, () =>
  withStore(async (store) => {
    const random = seeded(SEED);
    const some = (names) => names.filter(() => random() < 0.4);
    const streams = ["order-1", "order-2", "order", "orders-1", "-order", "cart-order-1"];
    for (let count = 0; count < 200; count += 1) {
      const stream = streams[Math.floor(random() * streams.length)];
      if (random() < 0.1) await store.truncate(stream, { before: 0 });
      else await store.append(stream, { type: random() < 0.5 ? "A" : "B", tags: some(["x", "y", "z"]) });
    }
    const everything = await store.readAll({ query: [{}, { types: ["$deleted", "$truncated"] }] }).toArray();
    for (let count = 0; count < 200; count += 1) {
      const items = Array.from({ length: 1 + Math.floor(random() * 2) }, () => {
        const lists = { types: some(["A", "B", "$truncated"]), tags: some(["x", "y", "z"]), streams: some(streams), categories: some(["order", "", "cart", "orders"]).filter(Boolean) };
        return Object.fromEntries(Object.entries(lists).filter(([, names]) => 0 < names.length && random() < 0.6));
      });
      const wanted = (await store.readAll({ query: items }).toArray()).map(({ position }) => position);
      assert.deepEqual(everything.filter((event) => matches(items, event)).map(({ position }) => position), wanted, JSON.stringify(items));
    }
  }));

for (const [what, act, path] of [
  ["no aggregate", (store) => store.live({}, "a"), "aggregate"],
  ["no stream", (store) => store.live(Count, ""), "stream"],
  ["no query", (store) => store.live(Count, {}), "source.query"],
  ["an unknown property", (store) => store.live(Count, { query: {}, limit: 1 }), "source.limit"],
  ["no listener", (store) => store.live(Count, "a").subscribe(1), "listener"],
]) {
  test(`${what} is refused, at ${path}`, () => withStore((store) => refused(() => act(store), "INVALID_ARGUMENT", { path })));
}

test("an account's live value comes to what a plain loop comes to", () =>
  withStore(
    async (store) => {
      const live = store.live(Account, "account-1");
      const stop = live.subscribe(() => {});
      const events = [opened(), deposited(10), withdrawn(3)];
      for (const event of events) await store.append("account-1", event);
      assert.deepEqual((await ready(live, ({ revision }) => revision === 2)).state, naive(events));
      stop();
    },
    { events: bank },
  ));
