// Opening and folding everything into a state for each account, in a page that was just loaded.

import { DOCUMENT, FUNCTIONS, accountAggregate, initial } from "./account.js";
import { Checksum, assertEqualWork } from "./checksum.js";
import { COLD_STORE, PEER_STORE } from "./cold-reads.js";
import { loadDexie } from "./dexie-database.js";
import { loadRust, loadWhole, openStore } from "./everfold-store.js";
import { PEERS, databaseOf } from "./peers.js";

/** So many folds come after the third. By the middle of them a browser has compiled for speed what it runs again and again. */
const LATER_FOLDS = 7;

/** The accounts that events come to, as a plain loop has them. */
function reduced(events) {
  const states = new Map();
  for (const event of events) {
    states.set(event.stream, FUNCTIONS[event.type](states.get(event.stream) ?? initial(), event));
  }
  return states;
}

/** The number of accounts, and a checksum of all of them. */
function accountsOf(states) {
  const checksum = new Checksum();
  for (const stream of [...states.keys()].sort()) {
    const { owner, balance, notes } = states.get(stream);
    checksum.text(JSON.stringify([stream, owner, balance, notes]));
  }
  return { count: states.size, checksum: checksum.value };
}

/** What all have to come to. */
export function expectedAccounts(events) {
  return accountsOf(reduced(events));
}

/**
 * Opens and folds, once; call it in a page that was just loaded. The wasm is started within the time, JavaScript is loaded
 * before it. `again_ms` is how long the same takes once more, `third_ms` a third time, with whatever the contestant has kept at
 * hand: everfold keeps what is folded twice. `later_ms` is the median of those that follow.
 */
export async function coldFold({ contestant, accounts }) {
  const { open, fold, close } = await folderOf(contestant);
  const begun_ms = performance.now();
  const opened = await open();
  const open_ms = performance.now() - begun_ms;
  const states = await fold(opened);
  const elapsed_ms = performance.now() - begun_ms;
  assertEqualWork(`a cold fold by ${contestant}`, accounts, accountsOf(states));
  const again_begun_ms = performance.now();
  await fold(opened);
  const third_begun_ms = performance.now();
  await fold(opened);
  const [again_ms, third_ms] = [third_begun_ms - again_begun_ms, performance.now() - third_begun_ms];
  const later_ms = await timeOfLater(() => fold(opened));
  await close(opened);
  return { elapsed_ms, open_ms, again_ms, third_ms, later_ms };
}

async function timeOfLater(fold) {
  const times = [];
  for (let count = 0; count < LATER_FOLDS; count += 1) {
    const begun_ms = performance.now();
    await fold();
    times.push(performance.now() - begun_ms);
  }
  return times.sort((a, b) => a - b)[LATER_FOLDS >> 1];
}

async function folderOf(contestant) {
  if (contestant === "dexie") {
    await loadDexie();
    const { Database, decode } = PEERS.dexie;
    return {
      open: () => Database.open(databaseOf("dexie", PEER_STORE)),
      fold: async (database) => reduced(decode(await database.all())),
      close: (database) => database.close(),
    };
  }
  const Account = await accountOf(contestant);
  return { open: () => openStore(COLD_STORE), fold: (store) => statesOf(store, Account), close: (store) => store.close() };
}

/** The aggregate, by a document, by functions, or in Rust: then this page loads the wasm of that, and not everfold's own. */
async function accountOf(contestant) {
  if (contestant === "rust") return (await loadRust()).rustAggregate({ name: "account", category: "account" });
  const { defineAggregate } = await loadWhole();
  return accountAggregate(defineAggregate, { evolve: contestant === "declarative" ? DOCUMENT : FUNCTIONS, snapshotEvery: false });
}

async function statesOf(store, aggregate) {
  return new Map(Array.from(await store.loadAll(aggregate), ([stream, { state }]) => [stream, state]));
}
