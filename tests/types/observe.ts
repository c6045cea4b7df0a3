import type { EventSubscription, RecordedEvent, RecordedFact, Subscription } from "../../dist/index.js";
import { bank, store, untyped } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

type Bank = typeof bank;

// A handler gets what its query lets through; an iteration too.
const running = store.subscribe({ after: "end", query: { types: ["MoneyDeposited"] } }, async (event) => {
  same<Equal<typeof event, RecordedEvent<Bank, "MoneyDeposited">>>();
});
same<Equal<typeof running, Subscription>>();
store.subscribe({ onError: (error, event) => same<Equal<[typeof error, typeof event], [unknown, RecordedEvent<Bank> | RecordedFact | undefined]>>() }, (event) => {
  same<Equal<typeof event, RecordedEvent<Bank>>>();
});
const iterated = store.subscribe({ query: { types: ["AccountClosed", "$deleted"] } });
same<Equal<typeof iterated, EventSubscription<RecordedEvent<Bank, "AccountClosed"> | RecordedFact<"$deleted">>>>();
for await (const event of store.subscribe()) same<Equal<typeof event, RecordedEvent<Bank>>>();
same<Equal<typeof running.caughtUp, Promise<void>>>();
same<Equal<typeof running.position, number>>();

// @ts-expect-error
store.subscribe({ query: { types: ["Other"] } });
// @ts-expect-error
store.subscribe({ after: "start" });
// @ts-expect-error
store.subscribe({ onError: () => {} });
// @ts-expect-error
for await (const event of store.subscribe({}, () => {})) event;
// @ts-expect-error
running.position = 1;

// A listener gets events of its type.
const stop = store.on("MoneyDeposited", (event) => {
  same<Equal<typeof event, RecordedEvent<Bank, "MoneyDeposited">>>();
});
same<Equal<typeof stop, () => void>>();
store.on("$truncated", (event) => same<Equal<typeof event.data, { readonly before: number }>>());
untyped.on("Anything", (event) => same<Equal<typeof event.data, unknown>>());
// @ts-expect-error
store.on("Other", () => {});

const promised = await store.requestPersistence();
same<Equal<typeof promised, boolean>>();
