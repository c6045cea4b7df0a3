import type { AppendResult, CommitResult, NewEvent } from "../../dist/index.js";
import { defineEvents, eventType } from "../../dist/index.js";
import { bank, store, untyped } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

// What is defined may be appended, one or many, and the result is known.
const one = await store.append("account-1", { type: "AccountOpened", data: { owner: "Ada" } });
same<Equal<typeof one, AppendResult>>();
await store.append("account-1", [
  { type: "MoneyDeposited", data: { amount: 1, currency: "EUR" }, tags: ["salary"], time: new Date() },
  { type: "AccountClosed" },
]);
const all = await store.appendAll([
  { stream: "account-1", events: [{ type: "AccountClosed" }], expected: 4 },
  { stream: "account-2", expected: "streamExists" },
]);
same<Equal<typeof all, CommitResult>>();

// A type that is not defined, data of another shape, and data that is missing or too much are refused.
// @ts-expect-error
await store.append("account-1", { type: "AccountOpenend", data: { owner: "Ada" } });
// @ts-expect-error
await store.append("account-1", { type: "AccountOpened", data: { owner: 1 } });
// @ts-expect-error
await store.append("account-1", { type: "AccountOpened" });
// @ts-expect-error
await store.append("account-1", { type: "AccountClosed", data: { reason: "none" } });
// @ts-expect-error
await store.append("account-1", [{ type: "MoneyDeposited", data: { amount: 1 } }]);
// @ts-expect-error
await store.appendAll([{ stream: "account-1", events: [{ type: "Other" }] }]);

// A misspelt option, another word, and a query for a type that is not defined are refused.
// @ts-expect-error
await store.append("account-1", { type: "AccountClosed" }, { expectd: 4 });
// @ts-expect-error
await store.append("account-1", { type: "AccountClosed" }, { expected: "exists" });
// @ts-expect-error
await store.append("account-1", { type: "AccountClosed" }, { durability: "memory" });
// @ts-expect-error
await store.append("account-1", { type: "AccountClosed" }, { condition: { failIfEventsMatch: { types: ["Other"] } } });

// What was read may have caused what is written; metadata may be any record of JSON.
const [cause] = await store.read("account-1").toArray();
const metadata: Record<string, string> = { user: "ada" };
if (cause !== undefined) await store.append("account-1", { type: "AccountClosed" }, { causedBy: cause, metadata });
// @ts-expect-error
await store.append("account-1", { type: "AccountClosed" }, { metadata: { at: new Date() } });

// Without a registry any type and any data may be appended.
await untyped.append("s", { type: "Anything", data: { deep: [1, { b: null }] } });
await untyped.append("s", { type: "Anything" });
// @ts-expect-error
await untyped.append("s", { data: 1 });

// The event to append is a union that a type narrows.
function label(event: NewEvent<typeof bank>): string {
  return event.type === "AccountOpened" ? event.data.owner : event.type;
}
same<Equal<ReturnType<typeof label>, string>>();
same<Equal<NewEvent<typeof bank, "MoneyDeposited">["data"], { amount: number; currency: string }>>();

// Tags follow from the data of their own type; what eventType did not make is no definition.
// @ts-expect-error
eventType<{ a: number }>({ tags: (data) => [data.b] });
// @ts-expect-error
defineEvents({ A: 1 });
