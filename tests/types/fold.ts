import type { Aggregate, CommandOf, JsonPatch, Loaded, RecordedEvent, StateOf } from "../../dist/index.js";
import { defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { bank, store, untyped } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

type Bank = typeof bank;
interface State {
  readonly owner: string;
  readonly balance: number;
}
type Command = { type: "Open"; owner: string } | { type: "Deposit"; amount: number };

// State, events and commands are known from what is defined: by type of event, in "*", and in decide.
const Account = defineAggregate({
  name: "account",
  version: 1,
  category: "account",
  events: bank,
  initial: (): State => ({ owner: "", balance: 0 }),
  evolve: {
    AccountOpened: (state, event) => {
      same<Equal<typeof state, State>>();
      same<Equal<typeof event, RecordedEvent<Bank, "AccountOpened">>>();
      return { ...state, owner: event.data.owner };
    },
    MoneyDeposited: (state, event) => ({ ...state, balance: state.balance + event.data.amount }),
    "*": (state, event) => {
      same<Equal<typeof event, RecordedEvent<Bank>>>();
      return state;
    },
  },
  decide: (command: Command, state, { now, newId, revision }) => {
    same<Equal<typeof state, State>>();
    same<Equal<typeof now, number>>();
    same<Equal<ReturnType<typeof newId>, string>>();
    same<Equal<typeof revision, number | undefined>>();
    if (command.type === "Open") return { type: "AccountOpened", data: { owner: command.owner } };
    return [{ type: "MoneyDeposited", data: { amount: command.amount, currency: "EUR" } }];
  },
  snapshotEvery: 100,
});
same<Equal<typeof Account, Aggregate<State, Bank, Command>>>();
same<Equal<StateOf<typeof Account>, State>>();
same<Equal<CommandOf<typeof Account>, Command>>();
same<Equal<ReturnType<typeof Account.stream>, string>>();

// A function folds as well, a state may be inferred, and a decision may be none.
const Counter = defineAggregate({
  name: "counter",
  events: bank,
  initial: () => 0,
  evolve: (state, event) => {
    same<Equal<typeof state, number>>();
    same<Equal<typeof event, RecordedEvent<Bank>>>();
    return event.type === "MoneyDeposited" ? state + event.data.amount : state;
  },
  decide: (command: { by: number }, state) => {
    if (command.by <= state) return undefined;
    return { type: "MoneyDeposited", data: { amount: command.by, currency: "EUR" } };
  },
});
same<Equal<StateOf<typeof Counter>, number>>();

// A decision that asks for no command takes any, and where nothing is decided there is none.
const Pulse = defineAggregate({
  name: "pulse",
  events: bank,
  initial: () => 0,
  evolve: (count) => count + 1,
  decide: () => ({ type: "AccountClosed" }),
});
same<Equal<CommandOf<typeof Pulse>, unknown>>();
await store.execute(Pulse, "pulse-1", undefined);
await store.execute(Pulse, "pulse-1", { type: "Anything" });
const Explicit = defineAggregate<number, Bank, Command>({ name: "pulse", initial: () => 0, evolve: (count) => count + 1, decide: () => ({ type: "AccountClosed" }) });
same<Equal<CommandOf<typeof Explicit>, Command>>();
const Silent = defineAggregate({ name: "silent", events: bank, initial: () => 0, evolve: (count) => count + 1 });
same<Equal<CommandOf<typeof Silent>, never>>();
// @ts-expect-error Nothing is decided by it.
await store.execute(Silent, "silent-1", undefined);
// @ts-expect-error
defineAggregate({ name: "pulse", events: bank, initial: () => 0, evolve: (count) => count + 1, decide: () => ({ type: "Other" }) });

// Without events any type is folded, and its data is unknown.
const Anything = defineAggregate({
  name: "anything",
  initial: () => ({ last: "" }),
  evolve: (state, event) => {
    same<Equal<typeof event.type, string>>();
    same<Equal<typeof event.data, unknown>>();
    return { last: event.type };
  },
});
defineAggregate({ name: "map", initial: () => 0, evolve: { Anything: (state) => state + 1 } });

// A document folds, too.
const Cart = defineAggregate({
  name: "cart",
  events: bank,
  initial: () => ({ total: 0, owner: "" }),
  evolve: {
    AccountOpened: { $set: { owner: "$data.owner" } },
    MoneyDeposited: [{ $inc: { total: "$data.amount" }, $if: { $gt: ["$data.amount", 0] } }],
  },
});
same<Equal<StateOf<typeof Cart>, { total: number; owner: string }>>();

// Literals that are returned are those of the state, from functions by type as from one for all, and in what is decided.
const Door = defineAggregate({
  name: "door",
  events: bank,
  initial: () => ({ status: "none" as "none" | "open" | "closed", by: "" }),
  evolve: {
    AccountOpened: (door, { data }) => ({ ...door, status: "open", by: data.owner }),
    AccountClosed: (door) => ({ status: "closed", by: door.by }),
  },
  decide: (by: string, { status }) => (status === "none" ? [{ type: "AccountOpened", data: { owner: by } }, { type: "AccountClosed" }] : []),
});
same<Equal<StateOf<typeof Door>, { status: "none" | "open" | "closed"; by: string }>>();
same<Equal<CommandOf<typeof Door>, string>>();
const Last = defineAggregate({ ...common(), evolve: (_, { type }) => ({ status: type === "AccountOpened" ? "open" : "none", by: "" }) });
same<Equal<StateOf<typeof Last>, StateOf<typeof Door>>>();
function common() {
  return { name: "door", events: bank, initial: () => ({ status: "none" as "none" | "open" | "closed", by: "" }) };
}
// @ts-expect-error
defineAggregate({ ...common(), evolve: { AccountOpened: (door) => ({ ...door, status: "ajar" }) } });

const account = { name: "account", events: bank, initial: (): State => ({ owner: "", balance: 0 }) } as const;
// Types that are not defined, data of another shape, other states and other events are refused.
// @ts-expect-error
defineAggregate({ ...account, evolve: { Other: (state) => state } });
// @ts-expect-error
defineAggregate({ ...account, evolve: { AccountOpened: (state, event) => ({ ...state, owner: event.data.amount }) } });
// @ts-expect-error
defineAggregate({ ...account, evolve: { AccountOpened: () => ({ owner: "" }) } });
// @ts-expect-error
defineAggregate({ ...account, evolve: () => 1 });
// @ts-expect-error
defineAggregate({ ...account, evolve: async (state) => state });
// @ts-expect-error
defineAggregate({ ...account, evolve: { AccountOpened: { $sett: { owner: 1 } } } });
// @ts-expect-error
defineAggregate({ ...account, evolve: {}, decide: (command: Command) => ({ type: "Other" }) });
// @ts-expect-error
defineAggregate({ ...account, evolve: {}, decide: (command: Command) => ({ type: "AccountOpened", data: { owner: 1 } }) });
// @ts-expect-error
defineAggregate({ ...account, evolve: {}, decide: async (command: Command) => ({ type: "AccountClosed" }) });
// @ts-expect-error
defineAggregate({ ...account, evolve: {}, snapshots: 3 });
// @ts-expect-error
defineAggregate({ ...account, evolve: {}, snapshotEvery: true });
// @ts-expect-error
defineAggregate({ name: "account", evolve: {} });

// What is loaded is of the aggregate's state; a moment is one.
const loaded = await store.load(Account, "account-1");
same<Equal<typeof loaded, Loaded<State>>>();
same<Equal<typeof loaded.revision, number | undefined>>();
same<Equal<typeof loaded.expected, number | "noStream">>();
await store.load(Account, "account-1", { revision: 12 });
await store.load(Account, "account-1", { time: "2026-01-01T00:00:00Z", signal: new AbortController().signal });
const folded = await store.load(Counter, { query: { types: ["MoneyDeposited"], tags: ["currency:EUR"] } }, { position: 3 });
same<Equal<typeof folded, Loaded<number>>>();
// @ts-expect-error
loaded.state.amount;
// @ts-expect-error
await store.load(Account, "account-1", { revision: 12, position: 3 });
// @ts-expect-error
await store.load(Account, { query: {} }, { revision: 12 });
// @ts-expect-error
await store.load(Account, { query: { types: ["Other"] } });
// @ts-expect-error
await store.load({ name: "account" }, "account-1");

same<Equal<Awaited<ReturnType<typeof all>>, Map<string, Loaded<State>>>>();
const all = () => store.loadAll(Account, { onProgress: ({ done }) => done });

for await (const step of store.history(Account, "account-1", { from: 1, diff: true })) {
  same<Equal<typeof step.event, RecordedEvent<Bank>>>();
  same<Equal<typeof step.state, State>>();
  same<Equal<typeof step.patch, JsonPatch | undefined>>();
}
// @ts-expect-error
store.history(Account, { query: {} });

// A command is one of the aggregate's; what comes back has its state and its events.
const executed = await store.execute(Account, "account-1", { type: "Deposit", amount: 5 }, { expected: 4, commandId: "c", retries: 0 });
same<Equal<typeof executed.state, State>>();
same<Equal<(typeof executed.events)[number], RecordedEvent<Bank>>>();
same<Equal<typeof executed.lastRevision, number | undefined>>();
same<Equal<typeof executed.attempts, number>>();
await untyped.execute(Account, "account-1", { type: "Open", owner: "Ada" });
// @ts-expect-error
await store.execute(Account, "account-1", { type: "Withdraw", amount: 5 });
// @ts-expect-error
await store.execute(Account, "account-1", { type: "Deposit", amount: "5" });
// @ts-expect-error
await store.execute(Account, "account-1", { type: "Deposit", amount: 5 }, { retry: 3 });
// @ts-expect-error Nothing is decided by it.
await store.execute(Anything, "account-1", { type: "Deposit", amount: 5 });

// A transaction gives what its function gives; with a commandId perhaps nothing.
const { value, duplicate } = await store.transact(async (tx) => {
  const { state } = await tx.load(Account, "account-1");
  same<Equal<typeof state, State>>();
  const total = await tx.load(Counter, { query: { types: ["MoneyDeposited"] } });
  same<Equal<typeof total, Loaded<number>>>();
  tx.append("account-1", [{ type: "MoneyDeposited", data: { amount: total.state, currency: "EUR" } }]);
  tx.append("account-2", { type: "AccountClosed" });
  // @ts-expect-error
  tx.append("account-1", { type: "Other" });
  // @ts-expect-error
  await tx.load(Account, { query: { types: ["Other"] } });
  return state.balance;
});
same<Equal<typeof value, number>>();
same<Equal<typeof duplicate, false>>();
const once = await store.transact(() => "done" as const, { commandId: "c" });
same<Equal<typeof once.value, "done" | undefined>>();
if (!once.duplicate) same<Equal<typeof once.value, "done">>();
// @ts-expect-error
await store.transact(async () => 1, { expected: 4 });

// A schema says what the data is, and must agree with what is said of it.
declare const amount: {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "test";
    readonly validate: (value: unknown) => { readonly value: { amount: number } };
    readonly types?: { readonly input: { amount: number }; readonly output: { amount: number } };
  };
};
const checked = defineEvents({
  Inferred: eventType({ schema: amount }),
  Stated: eventType<{ amount: number }>({
    schema: amount,
    version: 3,
    upcast: { 1: (data) => ({ ...data, amount: 1 }), 2: (data, { metadata, type }) => (type === "Old" ? null : { ...data, by: metadata.user }) },
    formerly: ["Old"],
    tags: (data) => [`amount:${data.amount}`],
  }),
});
same<Equal<RecordedEvent<typeof checked, "Inferred">["data"], { amount: number }>>();
// @ts-expect-error
eventType<{ amount: string }>({ schema: amount });
// @ts-expect-error
eventType<{ amount: number }>({ schema: { parse: () => 1 } });
// @ts-expect-error
eventType<{ amount: number }>({ version: "2" });
// @ts-expect-error
eventType<{ amount: number }>({ upcast: { 1: "amount" } });
// @ts-expect-error
eventType<{ amount: number }>({ formerly: "Old" });
