// The workload: events of a bank's accounts.

import { Prng } from "./prng.js";

const ACCOUNTS = 1_000;
const USERS = 50;
const NOTES = ["rent", "salary", "groceries", "transfer to savings", "card payment"];
/** The time of the first event, for the peers, which are given what a store assigns. */
const START_ms = 1_760_000_000_000;

/**
 * An event as it will be recorded in an empty log. A store is given its stream, id, type, data and metadata, and finds the
 * rest; a peer is given all of it.
 *
 * @typedef {{ id: string, stream: string, revision: number, position: number, type: string, data: object, metadata: object, time: number }} BankEvent
 */

/**
 * The first events of a bank's log; the same seed gives the same.
 *
 * @param {number} seed
 * @param {number} count
 * @returns {BankEvent[]}
 */
export function bankEvents(seed, count) {
  const prng = new Prng(seed);
  const revisions = new Array(ACCOUNTS).fill(0);
  let time = START_ms;
  return Array.from({ length: count }, (_, index) => {
    const account = prng.below(ACCOUNTS);
    const revision = revisions[account]++;
    time += prng.below(5_000);
    const { type, data } = bankData(prng, revision);
    const metadata = { user: `u${prng.below(USERS)}` };
    return { id: prng.uuid(), stream: `account-${account}`, revision, position: index + 1, type, data, metadata, time };
  });
}

/** What a caller of the store says of an event. */
export function newEvent({ id, type, data, metadata }) {
  return { id, type, data, metadata };
}

/** As {@link newEvent}, where the store makes the id. */
export function newEventWithoutId({ type, data, metadata }) {
  return { type, data, metadata };
}

function bankData(prng, revision) {
  const amount = 1 + prng.below(100_000);
  const note = prng.pick(NOTES);
  const kind = prng.below(10);
  if (revision === 0) return { type: "AccountOpened", data: { owner: `customer ${prng.below(10_000)}`, currency: "EUR" } };
  if (kind < 5) return { type: "MoneyDeposited", data: { amount, currency: "EUR" } };
  if (kind < 9) return { type: "MoneyWithdrawn", data: { amount, currency: "EUR", reason: note } };
  return { type: "NoteAdded", data: { text: note } };
}
