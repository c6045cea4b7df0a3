// The account of the bank, as an aggregate.

export const initial = () => ({ owner: "", balance: 0, notes: 0 });

/** How accounts are folded by functions: the store's, and those of who reads everything and reduces. */
export const FUNCTIONS = {
  AccountOpened: (state, { data }) => ({ ...state, owner: data.owner }),
  MoneyDeposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
  MoneyWithdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
  NoteAdded: (state) => ({ ...state, notes: state.notes + 1 }),
};

/** The same as a document. */
export const DOCUMENT = {
  AccountOpened: { $set: { owner: "$data.owner" } },
  MoneyDeposited: { $inc: { balance: "$data.amount" } },
  MoneyWithdrawn: { $inc: { balance: { $multiply: ["$data.amount", -1] } } },
  NoteAdded: { $inc: { notes: 1 } },
};

/** The aggregate, by functions and with snapshots as the package keeps them, where nothing else is said. */
export function accountAggregate(defineAggregate, parts) {
  return defineAggregate({ name: "account", category: "account", initial, evolve: FUNCTIONS, ...parts });
}
