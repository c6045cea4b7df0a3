import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { openTestTabs } from "../../dist/testing.js";
import { Account, deposited, opened, withdrawn } from "./bank.mjs";
import { refused, withStore } from "./check.mjs";

class Refused extends Error {}

/** Moves money from one account to another. `between` is done once the first was loaded, in each run. */
function transfer(store, from, to, amount, options, between = async () => {}) {
  return store.transact(async (tx) => {
    const { state } = await tx.load(Account, from);
    await between();
    const { exists } = await tx.load(Account, to);
    if (state.balance < amount || !exists) throw new Refused();
    tx.append(from, withdrawn(amount));
    tx.append(to, deposited(amount));
    return state.balance - amount;
  }, options);
}

/** A store with two accounts, of 100 and of 0. */
function withAccounts(body) {
  return withStore(async (store) => {
    await store.append("account-1", [opened("Ada"), deposited(100)]);
    await store.append("account-2", opened("Eve"));
    return body(store, async () => Promise.all(["account-1", "account-2"].map(async (stream) => (await store.load(Account, stream)).state.balance)));
  });
}

test("a transfer writes both accounts in one commit, and gives what its function gave", () =>
  withAccounts(async (store, balances) => {
    assert.deepEqual(await transfer(store, "account-1", "account-2", 30), { value: 70, lastPosition: 5, attempts: 1, duplicate: false });
    assert.deepEqual(await balances(), [70, 30]);
    const [, , , withdrawal, deposit] = await store.readAll().toArray();
    assert.deepEqual([withdrawal.stream, deposit.stream], ["account-1", "account-2"]);
  }));

test("what the function throws comes out as it is, and nothing is written", () =>
  withAccounts(async (store) => {
    await assert.rejects(transfer(store, "account-1", "account-2", 101), Refused);
    await assert.rejects(store.transact(() => { throw new Refused(); }), Refused);
    await assert.rejects(
      store.transact(async (tx) => {
        tx.append("account-1", deposited(1));
        await refused(() => store.append("account-1", deposited(1), { expected: 7 }), "WRONG_EXPECTED_REVISION");
        throw new Refused();
      }),
      Refused,
    );
    assert.equal(store.position, 3);
  }));

// Who is faster, once; and how often the function then runs.
const RIVALS = {
  "writes what is written": [(store) => store.append("account-1", withdrawn(1)), 2],
  "writes what is loaded and written": [(store) => store.append("account-2", deposited(1)), 2],
  "writes another stream": [(store) => store.append("account-3", deposited(1)), 1],
  "truncates a stream that is loaded": [(store) => store.truncate("account-1", { before: 1 }), 2],
  "truncates another stream": [async (store) => { await store.append("account-3", deposited(1)); await store.truncate("account-3", { before: 1 }); }, 1],
};
for (const [what, [act, attempts]] of Object.entries(RIVALS)) {
  test(`a transfer runs ${attempts} times where another ${what}`, () =>
    withAccounts(async (store) => {
      let rivals = 0;
      const result = await transfer(store, "account-1", "account-2", 30, {}, async () => {
        rivals += 1;
        if (rivals === 1) await act(store);
      });
      assert.equal(result.attempts, attempts);
    }));
}

test("a conflict on a stream that was loaded and is not written runs the function again", () =>
  withAccounts(async (store) => {
    const seen = [];
    const { attempts } = await store.transact(async (tx) => {
      const { state } = await tx.load(Account, "account-2");
      seen.push(state.balance);
      if (seen.length === 1) await store.append("account-2", deposited(5));
      tx.append("account-1", deposited(state.balance));
    });
    assert.deepEqual([attempts, seen], [2, [0, 5]]);
    assert.equal((await store.load(Account, "account-1")).state.balance, 105);
  }));

