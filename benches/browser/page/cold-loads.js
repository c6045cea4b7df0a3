// Opening and loading one long stream, in a page that was just loaded: with a snapshot, and without.

import { accountAggregate } from "./account.js";
import { Bank, chunks, newEvent } from "./bank.js";
import { destroyStore, loadWhole, openStore, startWasm } from "./everfold-store.js";

const STORE = "cold-loads";
/** The last so many events come after the snapshot. */
const TAIL_EVENTS = 100;
const BATCH_EVENTS = 1_000;

/** Whether each contestant keeps snapshots. */
const SNAPSHOTS = { snapshot: {}, replayed: { snapshotEvery: false } };

/** Makes a stream of so many events, compacted, with a snapshot of nearly all of it. */
export async function prepareColdLoads({ seed, count }) {
  const { defineAggregate } = await loadWhole();
  const Account = accountAggregate(defineAggregate, SNAPSHOTS.snapshot);
  const events = Bank.inTurn(seed, 1).next(count);
  const store = await openStore(STORE);
  const append = async (some) => {
    for (const batch of chunks(some, BATCH_EVENTS)) await store.append(events[0].stream, batch.map(newEvent));
  };
  await append(events.slice(0, -TAIL_EVENTS));
  await store.compact();
  await store.load(Account, events[0].stream);
  await append(events.slice(-TAIL_EVENTS));
  // Closing waits for the snapshot.
  await store.close();
  const again = await openStore(STORE);
  const [{ state }, { snapshots }] = [await again.load(Account, events[0].stream), await again.stats()];
  await again.close();
  if (snapshots !== 1) throw new Error(`there are ${snapshots} snapshots, where one was to be`);
  return { stream: events[0].stream, expected: state };
}

/** Opens and loads, once, with the wasm started; call it in a page that was just loaded. */
export async function coldLoad({ contestant, stream, expected }) {
  const { defineAggregate } = await loadWhole();
  const Account = accountAggregate(defineAggregate, SNAPSHOTS[contestant]);
  await startWasm();
  const begun_ms = performance.now();
  const store = await openStore(STORE);
  const opened_ms = performance.now();
  const { state } = await store.load(Account, stream);
  const ended_ms = performance.now();
  await store.close();
  if (JSON.stringify(state) !== JSON.stringify(expected)) throw new Error(`${contestant}: the account is another`);
  return { elapsed_ms: ended_ms - begun_ms, load_ms: ended_ms - opened_ms };
}

export async function endColdLoads() {
  await destroyStore(STORE);
}
