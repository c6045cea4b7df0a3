// One of several tabs that execute commands on one account at the same time: it must not be overdrawn.

import { EventStore, defineAggregate } from "/dist/index.js";
import { numbers, word } from "./contender.js";

const Account = defineAggregate({
  name: "account",
  category: "account",
  initial: () => 0,
  evolve: { Deposited: (balance, { data }) => balance + data.amount, Withdrawn: (balance, { data }) => balance - data.amount },
  decide: ({ amount }, balance) => {
    if (balance + amount < 0) throw new Error("insufficient funds");
    return amount < 0 ? { type: "Withdrawn", data: { amount: -amount } } : { type: "Deposited", data: { amount } };
  },
});

/**
 * Waits for the word "go" on the channel, then executes commands, each so many times under one id, where it has one.
 *
 * @param {{ database: string, channel: string, writer: string, seed: number, commands: number, sendings: number }} task
 * @returns {Promise<{ done: number[], refused: number, duplicates: number, attempts: number }>} the amounts of those that were executed
 */
export async function command({ database, channel, writer, seed, commands, sendings }) {
  const store = await EventStore.open(database);
  await word(channel, "go", writer);
  const random = numbers(seed);
  const record = { done: [], refused: 0, duplicates: 0, attempts: 0 };
  for (let number = 0; number < commands; number += 1) {
    const amount = Math.floor(random() * 21) - 10;
    const commandId = sendings === 1 ? undefined : `${writer}-${number}`;
    // The second does not wait for the first, as a second press of a button does not.
    const results = await Promise.allSettled(
      Array.from({ length: sendings }, () => store.execute(Account, "account-1", { amount }, { commandId, retries: 1_000 })),
    );
    let executed = 0;
    for (const { value, reason } of results) {
      if (reason !== undefined && reason.message !== "insufficient funds") throw reason;
      if (reason !== undefined) record.refused += 1;
      else if (value.duplicate) record.duplicates += 1;
      else executed += 1;
      record.attempts = Math.max(record.attempts, value?.attempts ?? 0);
    }
    if (1 < executed) throw new Error(`the command ${commandId} was executed ${executed} times`);
    if (executed === 1) record.done.push(amount);
  }
  await store.close();
  return record;
}

/** The account as it is loaded, and what its events come to one by one. */
export async function inspect(database) {
  const store = await EventStore.open(database);
  const { state, revision } = await store.load(Account, "account-1");
  const events = await store.read("account-1").toArray();
  await store.close();
  return { state, revision, events: events.map(({ type, data, metadata }) => ({ amount: type === "Withdrawn" ? -data.amount : data.amount, commandId: metadata.commandId })) };
}