test("all loads see one state of the log, whatever is written between them", () =>
  withAccounts(async (store) => {
    const sums = [];
    await transfer(store, "account-1", "account-2", 1);
    const { attempts } = await store.transact(async (tx) => {
      const [one] = await Promise.all([tx.load(Account, "account-1")]);
      if (sums.length === 0) await transfer(store, "account-1", "account-2", 10);
      const [other, again] = await Promise.all([tx.load(Account, "account-2"), tx.load(Account, "account-1")]);
      assert.equal(again, one);
      assert.equal(one.position, other.position);
      sums.push(one.state.balance + other.state.balance);
      tx.append("report-1", deposited(sums.length));
    });
    assert.deepEqual([attempts, sums], [2, [100, 100]]);
  }));

test("loads that begin at the same time see one state of the log", () =>
  withAccounts(async (store) => {
    const loads = await store.transact((tx) => Promise.all(["account-1", "account-2", "account-3"].map((stream) => tx.load(Account, stream))));
    assert.deepEqual(loads.value.map(({ position, exists }) => [position, exists]), [[3, true], [3, true], [3, false]]);
  }));

for (const [retries, runsExpected] of [[undefined, 4], [0, 1], [2, 3]]) {
  test(`with ${retries} retries a transaction that is always overtaken runs ${runsExpected} times`, () =>
    withAccounts(async (store) => {
      let runs = 0;
      const act = () =>
        transfer(store, "account-1", "account-2", 1, { retries }, async () => {
          runs += 1;
          await store.append("account-2", deposited(1));
        });
      await refused(act, "WRONG_EXPECTED_REVISION");
      assert.equal(runs, runsExpected);
    }));
}

const HIDINGS = {
  deleted: [(store) => store.delete("account-1"), [100, 7]],
  truncated: [(store) => store.truncate("account-1", { before: 1 }), [100, 107]],
};
for (const [what, [hide, expected]] of Object.entries(HIDINGS)) {
  test(`a stream that was ${what} meanwhile is loaded from the start, and a query, too`, () =>
    withAccounts(async (store) => {
      const seen = { stream: [], query: [] };
      await store.transact(async (tx) => {
        seen.stream.push((await tx.load(Account, "account-1")).state.balance);
        seen.query.push((await tx.load(Account, { query: { types: ["MoneyDeposited"] } })).state.balance);
        if (seen.stream.length === 1) {
          await hide(store);
          await store.append("account-1", deposited(7));
        }
        tx.append("account-2", deposited(1));
      });
      assert.deepEqual(seen, { stream: expected, query: expected });
    }));
}

// A query alone, what is hidden of what it has found, and how often the function then runs.
const QUERIES = [
  ["of a type", { types: ["MoneyDeposited"] }, "account-1", 2],
  ["of a stream", { streams: ["account-1"] }, "account-1", 2],
  ["of another stream", { streams: ["account-2"] }, "account-1", 1],
  ["of a category", { categories: ["account"], types: ["MoneyDeposited"] }, "account-1", 2],
  ["of another category", { categories: ["limit"] }, "account-1", 1],
  ["of a stream or a category", [{ streams: ["account-2"] }, { categories: ["account"], tags: ["none"] }], "account-1", 2],
];
for (const [what, query, stream, attempts] of QUERIES) {
  for (const hide of ["delete", "tombstone", "truncate"]) {
    test(`a decision on a query ${what} runs ${attempts} times where a ${hide} comes between`, () =>
      withAccounts(async (store) => {
        const seen = [];
        const result = await store.transact(async (tx) => {
          seen.push((await tx.load(Account, { query })).state.balance);
          if (seen.length === 1) await store[hide](stream, ...(hide === "truncate" ? [{ before: 2 }] : []));
          tx.append("report-1", deposited(seen.at(-1)));
        });
        assert.equal(result.attempts, attempts);
        assert.equal(seen.at(-1), (await store.load(Account, { query }, { position: result.lastPosition - 1 })).state.balance);
      }));
  }
}

