import type { EventStore } from "../../dist/index.js";
import { defineAggregate } from "../../dist/index.js";
import type { TestTab } from "../../dist/testing.js";
import { given, openTestStore, openTestTabs, testClock, testIds } from "../../dist/testing.js";
import { bank } from "./bank.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

const Account = defineAggregate({
  name: "account",
  events: bank,
  initial: () => ({ owner: "", lines: [{ amount: 0, by: "" }] }),
  evolve: (state) => state,
  decide: (command: { amount: number }) => ({ type: "MoneyDeposited", data: { amount: command.amount, currency: "EUR" } }),
});
class Refused extends Error {}

// What happened, what is asked and what is expected are of the aggregate's types; of a state a part will do.
const outcome = given(Account, [{ type: "AccountOpened", data: { owner: "Ada" } }], { clock: testClock(0), ids: testIds() }).when({ amount: 1 });
outcome.thenEvents([{ type: "MoneyDeposited", data: { amount: 1, currency: "EUR" } }]).thenState({ owner: "Ada" }).thenState({ lines: [{ by: "" }] });
outcome.thenNothing().thenThrows().thenThrows(/a/).thenThrows("a").thenThrows(Refused);
given(Account).thenState({}).when({ amount: 1 }).thenEvents({ type: "AccountClosed" });
// @ts-expect-error
given(Account, [{ type: "Other" }]);
// @ts-expect-error
given(Account).when({ amount: "1" });
// @ts-expect-error
outcome.thenEvents([{ type: "AccountOpened", data: { owner: 1 } }]);
// @ts-expect-error
outcome.thenState({ name: "Ada" });
// @ts-expect-error
outcome.thenState({ lines: [{ amount: "0" }] });
// @ts-expect-error
given({ name: "account" });

const store = await openTestStore({ events: bank, clock: () => 0 });
same<Equal<typeof store, EventStore<typeof bank>>>();
// @ts-expect-error
await openTestStore({ events: bank, storage: "indexeddb" });

// As many tabs as were asked for, and no more.
const tabs = await openTestTabs(2, { events: bank });
const [one, two] = tabs;
same<Equal<typeof one, TestTab<typeof bank>>>();
same<Equal<typeof two.store, EventStore<typeof bank>>>();
// @ts-expect-error
const three: TestTab<typeof bank> = tabs[2];
void three;
// @ts-expect-error
one.fail("fire");
await tabs.close();
