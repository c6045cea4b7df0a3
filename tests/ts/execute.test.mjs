import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { EventStore, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { CommandIds } from "../../dist/command.js";
import { Decision } from "../../dist/execute.js";
import { openTestTabs } from "../../dist/testing.js";
import { Account, bank, deposited, naive, opened, withdrawn } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";

const ID = "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e";
const deposit = (amount) => ({ type: "Deposit", amount });
const withdraw = (amount) => ({ type: "Withdraw", amount });

/** The account, with a decision that is told of each run before it decides. */
function observed(onDecide) {
  return defineAggregate({
    ...definitionOf(Account),
    decide: (command, state, context) => {
      onDecide(command, state, context);
      return Account.decide(command, state, context);
    },
  });
}

function definitionOf({ name, version, category, events, initial, evolve, decide, snapshotEvery }) {
  return { name, version, category, events, initial, evolve, decide, snapshotEvery };
}

/**
 * An account of which another handle is faster: before so many of its decisions, `act` is done and waited for. The
 * decision itself cannot wait, so it is done between the load and the append, by a command that is executed meanwhile.
 */
function overtaken(times, act) {
  let runs = 0;
  const pending = [];
  const aggregate = observed(() => {
    runs += 1;
    if (runs <= times) pending.push(act(runs));
  });
  return { aggregate, pending, runs: () => runs };
}

test("a command gives what it appended, the state after it, and the events as they stand in the log", () =>
  withStore(async (store) => {
    const first = await store.execute(Account, "account-1", { type: "Split", amount: 5 });
    const events = await store.read("account-1").toArray();
    const where = { stream: "account-1", firstRevision: 0, lastRevision: 1, firstPosition: 1, lastPosition: 2 };
    assert.deepEqual(first, { ...where, durability: "memory", duplicate: false, state: naive(events), events, attempts: 1 });
    const second = await store.execute(Account, "account-1", withdraw(3));
    assert.deepEqual([second.firstRevision, second.state.balance, second.events[0].data], [2, 7, { amount: 3 }]);
    assert.deepEqual(second.state, (await store.load(Account, "account-1")).state);
  }));

test("a decision may be no event, one, or several", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(3));
    const nothing = await store.execute(Account, "account-1", { type: "Ignore" });
    const where = { stream: "account-1", firstRevision: undefined, lastRevision: 0, firstPosition: undefined, lastPosition: 1 };
    assert.deepEqual(nothing, { ...where, durability: "memory", duplicate: false, state: naive([deposited(3)]), events: [], attempts: 1 });
    assert.equal((await store.execute(Account, "account-1", deposit(1))).events.length, 1);
    assert.equal((await store.execute(Account, "account-1", { type: "Split", amount: 1 })).events.length, 2);
    assert.equal(store.position, 4);
  }));

test("a decision is told the time, the revision, and new ids", () =>
  withStore(async (store) => {
    const seen = [];
    const aggregate = observed((_command, _state, { now, revision, newId }) => seen.push({ now, revision, ids: [newId(), newId()] }));
    await store.execute(aggregate, "account-1", deposit(1));
    await store.execute(aggregate, "account-1", deposit(1));
    assert.deepEqual(seen.map(({ revision }) => revision), [undefined, 0]);
    assert.ok(Math.abs(seen[0].now - Date.now()) < 60_000);
    const ids = seen.flatMap(({ ids }) => ids);
    assert.equal(new Set(ids).size, 4);
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }));

test("what a decision throws comes out as it is, and nothing is written", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(3));
    await assert.rejects(store.execute(Account, "account-1", withdraw(4)), new Error("insufficient funds"));
    assert.equal(store.position, 1);
  }));

test("a decision that has to be waited for is refused", () =>
  withStore(async (store) => {
    const Waiting = defineAggregate({ ...definitionOf(Account), decide: async () => { throw new Error("late"); } });
    await refused(() => store.execute(Waiting, "account-1", {}), "INVALID_ARGUMENT", { path: "aggregate.decide" });
    assert.equal(store.position, 0);
  }));

test("a new event that cannot be folded is not written", () =>
  withStore(async (store) => {
    const Picky = defineAggregate({
      ...definitionOf(Account),
      evolve: { MoneyDeposited: (state, { data, revision }) => { if (data.amount === 13) throw new Error(`at ${revision}`); return state; } },
    });
    await store.execute(Picky, "account-1", deposit(1));
    const fields = { aggregate: "account", stream: "account-1", revision: 1, type: "MoneyDeposited" };
    const error = await refused(() => store.execute(Picky, "account-1", deposit(13)), "REDUCER_FAILED", fields);
    assert.equal(error.cause.message, "at 1");
    assert.equal(store.position, 1);
  }));

