// Commands, each awaited: what deciding costs beside appending.

import { accountAggregate } from "./account.js";
import { destroyStore, loadPackage, openStore } from "./everfold-store.js";
import { Prng } from "./prng.js";
import { eachAwaited, takeTurns } from "./rounds.js";

/** So many accounts have commands, in turn. */
const ACCOUNTS = 50;

/** Measures `count` commands, and as many appends of the same events, in each of `rounds`, in turns of `slice`, a part of `count`. */
export async function commands({ seed, rounds, count, slice }) {
  const { defineAggregate } = await loadPackage();
  const Account = accountAggregate(defineAggregate, { decide: (amount) => ({ type: "MoneyDeposited", data: { amount, currency: "EUR" } }) });
  const prng = new Prng(seed);
  const deposits = Array.from({ length: (rounds + 1) * count }, (_, index) => ({ stream: `account-${index % ACCOUNTS}`, amount: 1 + prng.below(1_000) }));
  const execute = (store, { stream, amount }) => store.execute(Account, stream, amount);
  const append = (store, { stream, amount }) => store.append(stream, { type: "MoneyDeposited", data: { amount, currency: "EUR" } });
  const stores = await Promise.all(["commands-executed", "commands-appended"].map(openStore));
  const contestants = [
    contestant("execute", stores[0], execute, Account, deposits, { count, slice }),
    contestant("append", stores[1], append, Account, deposits, { count, slice }),
  ];
  const results = await takeTurns(contestants, rounds, count / slice);
  for (const store of stores) {
    await store.close();
    await destroyStore(store.name);
  }
  return { count, accounts: ACCOUNTS, results };
}

function contestant(name, store, act, Account, deposits, { count, slice }) {
  const prepare = async (round) => {
    const run = (turn) => {
      const start = round * count + turn * slice;
      return eachAwaited(deposits.slice(start, start + slice), (deposit) => act(store, deposit));
    };
    const check = async () => assertBalances(name, await store.loadAll(Account), deposits.slice(0, (round + 1) * count));
    return { run, check };
  };
  return { name, prepare };
}

/** Fails unless each account has what was paid in. */
function assertBalances(name, accounts, deposits) {
  const balances = new Map();
  for (const { stream, amount } of deposits) balances.set(stream, (balances.get(stream) ?? 0) + amount);
  const isRight = accounts.size === balances.size && [...balances].every(([stream, balance]) => accounts.get(stream)?.state.balance === balance);
  if (!isRight) throw new Error(`${name}: the accounts do not have what was paid in`);
}
