import type { Aggregate, EventTypeDefinition } from "everfold";
import type { WasmSource } from "everfold/rust";

/** What useWasm() takes. */
export declare const wasm: WasmSource;

/** What an account has come to. */
export interface State {
  readonly owner: string;
  readonly balance: number;
  readonly notes: number;
}

/** What somebody wants of an account. */
export type Command =
  | { readonly type: "Open"; readonly owner: string }
  | { readonly type: "Deposit"; readonly amount: number }
  | { readonly type: "Withdraw"; readonly amount: number };

/** What happens to accounts. */
export declare const bank: {
  readonly AccountOpened: EventTypeDefinition<{ owner: string }>;
  readonly MoneyDeposited: EventTypeDefinition<{ amount: number }>;
  readonly MoneyWithdrawn: EventTypeDefinition<{ amount: number }>;
  readonly NoteAdded: EventTypeDefinition<{ text?: string }>;
};

/** An account, which src/account.rs describes. */
export declare const Account: Aggregate<State, typeof bank, Command>;