test("new events are folded as they will be read: of what JSON keeps, in their place", () =>
  withStore(async (store) => {
    const seen = [];
    const events = defineEvents({ Noted: eventType({ tags: ({ at }) => [`at:${at}`] }) });
    const Notes = defineAggregate({
      name: "notes",
      events,
      initial: () => 0,
      evolve: (count, event) => { seen.push(event); return count + 1; },
      decide: () => ({ type: "Noted", data: { at: new Date(0), dropped: undefined }, metadata: { user: "ada" }, tags: ["own"], time: 5, id: ID.toUpperCase() }),
    });
    await store.append("notes-0", { type: "Other" });
    await store.execute(Notes, "notes-1", {});
    const [recorded] = await store.read("notes-1").toArray();
    assert.deepEqual(recorded.data, { at: "1970-01-01T00:00:00.000Z" });
    assert.deepEqual(recorded.tags, ["own", "at:1970-01-01T00:00:00.000Z"]);
    // Once before the write and once after it, as it was written.
    assert.deepEqual(seen, [recorded, recorded]);
  }));

test("where another is faster, what is new is loaded and the command decided again", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(10));
    const { aggregate, pending, runs } = overtaken(2, (run) => store.append("account-1", withdrawn(run)));
    const result = await store.execute(aggregate, "account-1", withdraw(7));
    await Promise.all(pending);
    assert.deepEqual([result.attempts, runs(), result.state.balance, result.firstRevision], [3, 3, 0, 3]);
  }));

test("a command that is refused, or leads to nothing, is decided twice: on what is known, and on what is asked", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(10));
    let runs = 0;
    const aggregate = observed(() => { runs += 1; });
    await assert.rejects(store.execute(aggregate, "account-1", withdraw(11)), new Error("insufficient funds"));
    assert.equal(runs, 2);
    assert.equal((await store.execute(aggregate, "account-1", { type: "Ignore" })).attempts, 1);
    assert.equal(runs, 4);
    await store.execute(aggregate, "account-1", deposit(1));
    assert.equal(runs, 5);
    // Where there is no second try it is asked at once.
    await assert.rejects(store.execute(aggregate, "account-1", withdraw(12), { retries: 0 }), new Error("insufficient funds"));
    assert.equal(runs, 6);
  }));

test("a rule is judged on the newest state: a command that was overtaken may be refused by it", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(10));
    const { aggregate } = overtaken(1, () => store.append("account-1", withdrawn(9)));
    await assert.rejects(store.execute(aggregate, "account-1", withdraw(7)), new Error("insufficient funds"));
    assert.equal((await store.load(Account, "account-1")).state.balance, 1);
  }));

for (const [retries, runsExpected] of [[undefined, 4], [0, 1], [1, 2], [5, 6]]) {
  test(`with ${retries} retries a command that is always overtaken is decided ${runsExpected} times`, () =>
    withStore(async (store) => {
      const { aggregate, runs } = overtaken(Infinity, () => store.append("account-1", deposited(1)));
      await refused(() => store.execute(aggregate, "account-1", deposit(1), { retries }), "WRONG_EXPECTED_REVISION");
      assert.equal(runs(), runsExpected);
      assert.equal(store.position, runsExpected);
    }));
}

test("pauses between tries grow, each of chance length, up to a bound", async () => {
  const [longest, session] = [[], { host: { random: () => 1, pause: async (duration_ms) => void longest.push(duration_ms) } }];
  const decision = new Decision({});
  for (const attempts of [1, 2, 3, 10, 5_000]) await decision.pause(session, attempts);
  await decision.pause({ host: { ...session.host, random: () => 0.25 } }, 1);
  assert.deepEqual(longest, [8, 16, 32, 128, 128, 2]);
});

