import type { Consumer, ConsumerInfo, EventSubscription, Live, LiveState, Loaded, ParkedEvent, RecordedEvent, RecordedFact, Status, StoreState, Subscription } from "../../dist/index.js";
import { defineAggregate } from "../../dist/index.js";
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

// A consumer's handler gets what its query lets through: one by one, or with a batch an array.
const consumer = store.consumer("mails", { after: "end", query: { types: ["MoneyDeposited"] } }, async (event, { attempt, signal }) => {
  same<Equal<typeof event, RecordedEvent<Bank, "MoneyDeposited">>>();
  same<Equal<[typeof attempt, typeof signal], [number, AbortSignal]>>();
});
same<Equal<typeof consumer, Consumer>>();
store.consumer("all", { after: 0, batch: 1 }, (event) => same<Equal<typeof event, RecordedEvent<Bank>>>());
store.consumer("batches", { after: 0, batch: 20, query: { types: ["AccountClosed", "$deleted"] } }, (events) => {
  same<Equal<typeof events, readonly (RecordedEvent<Bank, "AccountClosed"> | RecordedFact<"$deleted">)[]>>();
});
store.consumer("either", { after: 0, batch: 1 as number }, (events) => same<Equal<typeof events, RecordedEvent<Bank> | readonly RecordedEvent<Bank>[]>>());
store.consumer("retried", { after: 0, retry: (error, { attempt }) => (error instanceof Error && attempt < 5 ? 1_000 : "park") }, () => {});
same<Equal<typeof consumer.active, boolean>>();
same<Equal<ReturnType<typeof consumer.parked>, Promise<readonly ParkedEvent[]>>>();
same<Equal<ReturnType<typeof store.consumers>, Promise<readonly ConsumerInfo[]>>>();
same<Equal<ReturnType<typeof store.removeConsumer>, Promise<boolean>>>();

// @ts-expect-error
store.consumer("nowhere", {}, () => {});
// @ts-expect-error
store.consumer("elsewhere", { after: "start" }, () => {});
// @ts-expect-error
store.consumer("other", { after: 0, query: { types: ["Other"] } }, () => {});
// @ts-expect-error
store.consumer("later", { after: 0, retry: () => "later" }, () => {});
// @ts-expect-error
store.consumer("nobody", { after: 0 });
// @ts-expect-error
consumer.active = true;

const promised = await store.requestPersistence();
same<Equal<typeof promised, boolean>>();

// A live value is of what a load gives.
const Balance = defineAggregate({ name: "balance", events: bank, initial: () => ({ balance: 0 }), evolve: { MoneyDeposited: (state, event) => ({ balance: state.balance + event.data.amount }) } });
const live = store.live(Balance, "account-1");
same<Equal<typeof live, Live<Loaded<{ balance: number }>>>>();
const ofQuery = store.live(Balance, { query: { types: ["MoneyDeposited"] } });
same<Equal<typeof ofQuery, typeof live>>();
const { get, subscribe } = live;
const now = get();
same<Equal<typeof now, LiveState<Loaded<{ balance: number }>>>>();
if (now.status === "ready") same<Equal<typeof now.value.state, { balance: number }>>();
if (now.status === "error") same<Equal<typeof now.error, unknown>>();
const ended = subscribe(() => {});
same<Equal<typeof ended, () => void>>();
// As React takes them.
declare function useSyncExternalStore<Snapshot>(subscribe: (onStoreChange: () => void) => () => void, getSnapshot: () => Snapshot, getServerSnapshot?: () => Snapshot): Snapshot;
const snapshot = useSyncExternalStore(live.subscribe, live.get, live.get);
same<Equal<typeof snapshot, typeof now>>();
// @ts-expect-error
now.value;
// @ts-expect-error
store.live({}, "account-1");
// @ts-expect-error
store.live(Balance, { query: { types: ["Other"] } });
// @ts-expect-error
store.live(Balance, { query: {} }, {});
// @ts-expect-error
subscribe();

// What a store can do.
const { status } = store;
same<Equal<typeof status, Status>>();
same<Equal<typeof status.state, StoreState>>();
same<Equal<StoreState, "open" | "reconnecting" | "readOnly" | "quotaExceeded" | "blocked" | "damaged" | "cleared" | "closed">>();
same<Equal<typeof status.since, number>>();
const unheard = store.onStatus(({ state, cause }) => same<Equal<[typeof state, typeof cause], [StoreState, unknown]>>());
same<Equal<typeof unheard, () => void>>();
// @ts-expect-error
store.status = status;
// @ts-expect-error
status.state = "open";
// @ts-expect-error
if (status.state === "lost") store.onStatus();