test("a load that failed is a condition that cannot hold, even where its failure is swallowed", () =>
  withAccounts(async (store) => {
    const cause = new Error("unlucky");
    const Unlucky = defineAggregate({ name: "unlucky", initial: () => 0, evolve: () => { throw cause; } });
    for (const source of ["account-1", { query: { types: ["MoneyDeposited"] } }]) {
      const act = () =>
        store.transact(async (tx) => {
          await tx.load(Account, "account-2");
          await tx.load(Unlucky, source).catch(() => {});
          tx.append("account-2", deposited(1));
        });
      await refused(act, "REDUCER_FAILED", { aggregate: "unlucky", cause });
    }
    assert.equal(store.position, 3);
  }));

test("a transaction that appends nothing writes nothing, and says what it has seen", () =>
  withAccounts(async (store) => {
    const looking = await store.transact(async (tx) => {
      const { state } = await tx.load(Account, "account-1");
      tx.append("account-1", []);
      await store.append("account-1", deposited(1));
      return state.balance;
    });
    assert.deepEqual(looking, { value: 100, lastPosition: 3, attempts: 1, duplicate: false });
    assert.deepEqual(await store.transact(() => {}), { value: undefined, lastPosition: 4, attempts: 1, duplicate: false });
  }));

test("several appends to one stream are made in their order", () =>
  withAccounts(async (store) => {
    await store.transact(async (tx) => {
      await tx.load(Account, "account-1");
      tx.append("account-1", deposited(1));
      tx.append("account-2", deposited(2));
      tx.append("account-1", [deposited(3), deposited(4)]);
    });
    const events = await store.readAll({ after: 3 }).toArray();
    assert.deepEqual(events.map(({ stream, revision, data }) => [stream, revision, data.amount]), [["account-1", 2, 1], ["account-2", 1, 2], ["account-1", 3, 3], ["account-1", 4, 4]]);
  }));

test("a new event that cannot be folded into a stream that was loaded is not written", () =>
  withAccounts(async (store) => {
    const Picky = defineAggregate({ name: "picky", initial: () => 0, evolve: (sum, { data, revision }) => { if (data?.amount === 13) throw new Error("unlucky"); return revision; } });
    const act = () =>
      store.transact(async (tx) => {
        await tx.load(Picky, "account-1");
        tx.append("account-1", deposited(1));
        tx.append("account-2", deposited(13));
        tx.append("account-1", deposited(13));
      });
    await refused(act, "REDUCER_FAILED", { aggregate: "picky", stream: "account-1", revision: 3, type: "MoneyDeposited" });
    assert.equal(store.position, 3);
  }));

test("a transaction that is used after its end is refused", () =>
  withAccounts(async (store) => {
    let kept;
    let late;
    await store.transact(async (tx) => {
      kept = tx;
      late = tx.load(Account, "account-1");
      late.catch(() => {});
    });
    const fields = { path: "transaction" };
    await refused(() => late, "INVALID_ARGUMENT", fields);
    await refused(() => kept.load(Account, "account-1"), "INVALID_ARGUMENT", fields);
    await refused(async () => kept.append("account-1", deposited(1)), "INVALID_ARGUMENT", fields);
    assert.equal(store.position, 3);
  }));

test("metadata, cause and durability are those of the commit", () =>
  withAccounts(async (store) => {
    const [cause] = await store.read("account-1").toArray();
    await transfer(store, "account-1", "account-2", 1, { causedBy: cause, metadata: { user: "ada" }, commandId: "c", durability: "strict" });
    for (const { metadata } of await store.readAll({ after: 3 }).toArray()) {
      assert.deepEqual(metadata, { user: "ada", correlationId: cause.id, causationId: cause.id, commandId: "c" });
    }
  }));