const HIDINGS = {
  deleted: [(store) => store.delete("account-1"), 0],
  "deleted, as its last revision does not tell,": [(store) => store.delete("account-1"), 0, () => {}],
  "deleted and written again": [(store) => Promise.all([store.delete("account-1"), store.append("account-1", deposited(3))]), 3],
  truncated: [(store) => Promise.all([store.truncate("account-1", { before: 1 }), store.append("account-1", deposited(3))]), 8],
};
for (const [what, [hide, balance, write = (store) => store.append("account-1", deposited(0))]] of Object.entries(HIDINGS)) {
  test(`a stream that was ${what} meanwhile is loaded from the start`, () =>
    withStore(async (store) => {
      await store.append("account-1", [deposited(10), deposited(5)]);
      const seen = [];
      const { aggregate, pending } = overtaken(1, () => Promise.all([hide(store), write(store)]));
      const watching = defineAggregate({ ...definitionOf(aggregate), decide: (...args) => { seen.push(args[1].balance); return aggregate.decide(...args); } });
      await store.execute(watching, "account-1", deposit(1));
      await Promise.all(pending);
      assert.deepEqual(seen, [15, balance]);
    }));
}

test("a command on a stream of which everything is truncated needs no second try", () =>
  withStore(async (store) => {
    await store.append("account-1", [deposited(10), deposited(5)]);
    await store.truncate("account-1", { before: 2 });
    const { attempts, firstRevision, state } = await store.execute(Account, "account-1", deposit(1), { retries: 1 });
    assert.deepEqual([attempts, firstRevision, state.balance], [1, 2, 1]);
  }));

// What the caller believes, of a stream with two events, of one that never was, and of one that was deleted after two.
const EXPECTATIONS = [
  ["any", true, true, true],
  ["noStream", false, true, true],
  ["streamExists", true, false, false],
  [0, false, false, false],
  [1, true, false, true],
  [2, false, false, false],
];
for (const [expected, ...holds] of EXPECTATIONS) {
  ["a stream with two events", "no stream", "a deleted stream"].forEach((what, index) => {
    test(`a command that expects ${expected} of ${what} is ${holds[index] ? "decided" : "refused before it is decided"}`, () =>
      withStore(async (store) => {
        if (index !== 1) await store.append("account-1", [opened(), deposited(1)]);
        if (index === 2) await store.delete("account-1");
        let runs = 0;
        const act = () => store.execute(observed(() => { runs += 1; }), "account-1", deposit(1), { expected });
        if (holds[index]) await act();
        else await refused(act, "WRONG_EXPECTED_REVISION", { violations: [{ stream: "account-1", expected, actual: [1, "noStream", "deleted"][index] }] });
        assert.equal(runs, holds[index] ? 1 : 0);
      }));
  });
}

test("what the caller expects is not tried again when another was faster", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(10));
    for (const expected of [0, "streamExists"]) {
      const { aggregate, runs } = overtaken(1, () => store.append("account-1", withdrawn(1)));
      await refused(() => store.execute(aggregate, "account-1", withdraw(7), { expected }), "WRONG_EXPECTED_REVISION");
      assert.equal(runs(), 1);
      await store.delete("account-1");
      await store.append("account-1", deposited(10));
    }
  }));

test("two handles that execute at the same time lose no update and break no rule", () =>
  withStore(async (one) => {
    const other = await EventStore.open(one.name, { storage: "memory" });
    await one.append("account-1", deposited(100));
    const run = async (store, amount) => {
      let done = 0;
      for (let round = 0; round < 100; round += 1) {
        try {
          await store.execute(Account, "account-1", withdraw(amount), { retries: 1_000 });
          done += amount;
        } catch (error) {
          assert.equal(error.message, "insufficient funds");
        }
      }
      return done;
    };
    const withdrawals = await Promise.all([run(one, 2), run(other, 3), run(one, 1)]);
    const { state } = await other.load(Account, "account-1");
    assert.equal(state.balance, 100 - withdrawals.reduce((sum, amount) => sum + amount));
    assert.equal(state.balance, 0);
    await other.close();
  }));

// Command ids, as they may be given: a UUID or any text.
for (const [commandId, repeated] of [[ID, ID.toUpperCase()], [ID.toUpperCase(), ID], ["Deposit 1 of Ada", "Deposit 1 of Ada"]]) {
  test(`the command ${commandId} is executed once, however often it is sent`, () =>
    withStore(async (store) => {
      const stored = commandId === "Deposit 1 of Ada" ? commandId : ID;
      await store.append("account-1", deposited(1));
      const command = { type: "Split", amount: 5 };
      const first = await store.execute(Account, "account-1", command, { commandId });
      assert.equal(first.duplicate, false);
      assert.deepEqual(first.events.map(({ metadata }) => metadata), [{ commandId: stored }, { commandId: stored }]);
      await store.append("account-2", deposited(1));
      await store.append("account-1", withdrawn(7));
      for (const handle of [store, await EventStore.open(store.name, { storage: "memory", events: bank })]) {
        let runs = 0;
        const again = await handle.execute(observed(() => { runs += 1; }), "account-1", command, { commandId: repeated });
        assert.deepEqual(again, { ...first, duplicate: true, attempts: 0 });
        assert.equal(runs, 0);
        if (handle !== store) await handle.close();
      }
      assert.equal((await store.load(Account, "account-1")).state.balance, 4);
      assert.equal((await store.execute(Account, "account-1", command, { commandId: "another" })).duplicate, false);
    }));
}

