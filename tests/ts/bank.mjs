// The domain that the tests of folds and commands share: accounts that must not be overdrawn.
import { defineAggregate, defineEvents, eventType } from "../../dist/index.js";

export const bank = defineEvents({
  AccountOpened: eventType(),
  MoneyDeposited: eventType(),
  MoneyWithdrawn: eventType(),
  AccountClosed: eventType(),
});

export const Account = defineAggregate({
  name: "account",
  category: "account",
  events: bank,
  initial: () => ({ owner: "", balance: 0, events: 0 }),
  evolve: {
    AccountOpened: (state, event) => ({ ...state, owner: event.data.owner, events: state.events + 1 }),
    MoneyDeposited: (state, event) => ({ ...state, balance: state.balance + event.data.amount, events: state.events + 1 }),
    MoneyWithdrawn: (state, event) => ({ ...state, balance: state.balance - event.data.amount, events: state.events + 1 }),
    "*": (state) => ({ ...state, events: state.events + 1 }),
  },
  decide: (command, state) => {
    if (command.type === "Deposit") return deposited(command.amount);
    if (command.type === "Split") return [deposited(command.amount), deposited(command.amount)];
    if (command.type === "Ignore") return undefined;
    if (state.balance < command.amount) throw new Error("insufficient funds");
    return { type: "MoneyWithdrawn", data: { amount: command.amount } };
  },
});

export const opened = (owner = "Ada") => ({ type: "AccountOpened", data: { owner } });
export const deposited = (amount) => ({ type: "MoneyDeposited", data: { amount } });
export const withdrawn = (amount) => ({ type: "MoneyWithdrawn", data: { amount } });

/** What a plain loop over events comes to: the oracle. */
export function naive(events) {
  return events.reduce(
    (state, { type, data }) => ({
      owner: type === "AccountOpened" ? data.owner : state.owner,
      balance: state.balance + (type === "MoneyDeposited" ? data.amount : type === "MoneyWithdrawn" ? -data.amount : 0),
      events: state.events + 1,
    }),
    { owner: "", balance: 0, events: 0 },
  );
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Random events of random accounts, as commits of one to twenty. */
export function randomCommits(seed, eventCount, accountCount) {
  const random = seeded(seed);
  const commits = [];
  for (let left = eventCount; 0 < left; ) {
    const count = Math.min(left, 1 + Math.floor(random() * 20));
    commits.push(
      Array.from({ length: count }, () => {
        const amount = Math.floor(random() * 100);
        const kinds = [() => opened(`owner ${amount}`), () => deposited(amount), () => withdrawn(amount), () => ({ type: "AccountClosed" })];
        return { stream: `account-${Math.floor(random() * accountCount)}`, events: kinds[Math.floor(random() * kinds.length)]() };
      }),
    );
    left -= count;
  }
  return commits;
}

/** A seed, which the name of a test says: `EVERFOLD_SEED` repeats one. */
export const SEED = Number(process.env.EVERFOLD_SEED ?? Math.floor(Math.random() * 2 ** 31));