test("a transfer with a commandId is made once, however often it is sent", () =>
  withAccounts(async (store, balances) => {
    const commandId = crypto.randomUUID();
    assert.deepEqual(await transfer(store, "account-1", "account-2", 90, { commandId }), { value: 10, lastPosition: 5, attempts: 1, duplicate: false });
    await store.append("account-2", deposited(1));
    const other = await EventStore.open(store.name, { storage: "memory" });
    // By now it would be refused, and what refuses it is not asked.
    assert.deepEqual(await transfer(other, "account-1", "account-2", 90, { commandId }), { value: undefined, lastPosition: 5, attempts: 1, duplicate: true });
    assert.deepEqual(await balances(), [10, 91]);
    await other.close();
  }));

test("one that swallows the end of its transaction is told all the same that it was executed before", () =>
  withAccounts(async (store) => {
    const send = () =>
      store.transact(async (tx) => {
        await tx.load(Account, "account-1").catch(() => {});
        tx.append("account-1", deposited(1));
        return "again";
      }, { commandId: "c" });
    assert.equal((await send()).value, "again");
    assert.deepEqual(await send(), { value: undefined, lastPosition: 4, attempts: 1, duplicate: true });
    assert.equal(store.position, 4);
  }));

test("a command that loads nothing is known by what it appends, even where that is different now", () =>
  withAccounts(async (store) => {
    for (const amounts of [[1, 1], [1, 1], [2, 3], [4]]) {
      const result = await store.transact((tx) => tx.append("account-1", amounts.map(deposited)), { commandId: "c" });
      assert.equal(result.lastPosition, 5);
    }
    assert.equal(store.position, 5);
  }));

test("one that decides less than the first time is told of all that was recorded then", async () => {
  const [one, other] = await openTestTabs(2);
  const send = (tab, streams, between = async () => {}) =>
    tab.store.transact(async (tx) => {
      await tx.load(Account, "account-1");
      await between();
      for (const stream of streams) tx.append(stream, [deposited(1), deposited(1)].slice(0, streams.length));
    }, { commandId: "c" });
  let first;
  // By the time of its append, another tab has made the same.
  const again = await send(one, ["account-1"], async () => { first ??= await send(other, ["account-1", "account-2"]); });
  assert.deepEqual(first, { value: undefined, lastPosition: 4, attempts: 1, duplicate: false });
  assert.deepEqual(again, { value: undefined, lastPosition: 4, attempts: 1, duplicate: true });
  await other.store.append("account-3", deposited(1));
  assert.deepEqual(await send(one, ["account-1"]), again);
  for (const tab of [one, other]) await tab.store.close();
});

test("events with ids of their own are told to be there, without a command", () =>
  withAccounts(async (store) => {
    const event = { ...deposited(1), id: crypto.randomUUID() };
    const send = () => store.transact((tx) => tx.append("account-1", event));
    assert.deepEqual([(await send()).duplicate, await send()], [false, { value: undefined, lastPosition: 4, attempts: 1, duplicate: true }]);
  }));

test("what follows under the same commandId is no part of what was executed", () =>
  withAccounts(async (store) => {
    const send = (...streams) => store.transact((tx) => streams.forEach((stream) => tx.append(stream, deposited(1))), { commandId: "c" });
    const first = await send("account-1", "account-2");
    await store.delete("account-1");
    assert.deepEqual([first.lastPosition, (await send("account-1")).lastPosition], [5, 7]);
    assert.deepEqual(await send("account-2"), { value: undefined, lastPosition: 5, attempts: 1, duplicate: true });
  }));

test("five transfers under one commandId at the same time are one", () =>
  withAccounts(async (store, balances) => {
    const results = await Promise.all(Array.from({ length: 5 }, () => transfer(store, "account-1", "account-2", 10, { commandId: "c", retries: 20 })));
    assert.deepEqual(results.map(({ duplicate }) => duplicate).sort(), [false, true, true, true, true]);
    assert.deepEqual(await balances(), [90, 10]);
  }));

