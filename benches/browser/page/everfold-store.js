// The store under test, as an application opens it.

import { assertEqualWork, content } from "./checksum.js";

/** The package, once it is loaded: asking for a module that is there takes half a millisecond of a page that was just loaded. */
let everfold;

/** The package, loaded when it is first needed: a page that reads a peer does not carry it. */
export async function loadPackage() {
  everfold ??= await import("/dist/index.js");
  return everfold;
}

/** The package with all of its code, also what a page would load when it first folds: for who measures what comes after that. */
export async function loadWhole() {
  const loaded = await loadPackage();
  await import("/dist/whole.js");
  return loaded;
}

/** The whole package, with the wasm of examples/rust-aggregate in place of its own. */
export async function loadRust() {
  await loadWhole();
  const rust = await import("/dist/rust.js");
  const glue = await import("/domain/bank_domain_bg.js");
  rust.useWasm({ glue, url: new URL("/domain/bank_domain_bg.wasm", location.href) });
  return rust;
}

/** The name of a store's database. */
export function databaseOfStore(name) {
  return `everfold:${name}`;
}

/** Opens the store of this name. */
export async function openStore(name) {
  const { EventStore } = everfold ?? (await loadPackage());
  return EventStore.open(name);
}

/** Starts the wasm and opens nothing: it is asked for a store that is not there. */
export async function startWasm() {
  const { EventStore } = await loadPackage();
  await EventStore.exists("no such store");
}

/** Deletes the store of this name. */
export async function destroyStore(name) {
  const { EventStore } = await loadPackage();
  await EventStore.destroy(name);
}

/** All events behind a position, page by page. */
export async function readAll(store, after = 0) {
  const pages = [];
  for await (const page of store.readAll({ after }).pages()) pages.push(page);
  return pages.flat();
}

/** Closes the store, opens it anew, checks that it holds exactly these events, and deletes it. */
export async function checkAndDestroy(store, events) {
  const { name } = store;
  await store.close();
  const again = await openStore(name);
  assertEqualWork(`everfold, ${name}`, content(events), content(await readAll(again)));
  await again.close();
  await destroyStore(name);
}
