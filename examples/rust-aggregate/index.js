// The domain as a package: its wasm, which has everfold in it, and what a page uses of it.
import { defineEvents, eventType } from "everfold";
import { rustAggregate } from "everfold/rust";
import * as glue from "./pkg/bank_domain_bg.js";

/** What useWasm() takes. */
export const wasm = { glue, url: new URL("./pkg/bank_domain_bg.wasm", import.meta.url) };

/** What happens to accounts, as JavaScript sees it. */
export const bank = defineEvents({
  AccountOpened: eventType(),
  MoneyDeposited: eventType(),
  MoneyWithdrawn: eventType(),
  NoteAdded: eventType(),
});

/** An account, which src/account.rs describes. */
export const Account = rustAggregate({ name: "account", category: "account", events: bank });
