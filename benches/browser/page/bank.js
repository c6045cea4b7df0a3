// The workload: events of a bank's accounts.

import { Prng } from "./prng.js";

const ACCOUNTS = 1_000;
const USERS = 50;
const NOTES = ["rent", "salary", "groceries", "transfer to savings", "card payment"];
/** The time of the first event, for the peers, which are given what a store assigns. */
const START_ms = 1_760_000_000_000;

/**
 * An event as it will be recorded in the log. A store is given its stream, id, type, data and metadata, and finds the
 * rest; a peer is given all of it.
 *
 * @typedef {{ id: string, stream: string, revision: number, position: number, type: string, data: object, metadata: object, time: number }} BankEvent
 */

/** A log that is made as it is asked for: the same seed gives the same events. */
export class Bank {
  #prng;
  #placeOf;
  #position;
  #time = START_ms;

  constructor(prng, position, placeOf) {
    this.#prng = prng;
    this.#position = position;
    this.#placeOf = placeOf;
  }

  /** Each event is of any of the accounts. */
  static atRandom(seed, accounts = ACCOUNTS) {
    const prng = new Prng(seed);
    const revisions = new Array(accounts).fill(0);
    return new Bank(prng, 0, () => {
      const account = prng.below(accounts);
      return { account, revision: revisions[account]++ };
    });
  }

  /** The accounts take turns, so that the events of each are spread evenly. `after` is the position that the log has reached. */
  static inTurn(seed, accounts, after = 0) {
    return new Bank(new Prng(seed), after, (index) => ({ account: index % accounts, revision: Math.floor(index / accounts) }));
  }

  /**
   * The next events.
   *
   * @param {number} count
   * @returns {BankEvent[]}
   */
  next(count) {
    return Array.from({ length: count }, () => this.#event());
  }

  #event() {
    const { account, revision } = this.#placeOf(this.#position);
    this.#position += 1;
    this.#time += this.#prng.below(5_000);
    const { type, data } = bankData(this.#prng, revision);
    const metadata = { user: `u${this.#prng.below(USERS)}` };
    const id = this.#prng.uuid();
    return { id, stream: streamOf(account), revision, position: this.#position, type, data, metadata, time: this.#time };
  }
}

/** The first events of a bank of 1,000 accounts. */
export function bankEvents(seed, count) {
  return Bank.atRandom(seed).next(count);
}

/** The stream of an account. */
export function streamOf(account) {
  return `account-${account}`;
}

/** What a caller of the store says of an event. */
export function newEvent({ id, type, data, metadata }) {
  return { id, type, data, metadata };
}

/** As {@link newEvent}, where the store makes the id. */
export function newEventWithoutId({ type, data, metadata }) {
  return { type, data, metadata };
}

/** A write for each event, so that the log has them in the order of the workload. */
export function writesOf(events, eventOf = newEvent) {
  return events.map((event) => ({ stream: event.stream, events: [eventOf(event)] }));
}

/** Cuts a list into lists of `size`; the last may be shorter. */
export function chunks(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
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
