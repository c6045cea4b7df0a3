import type { Aggregate, CommandOf, Loaded, RecordedEvent, StateOf } from "../../dist/index.js";
import { rustAggregate, useWasm } from "../../dist/rust.js";
import { bank, store, untyped } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

type Bank = typeof bank;
interface State {
  readonly balance: number;
}
type Command = { type: "Deposit"; amount: number };

// It is an aggregate as any other: its state and commands are said, its events may be.
const Account = rustAggregate<State, Command, Bank>({ name: "account", category: "account", events: bank });
same<Equal<typeof Account, Aggregate<State, Bank, Command>>>();
same<Equal<StateOf<typeof Account>, State>>();
same<Equal<CommandOf<typeof Account>, Command>>();

const loaded = await store.load(Account, "account-1");
same<Equal<typeof loaded, Loaded<State>>>();
const result = await store.execute(Account, "account-1", { type: "Deposit", amount: 5 });
same<Equal<typeof result.state, State>>();
same<Equal<(typeof result.events)[number], RecordedEvent<Bank>>>();
// @ts-expect-error
await store.execute(Account, "account-1", { type: "Withdraw", amount: 5 });

// Without commands nothing can be executed.
const Folded = rustAggregate<State>({ name: "account" });
await untyped.load(Folded, "account-1");
// @ts-expect-error
await untyped.execute(Folded, "account-1", { type: "Deposit" });

// @ts-expect-error
rustAggregate<State>({});
// @ts-expect-error
rustAggregate<State>({ name: "account", initial: () => ({ balance: 0 }) });
// @ts-expect-error
useWasm({ glue: {}, url: "a_bg.wasm" });
