// A domain in Rust: accounts that are folded and decided in the wasm of the crate beside this file, which a page loads in place of
// everfold's own. `cargo xtask domain` makes the package `bank-domain` of it.
import { EventStore, isEverfoldError } from "everfold";
import { useWasm } from "everfold/rust";
import { Account, bank, wasm } from "bank-domain";

useWasm(wasm);
const store = await EventStore.open("rust-bank", { events: bank, storage: "auto" });
const [ada, eve] = [Account.stream(crypto.randomUUID()), Account.stream(crypto.randomUUID())];

await store.execute(Account, ada, { type: "Open", owner: "Ada" });
await store.execute(Account, ada, { type: "Deposit", amount: 50 });
const { state, events } = await store.execute(Account, ada, { type: "Withdraw", amount: 20 });
console.log(state.balance, events[0]?.type); // → 30 MoneyWithdrawn

// A rule in Rust is against it: the message is its own, and so is the cause.
try {
  await store.execute(Account, ada, { type: "Withdraw", amount: 31 });
} catch (error) {
  if (!isEverfoldError(error, "COMMAND_REFUSED")) throw error;
  console.log(error.message, JSON.stringify(error.cause)); // → the account lacks 1 {"type":"Overdrawn","missing":1}
}

// A decision over two accounts, in one commit.
await store.execute(Account, eve, { type: "Open", owner: "Eve" });
await store.transact(async (tx) => {
  const { balance } = (await tx.load(Account, ada)).state;
  tx.append(ada, { type: "MoneyWithdrawn", data: { amount: balance } });
  tx.append(eve, { type: "MoneyDeposited", data: { amount: balance } });
});

// Any moment of the past, one step after the other, and all accounts in one pass.
console.log((await store.load(Account, ada, { revision: 1 })).state.balance); // → 50
for await (const { event, state } of store.history(Account, ada, { from: 2 })) {
  console.log(event.type, state.balance); // → MoneyWithdrawn 30 → MoneyWithdrawn 0
}
const all = await store.loadAll(Account);
console.log(all.get(ada)?.state.balance, all.get(eve)?.state.balance); // → 0 30
await store.close();
