// The tabs of the testing kit: what befalls them is what befalls tabs of a browser, and the store bears it as it does there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestStore, openTestTabs, testClock, testIds } from "../../dist/testing.js";
import { Account, bank, deposited, opened, withdrawn } from "./bank.mjs";
import { refused } from "./check.mjs";

const deposit = (amount) => ({ type: "Deposit", amount });
const withdraw = (amount) => ({ type: "Withdraw", amount });

async function withTabs(count, body, options = { events: bank }) {
  const tabs = await openTestTabs(count, options);
  try {
    return await body(...tabs);
  } finally {
    await tabs.close();
  }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
/** Whether a promise is still waiting, after everything that can happen has happened. */
async function waits(promise) {
  let isSettled = false;
  const settle = () => (isSettled = true);
  promise.then(settle, settle);
  await soon();
  return !isSettled;
}

test("tabs share a log, and each has a store of its own", () =>
  withTabs(3, async (one, two, three) => {
    await one.store.append("account-1", opened());
    assert.deepEqual([one.store.position, two.store.position], [1, 0]);
    assert.equal((await two.store.read("account-1").toArray()).length, 1);
    await two.store.append("account-1", deposited(3), { expected: 0 });
    assert.equal((await three.store.load(Account, "account-1")).state.balance, 3);
  }));

test("a tab hears of what another one appends", { timeout: 20_000 }, () =>
  withTabs(2, async (one, two) => {
    await one.store.append("account-1", opened());
    while (two.store.position < 1) await soon();
    two.freeze();
    await one.store.append("account-1", deposited(1));
    for (let round = 0; round < 30; round += 1) await soon();
    assert.equal(two.store.position, 1);
    two.thaw();
    while (two.store.position < 2) await soon();
  }));

test("of two tabs that believe the same, one is refused", () =>
  withTabs(2, async (one, two) => {
    const [first, second] = await Promise.allSettled([one, two].map(({ store }) => store.append("account-1", opened(), { expected: "noStream" })));
    assert.deepEqual([first.status, second.reason?.code], ["fulfilled", "WRONG_EXPECTED_REVISION"]);
    assert.deepEqual(second.reason.violations, [{ stream: "account-1", expected: "noStream", actual: 0 }]);
  }));

test("200 commands each of two tabs to one account lose no update and break no rule, also where each is sent twice", { timeout: 60_000 }, () =>
  withTabs(2, async (one, two) => {
    await one.store.append("account-1", deposited(100));
    let [tries, refusals] = [0, 0];
    const send = async (tab, number) => {
      const command = number % 2 === 0 ? withdraw(1 + (number % 7)) : deposit(1 + (number % 5));
      for (const again of [false, true]) {
        try {
          const { duplicate, attempts } = await tab.store.execute(Account, "account-1", command, { retries: 1_000, commandId: `${tab === one} ${number}` });
          assert.equal(duplicate, again);
          tries += attempts;
        } catch (error) {
          assert.match(error.message, /insufficient/);
          refusals += 1;
          break;
        }
      }
    };
    const all = async (tab) => { for (let number = 0; number < 200; number += 1) await send(tab, number); };
    await Promise.all([all(one), all(two)]);
    let balance = 0;
    const ids = new Set();
    for (const { id, type, data, metadata } of await two.store.read("account-1").toArray()) {
      balance += type === "MoneyDeposited" ? data.amount : -data.amount;
      assert.ok(0 <= balance, "overdrawn");
      ids.add(metadata.commandId ?? id);
    }
    assert.equal(ids.size, 401 - refusals);
    assert.equal((await one.store.load(Account, "account-1")).state.balance, balance);
    assert.ok(400 - refusals < tries, "the tabs never met");
  }));

test("a frozen tab wakes to a log that went on without it", () =>
  withTabs(2, async (one, two) => {
    await one.store.append("account-1", deposited(10));
    await two.store.load(Account, "account-1");
    two.freeze();
    const [appending, executing] = [two.store.append("account-1", deposited(1), { expected: 0 }), two.store.execute(Account, "account-1", withdraw(8))];
    executing.catch(() => {});
    appending.catch(() => {});
    await one.store.execute(Account, "account-1", withdraw(5));
    assert.ok((await waits(appending)) && (await waits(executing)), "a frozen tab went on");
    assert.equal((await one.store.read("account-1").toArray()).length, 2);
    two.thaw();
    await refused(() => appending, "WRONG_EXPECTED_REVISION", { violations: [{ stream: "account-1", expected: 0, actual: 1 }] });
    await assert.rejects(executing, /insufficient/);
  }));

test("of a tab that is killed nothing more is written, and its promises reject", () =>
  withTabs(2, async (one, two) => {
    await one.store.append("account-1", deposited(10));
    const waiting = [one.store.append("account-1", deposited(1)), one.store.load(Account, "account-1"), one.store.execute(Account, "account-2", deposit(1))];
    one.freeze();
    waiting.push(one.store.append("account-3", deposited(1)));
    one.kill();
    for (const promise of waiting) await refused(() => promise, "CLOSED");
    await refused(() => one.store.append("account-1", deposited(1)), "CLOSED");
    await refused(() => one.store.read("account-1").toArray(), "CLOSED");
    assert.equal(await two.store.count(), 1);
    await two.store.append("account-1", deposited(1), { expected: 0 });
  }));

test("a tab that is reloaded finds what is kept, and a command that was sent before is known again", () =>
  withTabs(1, async (tab) => {
    const before = tab.store;
    await tab.store.execute(Account, "account-1", deposit(5), { commandId: "once" });
    tab.fail("quota");
    await tab.reload();
    assert.notEqual(tab.store, before);
    await refused(() => before.append("account-1", deposited(1)), "CLOSED");
    const { duplicate, state } = await tab.store.execute(Account, "account-1", deposit(5), { commandId: "once" });
    assert.deepEqual([duplicate, state.balance], [true, 5]);
    await tab.store.append("account-1", deposited(1));
  }));

test("where there is no room nothing is written, reading goes on, and so does writing when there is room again", () =>
  withTabs(2, async (one, two) => {
    await one.store.append("account-1", deposited(10));
    one.fail("quota");
    await refused(() => one.store.append("account-1", deposited(1)), "QUOTA_EXCEEDED");
    await refused(() => one.store.execute(Account, "account-1", deposit(1)), "QUOTA_EXCEEDED");
    await refused(() => one.store.delete("account-1"), "QUOTA_EXCEEDED");
    assert.equal((await one.store.load(Account, "account-1")).state.balance, 10);
    await two.store.append("account-1", deposited(2));
    assert.equal((await one.store.load(Account, "account-1")).state.balance, 12);
    one.recover();
    assert.equal((await one.store.execute(Account, "account-1", deposit(1))).state.balance, 13);
    assert.equal(await two.store.count(), 3);
  }));

test("where the answer of an append is lost it is found by its ids, and is there once", () =>
  withTabs(2, async (one, two) => {
    for (const act of [
      (store) => store.append("account-1", deposited(10)),
      (store) => store.append("account-1", [deposited(1), withdrawn(1)], { expected: 0 }),
      (store) => store.execute(Account, "account-1", deposit(5)),
    ]) {
      one.fail("connectionLost");
      const result = await act(one.store);
      assert.equal(result.duplicate, false);
    }
    assert.deepEqual((await two.store.read("account-1").toArray()).map(({ revision, data }) => [revision, data.amount]), [[0, 10], [1, 1], [2, 1], [3, 5]]);
  }));

test("tabs share a clock, which facts go by too, and ids, and are the same in every run", async () => {
  const runs = [];
  for (const _ of [1, 2]) {
    const clock = testClock("2026-01-01T00:00:00Z");
    await withTabs(2, async (one, two) => {
      await one.store.append("account-1", opened());
      clock.advance(1_000);
      await two.store.transact((tx) => tx.append("account-1", deposited(2)));
      clock.advance(1_000);
      await one.store.delete("account-1");
      const log = await two.store.readAll({ query: [{}, { types: ["$deleted"] }] }).toArray();
      const start = Date.UTC(2026, 0, 1);
      assert.deepEqual(log.map(({ type, time }) => [type, time - start]), [["$deleted", 2_000]]);
      const all = await two.store.load(Account, "account-1", { position: 2 });
      assert.equal(all.state.balance, 2);
      runs.push(log);
    }, { events: bank, clock, ids: testIds() });
  }
  assert.deepEqual(runs[0], runs[1]);
});

test("in a store for a test a fact has the time of the test", async () => {
  const store = await openTestStore({ clock: testClock(5_000) });
  await store.append("s", { type: "A" });
  await store.tombstone("s");
  const [fact] = await store.readAll({ query: { types: ["$tombstoned"] } }).toArray();
  assert.equal(fact.time, 5_000);
  await store.close();
});

test("what is no number of tabs, and what is no fault, is refused", async () => {
  for (const count of [0, 1.5, 101, "2"]) await refused(() => openTestTabs(count), "INVALID_ARGUMENT", { path: "count" });
  await refused(() => openTestTabs(1, { tabs: 1 }), "INVALID_ARGUMENT", { path: "options.tabs" });
  await withTabs(1, (tab) => refused(async () => tab.fail("fire"), "INVALID_ARGUMENT", { path: "fault" }));
});