test("a command that was executed is found even where its rule would refuse it by now", () =>
  withStore(async (store) => {
    await store.append("account-1", deposited(5));
    await store.execute(Account, "account-1", withdraw(5), { commandId: "once" });
    assert.equal((await store.execute(Account, "account-1", withdraw(5), { commandId: "once" })).duplicate, true);
    await assert.rejects(store.execute(Account, "account-1", withdraw(5), { commandId: "twice" }), new Error("insufficient funds"));
  }));

test("one command that is sent twice at the same time is executed once, even where it is decided differently", () =>
  withStore(async (store) => {
    const Drawing = defineAggregate({ ...definitionOf(Account), decide: (_command, _state, { newId }) => ({ type: "AccountOpened", data: { owner: newId() } }) });
    const results = await Promise.all(Array.from({ length: 5 }, () => store.execute(Drawing, "account-1", {}, { commandId: "open" })));
    assert.equal(store.position, 1);
    assert.deepEqual(results.map(({ duplicate }) => duplicate).sort(), [false, true, true, true, true]);
    assert.equal(new Set(results.map(({ events }) => events[0].id)).size, 1);
    for (const { state } of results) assert.deepEqual(state, results[0].state);
  }));

test("a command that another tab executes between load and append, after others, gives the state after its events", () =>
  withStore(async (store) => {
    const id = new CommandIds("c").eventId("account-1", 0);
    const { aggregate, pending } = overtaken(1, () => store.append("account-1", [deposited(100), withdrawn(1)]).then());
    const same = observed(() => pending.push(store.append("account-1", { ...deposited(5), id })));
    const both = defineAggregate({ ...definitionOf(aggregate), decide: (...args) => { const decided = aggregate.decide(...args); same.decide(...args); return decided; } });
    const { duplicate, state, firstRevision, events } = await store.execute(both, "account-1", deposit(5), { commandId: "c" });
    await Promise.all(pending);
    assert.deepEqual([duplicate, state.balance, firstRevision, events[0].id], [true, 104, 2, id]);
  }));

test("a command that another tab executes between load and append, and decides to more, gives all that was recorded", async () => {
  const [one, other] = await openTestTabs(2);
  const isDecided = new Promise((resolve) => {
    const freezing = observed(() => { one.freeze(); resolve(); });
    one.executing = one.store.execute(freezing, "account-1", deposit(5), { commandId: "c" });
  });
  await isDecided;
  const first = await other.store.execute(Account, "account-1", { type: "Split", amount: 5 }, { commandId: "c" });
  assert.deepEqual([first.duplicate, first.events.length], [false, 2]);
  one.thaw();
  assert.deepEqual(await one.executing, { ...first, duplicate: true, attempts: 1 });
  for (const tab of [one, other]) await tab.store.close();
});

test("one command is another in another stream, and one without events is decided again", () =>
  withStore(async (store) => {
    const send = (stream, type) => store.execute(Account, stream, { type, amount: 1 }, { commandId: "c" });
    assert.equal((await send("account-1", "Ignore")).duplicate, false);
    assert.equal((await send("account-1", "Deposit")).duplicate, false);
    assert.equal((await send("account-2", "Deposit")).duplicate, false);
    assert.equal((await send("account-1", "Deposit")).duplicate, true);
  }));

test("events of a command have no ids of their own", () =>
  withStore(async (store) => {
    const Own = defineAggregate({ ...definitionOf(Account), decide: () => ({ ...deposited(1), id: ID }) });
    await refused(() => store.execute(Own, "account-1", {}, { commandId: "c" }), "INVALID_ARGUMENT", { path: "events[0].id" });
    assert.deepEqual((await store.execute(Own, "account-1", {})).events[0].id, ID);
  }));

