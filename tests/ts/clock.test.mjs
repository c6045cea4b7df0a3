// A clock of the page that cannot be right: what is stored is a date all the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Account, deposited, opened } from "./bank.mjs";
import { withStore } from "./check.mjs";

const DATE_MS_MAX = 8.64e15;

for (const [now, expected] of [[Infinity, DATE_MS_MAX], [2 ** 60, DATE_MS_MAX], [DATE_MS_MAX + 1, DATE_MS_MAX], [DATE_MS_MAX, DATE_MS_MAX], [0, 0], [-1, 0], [-Infinity, 0], [NaN, 0]]) {
  test(`where the clock says ${now} events are of ${new Date(expected).toISOString()}`, (context) =>
    withStore(async (store) => {
      context.mock.method(Date, "now", () => now);
      await store.append("account-1", [opened("Ada"), deposited(5)]);
      const { events } = await store.execute(Account, "account-1", { type: "Deposit", amount: 1 });
      const { events: [later] } = await store.execute(Account, "account-1", { type: "Deposit", amount: 1 });
      assert.deepEqual([events[0].time, later.time], [expected, expected]);
      assert.equal((await store.load(Account, "account-1", { time: later.time })).state.balance, 7);
      await store.close();
    }));
}
