import type { EventMetadata, RecordedEvent, RecordedFact } from "../../dist/index.js";
import { bank, store, untyped } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

type Bank = typeof bank;

// An event that was read is a union that its type narrows.
for await (const event of store.read("account-1", { from: 1, direction: "backwards", limit: 5 })) {
  same<Equal<typeof event, RecordedEvent<Bank>>>();
  if (event.type === "MoneyDeposited") same<Equal<typeof event.data, { amount: number; currency: string }>>();
  if (event.type === "AccountClosed") same<Equal<typeof event.data, undefined>>();
  same<Equal<typeof event.revision, number>>();
  same<Equal<typeof event.metadata, EventMetadata>>();
  // @ts-expect-error
  event.data.owner;
  // @ts-expect-error
  if (event.type === "Other") continue;
}

// A query that names types leaves only these.
const deposits = await store.readAll({ query: { types: ["MoneyDeposited"] } }).toArray();
same<Equal<typeof deposits, RecordedEvent<Bank, "MoneyDeposited">[]>>();
const two = await store.readAll({ query: [{ types: ["AccountOpened"] }, { types: ["AccountClosed"], tags: ["x"] }] }).toArray();
same<Equal<(typeof two)[number], RecordedEvent<Bank, "AccountOpened"> | RecordedEvent<Bank, "AccountClosed">>>();

// One that does not leaves all of them, and no fact.
const tagged = await store.readAll({ query: { tags: ["currency:EUR"] } }).toArray();
same<Equal<(typeof tagged)[number], RecordedEvent<Bank>>>();
const everything = await store.readAll().toArray();
same<Equal<(typeof everything)[number], RecordedEvent<Bank>>>();
const mixed = await store.readAll({ query: [{ types: ["AccountOpened"] }, { tags: ["x"] }] }).toArray();
same<Equal<(typeof mixed)[number]["type"], "AccountOpened" | "MoneyDeposited" | "AccountClosed">>();

// Facts of the store come where they are named: without a revision, and with their own data.
const truncated = await store.readAll({ query: { types: ["$truncated"] } }).toArray();
same<Equal<(typeof truncated)[number], RecordedFact<"$truncated">>>();
same<Equal<RecordedFact<"$truncated">["data"], { readonly before: number }>>();
same<Equal<RecordedFact<"$deleted">["data"], undefined>>();
same<Equal<RecordedFact["revision"], undefined>>();
for await (const event of store.readAll({ query: { types: ["AccountClosed", "$deleted"] } })) {
  same<Equal<typeof event.type, "AccountClosed" | "$deleted">>();
  if (event.type === "$deleted") same<Equal<typeof event.revision, undefined>>();
}

// @ts-expect-error
store.readAll({ query: { types: ["Other"] } });
// @ts-expect-error
store.readAll({ query: { type: ["AccountOpened"] } });
// @ts-expect-error
store.readAll({ from: 3 });
// @ts-expect-error
store.read("account-1", { after: 3 });

// Without a registry the type is text and the data unknown; names in the query are known all the same.
for await (const event of untyped.read("s")) {
  same<Equal<typeof event.type, string>>();
  same<Equal<typeof event.data, unknown>>();
}
const named = await untyped.readAll({ query: { types: ["A", "$deleted"] } }).toArray();
same<Equal<(typeof named)[number]["type"], "A" | "$deleted">>();
// Types that are only known when it runs may be those of facts.
const types: string[] = ["$deleted"];
const unknown = await untyped.readAll({ query: { types } }).toArray();
same<Equal<(typeof unknown)[number]["revision"], number | undefined>>();

// Pages are arrays of events, a replay hands over the same events as a read.
for await (const page of store.readAll({ query: { types: ["AccountOpened"] } }).pages()) {
  same<Equal<typeof page, RecordedEvent<Bank, "AccountOpened">[]>>();
}
await store.replay({ query: { types: ["AccountOpened"] }, rate: 10 }, (event) => {
  same<Equal<typeof event, RecordedEvent<Bank, "AccountOpened">>>();
});
await store.replay({}, async (event) => {
  same<Equal<typeof event, RecordedEvent<Bank>>>();
});

// A count is a number, or numbers by key.
same<Equal<Awaited<ReturnType<typeof total>>, number>>();
same<Equal<Awaited<ReturnType<typeof byDay>>, Record<string, number>>>();
const total = () => store.count({ types: ["AccountOpened"] }, { since: 0 });
const byDay = () => store.count({}, { by: "day" });
// @ts-expect-error
await store.count({}, { by: "month" });