test("the ids of a command are UUIDv5, as anybody can work them out", () => {
  const uuid5 = (namespace, name) => {
    const digest = createHash("sha1").update(Buffer.from(namespace.replaceAll("-", ""), "hex")).update(name).digest().subarray(0, 16);
    digest[6] = (digest[6] & 0x0f) | 0x50;
    digest[8] = (digest[8] & 0x3f) | 0x80;
    return digest.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  const own = "b49f0641-e034-44ab-b924-0e6d5a8bcaed";
  for (const length of [0, 1, 10, 30, 40, 50, 63, 64, 65, 200]) {
    const stream = `größe-${"x".repeat(length)}`;
    assert.equal(new CommandIds(ID).eventId(stream, 3), uuid5(ID, `${stream}\0${3}`));
    assert.equal(new CommandIds(ID.toUpperCase()).eventId(stream, 3), uuid5(ID, `${stream}\0${3}`));
    assert.equal(new CommandIds(stream).eventId("s", 0), uuid5(uuid5(own, stream), "s\u00000"));
  }
  // The example of RFC 9562, appendix A.4: the name "www.example.com" among domain names.
  assert.equal(uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
});

test("a cause and metadata go to every event, under what the event says itself", () =>
  withStore(async (store) => {
    const { events: [cause] } = await store.execute(Account, "account-1", deposit(1), { metadata: { user: "ada" } });
    assert.deepEqual(cause.metadata, { user: "ada" });
    const { events } = await store.execute(Account, "account-1", deposit(1), { causedBy: cause, metadata: { user: "eve" }, commandId: "c" });
    assert.deepEqual(events[0].metadata, { user: "eve", correlationId: cause.id, causationId: cause.id, commandId: "c" });
    const { events: [third] } = await store.execute(Account, "account-1", deposit(1), { causedBy: events[0], durability: "strict" });
    assert.deepEqual(third.metadata, { correlationId: cause.id, causationId: events[0].id });
  }));

test("a store that closes waits for the commands that were begun", async () => {
  const store = await EventStore.open(newName(), { storage: "memory" });
  const executing = store.execute(Account, "account-1", deposit(1));
  await store.close();
  assert.equal((await executing).state.balance, 1);
});

test("a signal ends a command between its tries", () =>
  withStore(async (store) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { aggregate, runs } = overtaken(Infinity, (run) => {
      if (run === 2) controller.abort(reason);
      return store.append("account-1", deposited(1));
    });
    await assert.rejects(store.execute(aggregate, "account-1", deposit(1), { retries: 50, signal: controller.signal }), reason);
    assert.equal(runs(), 2);
    await assert.rejects(store.execute(Account, "account-1", deposit(1), { signal: controller.signal }), reason);
  }));

test("of a stream that was written meanwhile only what is new is folded", () =>
  withStore(async (store) => {
    await store.append("account-1", Array.from({ length: 1_000 }, () => deposited(1)));
    let folds = 0;
    const { aggregate, pending } = overtaken(2, () => store.append("account-1", deposited(1)));
    const counting = defineAggregate({ ...definitionOf(aggregate), evolve: (state) => { folds += 1; return state; } });
    const { attempts } = await store.execute(counting, "account-1", { type: "Deposit", amount: 1 });
    await Promise.all(pending);
    // A thousand, one more after each of two conflicts, and the new event at each of three tries, and as it was written.
    assert.deepEqual([attempts, folds], [3, 1_000 + 2 + 3 + 1]);
  }));

// Arguments of a command, and the path of what is wrong with them.
const BAD = [
  [[{}, "account-1", {}], "aggregate"],
  [[defineAggregate({ name: "a", initial: () => 0, evolve: (state) => state }), "account-1", {}], "aggregate.decide"],
  [[Account, "", deposit(1)], "stream"],
  [[Account, "account-1", deposit(1), { retries: -1 }], "options.retries"],
  [[Account, "account-1", deposit(1), { expected: "exists" }], "options.expected"],
  [[Account, "account-1", deposit(1), { commandId: "" }], "options.commandId"],
  [[Account, "account-1", deposit(1), { causedBy: "a" }], "options.causedBy"],
  [[Account, "account-1", deposit(1), { metadata: { commandId: "a" } }], "options.metadata.commandId"],
  [[Account, "account-1", deposit(1), { condition: {} }], "options.condition"],
  [[Account, "account-1", { type: "Deposit", amount: NaN }], "events[0].data.amount"],
];
for (const [args, path] of BAD) {
  test(`a command that is wrong in ${path} is refused`, () =>
    withStore(async (store) => {
      await refused(() => store.execute(...args), "INVALID_ARGUMENT", { path });
      assert.equal(store.position, 0);
    }));
}
