import type { DocumentOf, IndexKey, Live, Projected, Projection, ReadModel, RecordedEvent, RecordedFact, Row, Rows } from "../../dist/index.js";
import { defineAggregate, defineProjection, documentType } from "../../dist/index.js";
import { bank, store } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

type Bank = typeof bank;
interface Balance {
  readonly owner: string;
  readonly balance: number;
}

// The document is known from what a handler says of it, events from the registry, and indexes from their names.
const Balances = defineProjection({
  name: "balances",
  version: 2,
  events: bank,
  query: { categories: ["account"], types: ["AccountOpened", "MoneyDeposited"] },
  key: (event) => {
    same<Equal<typeof event, Projected<Bank>>>();
    return event.stream;
  },
  on: {
    AccountOpened: (_: Balance | undefined, event) => {
      same<Equal<typeof event, RecordedEvent<Bank, "AccountOpened">>>();
      return { owner: event.data.owner, balance: 0 };
    },
    MoneyDeposited: (account: Balance | undefined, event) => account && { ...account, balance: account.balance + event.data.amount },
    $deleted: (_, fact) => {
      same<Equal<typeof fact, RecordedFact<"$deleted">>>();
      return undefined;
    },
    "*": (account, event) => {
      same<Equal<typeof event, RecordedEvent<Bank>>>();
      return account;
    },
  },
  indexes: { byOwner: "owner", byOwnerAndBalance: ["owner", "balance"], byTag: { path: "tags", each: true } },
});
same<Equal<DocumentOf<typeof Balances>, Balance>>();

const balances = await store.project(Balances);
same<Equal<Awaited<ReturnType<typeof balances.get>>, Balance | undefined>>();
const { rows, cursor } = await balances.find({ index: "byOwner", equals: ["Ada"], from: 1, before: [2, "a"], limit: 10 });
same<Equal<typeof rows, Row<Balance>[]>>();
same<Equal<typeof cursor, string | undefined>>();
await balances.find({ from: "account-1", direction: "backwards", cursor });
await balances.count({ index: "byOwnerAndBalance" });
const stop: () => void = balances.subscribe((keys) => same<Equal<typeof keys, readonly string[] | undefined>>());
stop();
same<Equal<IndexKey, boolean | number | string>>();

// A handler says of what type documents are; what it returns is of that type where it says so.
interface State {
  readonly state: "open" | "closed";
  readonly owner: string;
}
const States = defineProjection({
  name: "states",
  events: bank,
  on: {
    AccountOpened: (_: State | undefined, event): State => ({ state: "open", owner: event.data.owner }),
    AccountClosed: (account: State | undefined): State | undefined => account && { ...account, state: "closed" },
  },
});
same<Equal<DocumentOf<typeof States>["state"], "open" | "closed">>();

// Without events and indexes, all types are known by name alone.
const Counts = defineProjection({ name: "counts", key: () => ["all"], on: { "*": (count: { n: number } | undefined) => ({ n: (count?.n ?? 0) + 1 }) } });
const counts: ReadModel<{ n: number }> = await store.project(Counts);
same<Equal<typeof Counts extends Projection<infer Doc, infer _Events, infer _Indexes> ? Doc : never, { n: number }>>();
await counts.find({ limit: 1 });

// A handler of a type that is known by its name alone is handed an event of any type.
const Revisions = defineProjection({ name: "revisions", on: { Counted: (_: { n: number } | undefined, event) => ({ n: event.revision }) } });
same<Equal<typeof Revisions extends Projection<infer Doc, infer _Events, infer _Indexes> ? Doc : never, { n: number }>>();

// @ts-expect-error: there is no such type of event
defineProjection({ name: "n", events: bank, on: { AccountLost: () => undefined } });
// @ts-expect-error: an amount is a number
defineProjection({ name: "n", events: bank, on: { MoneyDeposited: (_: Balance | undefined, event) => ({ owner: event.data.amount, balance: 0 }) } });
// @ts-expect-error: a document is made at once
defineProjection({ name: "n", events: bank, on: { AccountClosed: async (account: Balance | undefined) => account } });
// @ts-expect-error: the query knows the types
defineProjection({ name: "n", events: bank, query: { types: ["Lost"] }, on: {} });
// @ts-expect-error: there is no such index
await balances.find({ index: "byName" });
// @ts-expect-error: what equals is of an index
await balances.find({ equals: ["Ada"] });
// @ts-expect-error: keys of documents are texts
await balances.find({ from: 1 });
// @ts-expect-error: counts have no limit
await balances.count({ limit: 1 });

// Live values are of what `get` and `find` give.
const one = balances.live("account-1");
same<Equal<typeof one, Live<Balance | undefined>>>();
const several = balances.live({ limit: 1 });
same<Equal<typeof several, Live<Rows<Balance>>>>();
same<Equal<ReturnType<typeof counts.live>, Live<Rows<{ n: number }>>>>();
// @ts-expect-error: there is no such index
balances.live({ index: "byName" });
// @ts-expect-error: a key is a text
balances.live(1);

// A document names the types of the registry and facts; of which type its documents are is said beside it.
const Declared = defineProjection({
  name: "declared",
  events: bank,
  key: { $concat: ["$stream", "-", "$data.owner"] },
  document: documentType<Balance>(),
  on: {
    AccountOpened: { $set: { owner: "$data.owner", balance: 0 } },
    MoneyDeposited: [{ $if: "$state", $inc: { balance: "$data.amount" } }],
    AccountClosed: { $remove: true },
    $truncated: { $set: { before: "$data.before" } },
    "*": { $inc: { others: 1 } },
  },
  indexes: { byOwner: "owner" },
});
same<Equal<DocumentOf<typeof Declared>, Balance>>();
const declared = await store.project(Declared);
same<Equal<Awaited<ReturnType<typeof declared.get>>, Balance | undefined>>();
await declared.find({ index: "byOwner" });
// @ts-expect-error: there is no such index
await declared.find({ index: "byName" });
const Untyped = defineProjection({ name: "untyped", key: ["$data.from", "$data.to"], on: { Sent: { $inc: { count: 1 } } } });
same<Equal<DocumentOf<typeof Untyped>, unknown>>();

// @ts-expect-error: there is no such type of event
defineProjection({ name: "n", events: bank, on: { AccountLost: { $remove: true } } });
// @ts-expect-error: there is no such step
defineProjection({ name: "n", events: bank, on: { AccountClosed: { $delete: true } } });
// @ts-expect-error: a document is taken away, or it is not
defineProjection({ name: "n", events: bank, on: { AccountClosed: { $remove: false } } });
// @ts-expect-error: a state of an aggregate is always there
defineAggregate({ name: "n", events: bank, initial: () => ({}), evolve: { AccountClosed: { $remove: true } } });
