// Accounts that are never overdrawn, transfers between them, and the rules tested without a store.
import { EventStore, defineAggregate, defineEvents, eventType } from "everfold";
import { given } from "everfold/testing";

class InsufficientFunds extends Error {}

const bank = defineEvents({
  AccountOpened: eventType<{ owner: string }>(),
  MoneyDeposited: eventType<{ amount: number }>(),
  MoneyWithdrawn: eventType<{ amount: number }>(),
  AccountClosed: eventType(),
});

type Command = { type: "Open"; owner: string } | { type: "Deposit"; amount: number } | { type: "Withdraw"; amount: number } | { type: "Close" };

const Account = defineAggregate({
  name: "account",
  category: "account",
  events: bank,
  initial: () => ({ status: "none" as "none" | "open" | "closed", balance: 0 }),
  evolve: {
    AccountOpened: (account) => ({ ...account, status: "open" }),
    MoneyDeposited: (account, { data }) => ({ ...account, balance: account.balance + data.amount }),
    MoneyWithdrawn: (account, { data }) => ({ ...account, balance: account.balance - data.amount }),
    AccountClosed: (account) => ({ ...account, status: "closed" }),
  },
  decide: (command: Command, { status, balance }) => {
    if (command.type === "Open") {
      if (status !== "none") throw new Error("the account was opened before");
      return { type: "AccountOpened", data: { owner: command.owner } };
    }
    if (status !== "open") throw new Error("the account is not open");
    switch (command.type) {
      case "Deposit":
        return { type: "MoneyDeposited", data: { amount: command.amount } };
      case "Withdraw":
        if (balance < command.amount) throw new InsufficientFunds();
        return { type: "MoneyWithdrawn", data: { amount: command.amount } };
      case "Close":
        // What is left is paid out.
        return [...(0 < balance ? [{ type: "MoneyWithdrawn" as const, data: { amount: balance } }] : []), { type: "AccountClosed" as const }];
    }
  },
});

// The rules, tested with what happened before, what is asked, and what comes of it.
const opened = { type: "AccountOpened", data: { owner: "Ada" } } as const;
given(Account, opened).when({ type: "Deposit", amount: 5 }).thenEvents({ type: "MoneyDeposited", data: { amount: 5 } });
given(Account, opened).when({ type: "Withdraw", amount: 5 }).thenThrows(InsufficientFunds);
given(Account, [opened, { type: "MoneyDeposited", data: { amount: 7 } }])
  .when({ type: "Close" })
  .thenEvents([{ type: "MoneyWithdrawn", data: { amount: 7 } }, { type: "AccountClosed" }])
  .thenState({ status: "closed", balance: 0 });

const store = await EventStore.open("bank", { events: bank, storage: "auto" });
const [ada, eve] = [Account.stream(crypto.randomUUID()), Account.stream(crypto.randomUUID())];
for (const [account, owner] of [[ada, "Ada"], [eve, "Eve"]] as const) await store.execute(Account, account, { type: "Open", owner });
await store.execute(Account, ada, { type: "Deposit", amount: 100 });

/** Moves money: both accounts are written in one commit, or none. */
function transfer(from: string, to: string, amount: number) {
  return store.transact(
    async (tx) => {
      const [payer, payee] = await Promise.all([tx.load(Account, from), tx.load(Account, to)]);
      if (payer.state.balance < amount) throw new InsufficientFunds();
      if (payee.state.status !== "open") throw new Error("the payee has no account");
      tx.append(from, { type: "MoneyWithdrawn", data: { amount } });
      tx.append(to, { type: "MoneyDeposited", data: { amount } });
    },
    { retries: 50 },
  );
}

// Twenty transfers at once. Each is decided on what the others left, so that only ten of them can be.
const transfers = await Promise.allSettled(Array.from({ length: 20 }, () => transfer(ada, eve, 10)));
console.log(transfers.filter(({ status }) => status === "fulfilled").length); // → 10
console.log(transfers.every((result) => result.status === "fulfilled" || result.reason instanceof InsufficientFunds)); // → true

const accounts = await store.loadAll(Account);
console.log(accounts.get(ada)?.state.balance, accounts.get(eve)?.state.balance); // → 0 100
await store.close();
