// What commands remember of the streams that they were sent to: it saves loads, and changes no answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineAggregate } from "../../dist/index.js";
import { Account, SEED, bank, deposited, naive, seeded } from "./bank.mjs";
import { withStore } from "./check.mjs";

const deposit = (amount) => ({ type: "Deposit", amount });
const { stream: _stream, ...definition } = Account;

/** An account that counts what it folds, of states with something more in them. */
function counting(more = {}) {
  const folded = { count: 0 };
  const evolve = (state, event) => {
    folded.count += 1;
    return { ...state, balance: state.balance + (event.data?.amount ?? 0), ...more };
  };
  return { folded, Counted: defineAggregate({ ...definition, initial: () => ({ balance: 0 }), evolve }) };
}

/** Expects how many events a command folds after `act`: its own count twice, before they are written and after. */
async function check(more, act, folds) {
  await withStore(async (store) => {
    const { folded, Counted } = counting(more);
    await store.append("account-1", Array.from({ length: 20 }, () => deposited(1)));
    await store.execute(Counted, "account-1", deposit(1));
    assert.equal(folded.count, 22);
    await act(store, Counted);
    folded.count = 0;
    const { state } = await store.execute(Counted, "account-1", deposit(1));
    assert.equal(folded.count, folds);
    assert.equal(state.balance, (await store.read("account-1").toArray()).reduce((sum, { data }) => sum + data.amount, 0));
  }, { events: bank });
}

const nothing = () => {};
test("a command to a stream that had one before folds its own events alone", () => check({}, nothing, 2));
test("what was appended to other streams changes nothing about that", () => check({}, (store) => store.append("account-2", deposited(1)), 2));
test("what was deleted elsewhere changes nothing about that", () => check({}, async (store) => { await store.append("b", deposited(1)); await store.delete("b"); }, 2));
test("what was appended to the stream is folded as well", () => check({}, (store) => store.append("account-1", deposited(5)), 24));
test("a transaction that wrote to the stream is folded as well", () => check({}, (store) => store.transact((tx) => tx.append("account-1", deposited(5))), 24));
test("a stream that was deleted begins anew", () => check({}, (store) => store.delete("account-1"), 2));
test("a stream that was truncated is loaded anew", () => check({}, (store) => store.truncate("account-1", { before: 15 }), 8));
test("another aggregate is loaded by itself", () => check({}, (store) => store.execute(counting().Counted, "account-1", deposit(1)), 24));
test("no state is remembered that is not plain", () => check({ seen: new Map() }, nothing, 23));
test("no state is remembered that is large", () => check({ text: "x".repeat(10_000) }, nothing, 23));
test("no more states are remembered than there is room for", () =>
  check({}, async (store, Counted) => { for (let index = 0; index < 256; index += 1) await store.execute(Counted, `other-${index}`, deposit(1)); }, 23));

test("a state that a command gave cannot be changed in place", () =>
  withStore(async (store) => {
    const { state } = await store.execute(Account, "account-1", deposit(1));
    assert.throws(() => { state.balance = 100; }, TypeError);
    await assert.rejects(store.execute(Account, "account-1", { type: "Withdraw", amount: 2 }), /insufficient/);
  }));

test(`whatever happens between commands, each comes to what is in the log (seed ${SEED})`, { timeout: 120_000 }, () =>
  withStore(async (one) => {
    const other = await EventStore.open(one.name, { storage: "memory", events: bank });
    const Often = defineAggregate({ ...definition, snapshotEvery: 5 });
    const random = seeded(SEED);
    const below = (count) => Math.floor(random() * count);
    for (let round = 0; round < 1_500; round += 1) {
      const [store, stream, kind] = [below(2) === 0 ? one : other, `account-${below(4)}`, below(40)];
      if (kind < 30) {
        const { state, lastRevision, events } = await store.execute(below(2) === 0 ? Account : Often, stream, deposit(below(9)));
        const stored = await one.read(stream).toArray();
        assert.deepEqual([state, lastRevision, events], [naive(stored), stored.at(-1).revision, stored.slice(-1)]);
      } else if (kind < 35) await store.append(stream, deposited(below(9)));
      else if (kind === 35) await store.transact((tx) => { tx.append(stream, deposited(1)); tx.append("account-0", deposited(2)); });
      else if (kind === 36) await store.delete(stream);
      else if (kind === 37) await store.truncate(stream, { before: below(round) });
      else if (kind === 38) await Promise.all([store.append(stream, deposited(1)), store.execute(Account, stream, deposit(1))]);
      else if (round % 8 === 0) await store.compact();
    }
    await other.close();
  }, { events: bank }));

test("what comes while a command is decided is met as it is with a state that was loaded", () =>
  withStore(async (store) => {
    const Rival = defineAggregate({ ...definition, decide: (amount, state, { revision }) => { if (revision === 1 && amount > 1) void store.append("account-1", deposited(100)); return deposited(amount); } });
    await store.execute(Rival, "account-1", 1);
    await store.execute(Rival, "account-1", 1);
    const { state, attempts } = await store.execute(Rival, "account-1", 2);
    assert.deepEqual([state.balance, attempts], [104, 2]);
  }, { events: bank }));