test("transfers at the same time, to and fro, neither make money nor lose it", () =>
  withAccounts(async (store, balances) => {
    const there = Array.from({ length: 20 }, (_, index) => transfer(store, "account-1", "account-2", index, { retries: 1_000 }));
    const back = Array.from({ length: 20 }, () => transfer(store, "account-2", "account-1", 3, { retries: 1_000 }));
    await Promise.allSettled([...there, ...back]);
    const [one, other] = await balances();
    assert.equal(one + other, 100);
    assert.ok(0 <= one && 0 <= other);
  }));

// The example of dcb.events: a course has a capacity, a student takes at most three courses, and neither is a stream of the other.
const Course = defineAggregate({
  name: "course",
  initial: () => ({ capacity: 0, subscribed: 0 }),
  evolve: {
    CourseDefined: (state, { data }) => ({ ...state, capacity: data.capacity }),
    StudentSubscribed: (state) => ({ ...state, subscribed: state.subscribed + 1 }),
  },
});
const Student = defineAggregate({ name: "student", initial: () => 0, evolve: { StudentSubscribed: (count) => count + 1 } });

function subscribe(store, student, course, options) {
  return store.transact(async (tx) => {
    const [seats, courses] = await Promise.all([
      tx.load(Course, { query: { tags: [`course:${course}`] } }),
      tx.load(Student, { query: { types: ["StudentSubscribed"], tags: [`student:${student}`] } }),
    ]);
    if (seats.state.capacity <= seats.state.subscribed) throw new Refused("full");
    if (3 <= courses.state) throw new Refused("too many");
    tx.append(`subscription-${student}-${course}`, { type: "StudentSubscribed", tags: [`course:${course}`, `student:${student}`] });
  }, options);
}

test("of many who subscribe at the same time no course takes more than it has seats, and no student more than three", () =>
  withStore(async (store) => {
    const courses = ["a", "b", "c", "d"];
    for (const course of courses) await store.append(`course-${course}`, { type: "CourseDefined", data: { capacity: 4 }, tags: [`course:${course}`] });
    const wishes = courses.flatMap((course) => Array.from({ length: 6 }, (_, student) => [student, course]));
    const outcomes = await Promise.allSettled(wishes.map(([student, course]) => subscribe(store, student, course, { retries: 1_000 })));
    const taken = (tag) => store.count({ types: ["StudentSubscribed"], tags: [tag] });
    for (const course of courses) assert.ok((await taken(`course:${course}`)) <= 4);
    for (let student = 0; student < 6; student += 1) assert.ok((await taken(`student:${student}`)) <= 3);
    // Who comes first is chance, and with it how many seats are left: but nobody was refused without a reason.
    for (const [index, { status, reason }] of outcomes.entries()) {
      if (status === "fulfilled") continue;
      assert.ok(reason instanceof Refused, String(reason));
      const [student, course] = wishes[index];
      if (reason.message === "full") assert.equal(await taken(`course:${course}`), 4);
      else assert.equal(await taken(`student:${student}`), 3);
    }
  }));

test("a subscription to one course is no conflict with one to another", () =>
  withStore(async (store) => {
    for (const course of ["a", "b"]) await store.append(`course-${course}`, { type: "CourseDefined", data: { capacity: 1 }, tags: [`course:${course}`] });
    const outcomes = await Promise.all([subscribe(store, 1, "a", { retries: 0 }), subscribe(store, 2, "b", { retries: 0 })]);
    assert.deepEqual(outcomes.map(({ attempts }) => attempts), [1, 1]);
    await refused(() => Promise.all([0, 1].map((index) => store.transact(async (tx) => {
      await tx.load(Course, { query: { tags: ["course:a"] } });
      tx.append(`note-${index}`, { type: "Noted", tags: ["course:a"] });
    }, { retries: 0 }))), "APPEND_CONDITION_FAILED");
  }));

