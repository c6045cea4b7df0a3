import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineAggregate } from "../../dist/index.js";
import { Turns } from "../../dist/turns.js";
import { Account, bank, deposited } from "./bank.mjs";
import { newName, refused, withStore } from "./check.mjs";

const deposit = (amount) => ({ type: "Deposit", amount });
const withdraw = (amount) => ({ type: "Withdraw", amount });
const { stream: _stream, ...definition } = Account;

/** The account, with something that is done before each decision. */
function before(act) {
  return defineAggregate({ ...definition, decide: (...args) => { act(...args); return Account.decide(...args); } });
}

/** Work that ends when it is told to. */
function work() {
  let end;
  const ended = new Promise((resolve) => { end = resolve; });
  return { end, act: () => ended };
}

const soon = () => new Promise((resolve) => setTimeout(resolve));

test("commands that are sent to one account at once are executed one after the other, in their order, at one attempt each", () =>
  withStore(async (one) => {
    const other = await EventStore.open(one.name, { storage: "memory", events: bank });
    const executing = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? one : other).execute(Account, "account-1", deposit(index)));
    const results = await Promise.all(executing);
    results.forEach(({ attempts, firstRevision, events, duplicate, state }, index) => {
      const sum = (index * (index + 1)) / 2;
      assert.deepEqual([attempts, firstRevision, events[0].data.amount, duplicate, state.balance], [1, index, index, false, sum]);
    });
    await other.close();
  }));

test("commands for different streams do not wait for one another", () =>
  withStore(async (store) => {
    const turns = new Turns();
    const [first, seen] = [work(), []];
    const all = [
      turns.take("account-1", undefined, first.act).then(() => seen.push("account-1")),
      turns.take("account-1", undefined, async () => {}).then(() => seen.push("account-1 again")),
      turns.take("account-2", undefined, async () => {}).then(() => seen.push("account-2")),
    ];
    await soon();
    assert.deepEqual(seen, ["account-2"]);
    first.end();
    await Promise.all(all);
    assert.deepEqual(seen, ["account-2", "account-1", "account-1 again"]);
    const executing = Array.from({ length: 100 }, (_, index) => store.execute(Account, `account-${index}`, deposit(1)));
    for (const { attempts } of await Promise.all(executing)) assert.equal(attempts, 1);
  }));

test("a command that fails lets the next have its turn", () =>
  withStore(async (store) => {
    const executing = [deposit(5), withdraw(9), deposit(NaN), null, withdraw(4)].map((command) => store.execute(Account, "account-1", command));
    const results = await Promise.allSettled(executing);
    assert.deepEqual(results.map(({ status }) => status === "fulfilled"), [true, false, false, false, true]);
    assert.equal(results[4].value.state.balance, 1);
    const Broken = before(() => { throw new Error("broken"); });
    const mixed = await Promise.allSettled([Broken, Account, Broken, Account].map((aggregate) => store.execute(aggregate, "account-1", deposit(1))));
    assert.deepEqual(mixed.map(({ status }) => status === "fulfilled"), [false, true, false, true]);
  }));

test("a command that is aborted while it waits rejects at once, and the others go on without it", async () => {
  const turns = new Turns();
  const [first, seen, reason] = [work(), [], new Error("enough")];
  const [waiting, late] = [new AbortController(), new AbortController()];
  const take = (what, signal, act = async () => {}) => turns.take("account-1", signal, async () => { seen.push(what); await act(); });
  const begun = take("first", undefined, first.act);
  const aborted = take("second", waiting.signal);
  const third = take("third", late.signal);
  waiting.abort(reason);
  await assert.rejects(aborted, reason);
  await assert.rejects(take("fourth", waiting.signal), reason);
  first.end();
  await Promise.all([begun, third]);
  late.abort();
  assert.deepEqual(seen, ["first", "third"]);
  // Nobody is kept waiting by those who left.
  await take("fifth", undefined);
  assert.deepEqual(seen, ["first", "third", "fifth"]);
});

test("of a stream on which nobody works any more nothing is kept", async () => {
  let streams;
  const { Map: Original } = globalThis;
  globalThis.Map = class extends Original { constructor() { super(); streams = this; } };
  const turns = new Turns();
  globalThis.Map = Original;
  const [first, controller] = [work(), new AbortController()];
  const taken = [turns.take("account-1", undefined, first.act), turns.take("account-1", controller.signal, first.act), turns.take("account-1", undefined, () => Promise.reject(new Error()))];
  assert.equal(streams.size, 1);
  controller.abort();
  first.end();
  await Promise.allSettled(taken);
  assert.equal(streams.size, 0);
});

test("a command that is aborted as its turn comes lets the next have it", () =>
  withStore(async (store) => {
    for (let moment = 0; moment < 40; moment += 1) {
      const [controller, reason] = [new AbortController(), new Error("enough")];
      const executing = [undefined, controller.signal, controller.signal, undefined].map((signal) => store.execute(Account, "account-1", deposit(1), { signal }));
      const settled = Promise.allSettled(executing);
      for (let wait = 0; wait < moment; wait += 1) await undefined;
      controller.abort(reason);
      const results = await settled;
      for (const { status, reason: found } of results) assert.ok(status === "fulfilled" || found === reason);
      assert.deepEqual([results[0].status, results[3].status], ["fulfilled", "fulfilled"]);
      const { length } = results.filter(({ status }) => status === "fulfilled");
      const { state } = await store.load(Account, "account-1");
      assert.equal(state.balance, length);
      await store.delete("account-1");
    }
  }));

test("a command may send others, to its own stream and elsewhere, and one that is sent when it is done gets its turn", () =>
  withStore(async (store) => {
    const sent = [];
    const Sending = before((_command, _state, { revision }) => {
      if (sent.length < 3) sent.push(store.append("account-2", deposited(1)), store.execute(Account, "account-1", deposit(10)), store.execute(Account, "account-3", deposit(revision ?? 0)));
    });
    const chain = store.execute(Sending, "account-1", deposit(1)).then(() => store.execute(Account, "account-1", deposit(100)));
    const [result] = await Promise.all([chain, ...sent]);
    assert.equal(result.state.balance, 111);
    const within = await store.transact(async (tx) => {
      await tx.load(Account, "account-4");
      await store.execute(Account, "account-3", deposit(1));
      tx.append("account-4", deposited(1));
    });
    assert.equal(within.attempts, 1);
  }));

test("a store that closes executes what waits for its turn, and refuses what comes later", async () => {
  const store = await EventStore.open(newName(), { storage: "memory" });
  const executing = Array.from({ length: 20 }, () => store.execute(Account, "account-1", deposit(1)));
  const closing = store.close();
  const late = refused(() => store.execute(Account, "account-1", deposit(1)), "CLOSED");
  assert.equal((await Promise.all(executing)).at(-1).state.balance, 20);
  await Promise.all([closing, late]);
});

test("a store that is destroyed ends what waits for its turn", async () => {
  const store = await EventStore.open(newName(), { storage: "memory" });
  const executing = Array.from({ length: 20 }, () => store.execute(Account, "account-1", deposit(1)));
  const settled = Promise.allSettled(executing);
  await EventStore.destroy(store.name);
  for (const { status, reason } of await settled) assert.ok(status === "fulfilled" || reason.code === "CLOSED", `${reason}`);
  await store.close();
});
