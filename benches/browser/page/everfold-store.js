// The store under test, as an application opens it.

import { assertEqualWork, content } from "./checksum.js";

/** The package. It is loaded when it is first needed, so that the raw peer can run where nothing is built. */
export const loadPackage = () => import("/dist/index.js");

/** Opens the store of this name. */
export async function openStore(name) {
  const { EventStore } = await loadPackage();
  return EventStore.open(name);
}

/** Deletes the store of this name. */
export async function destroyStore(name) {
  const { EventStore } = await loadPackage();
  await EventStore.destroy(name);
}

/** All events, page by page. */
export async function readAll(store) {
  const pages = [];
  for await (const page of store.readAll().pages()) pages.push(page);
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