test("of a stream and of a query only what is new is folded when the function runs again", () =>
  withAccounts(async (store) => {
    await store.append("account-1", Array.from({ length: 1_000 }, () => deposited(1)));
    let folds = 0;
    const Counting = defineAggregate({ name: "counting", initial: () => 0, evolve: (count) => { folds += 1; return count + 1; } });
    const seen = [];
    await store.transact(async (tx) => {
      seen.push((await tx.load(Counting, "account-1")).state, (await tx.load(Counting, { query: { types: ["MoneyDeposited"] } })).state);
      if (seen.length === 2) await store.append("account-1", deposited(1));
      tx.append("account-2", deposited(1));
    });
    assert.deepEqual([seen, folds], [[1_002, 1_001, 1_003, 1_002], 1_002 + 1_001 + 1 + 1]);
  }));

// The version of a type in the store that is open, where it has events, and in the aggregate that is loaded.
const VERSIONS = [[2, 2, true], [undefined, 1, true], [1, 2, false], [3, 2, false], [undefined, 2, false]];
for (const [ofStore, ofAggregate, isWritten] of VERSIONS) {
  test(`an event that is of version ${ofStore} for the store and ${ofAggregate} for what is loaded is ${isWritten ? "written" : "refused"}`, () => {
    const upcast = Object.fromEntries([1, 2].map((version) => [version, (data) => data]));
    const events = (version) => version && defineEvents({ Noted: eventType({ version, upcast: Object.fromEntries(Object.entries(upcast).slice(0, version - 1)) }) });
    const Notes = defineAggregate({ name: "notes", events: events(ofAggregate), initial: () => 0, evolve: (count) => count + 1 });
    const act = (store) =>
      store.transact(async (tx) => {
        tx.append("notes-2", { type: "Noted" });
        await tx.load(Notes, "notes-1");
      });
    return withStore(async (store) => {
      if (isWritten) await act(store);
      else {
        const error = await refused(() => act(store), "INVALID_ARGUMENT", { path: "events[0].type" });
        for (const part of ["Noted", `version ${ofStore ?? 1}`, `version ${ofAggregate}`]) assert.ok(error.message.includes(part), error.message);
      }
      assert.equal(store.position, isWritten ? 1 : 0);
    }, { events: events(ofStore) });
  });
}

// Arguments, and the path of what is wrong with them.
const BAD = [
  [(store) => store.transact(undefined), "run"],
  [(store) => store.transact(() => {}, { expected: 1 }), "options.expected"],
  [(store) => store.transact(() => {}, { retries: 1.5 }), "options.retries"],
  [(store) => store.transact((tx) => tx.load({}, "account-1")), "aggregate"],
  [(store) => store.transact((tx) => tx.load(Account, "")), "stream"],
  [(store) => store.transact((tx) => tx.append("", deposited(1))), "stream"],
  [(store) => store.transact((tx) => tx.append("account-1", [{ type: "A", data: { amount: NaN } }])), "events[0].data.amount"],
];
for (const [act, path] of BAD) {
  test(`a transaction that is wrong in ${path} is refused`, () => withStore((store) => refused(() => act(store), "INVALID_ARGUMENT", { path })));
}

test("a transaction with a commandId is executed once where its streams follow from the command, and again where they follow from what it loaded", () =>
  withStore(async (store) => {
    const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1 });
    const invoice = (streamOf, commandId) =>
      store.transact(async (tx) => {
        const { state } = await tx.load(Count, { query: { types: ["Invoiced"] } });
        tx.append(streamOf(state), { type: "Invoiced", data: { number: state + 1 } });
      }, { commandId });
    for (const [commandId, streamOf, isKnown] of [["one", () => "invoice-of-one", true], ["two", (count) => `invoice-${count + 1}`, false]]) {
      assert.equal((await invoice(streamOf, commandId)).duplicate, false);
      assert.equal((await invoice(streamOf, commandId)).duplicate, isKnown, commandId);
    }
    assert.deepEqual((await store.readAll({}).toArray()).map(({ stream }) => stream), ["invoice-of-one", "invoice-2", "invoice-3"]);
  }));
