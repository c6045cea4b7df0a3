// Opens the store of a page, and says what follows where that cannot be done as wished.

import { EventStore } from "../dist/index.js";

/**
 * Opens a store in IndexedDB, or in memory where the browser refuses that and has no database of this name, and says so.
 *
 * @param {string} name
 * @param {import("./notice.js").Notices} notices
 * @param {object} [events] the registry of its events
 * @returns {Promise<EventStore | undefined>} nothing where it cannot be opened, which was said then
 */
export async function openStore(name, notices, events) {
  try {
    const store = await EventStore.open(name, { events, storage: "auto" });
    if (store.storage === "memory") notices.say("The browser does not let this page keep anything. You can try everything, and it is gone when the tab is closed.");
    return store;
  } catch (error) {
    notices.show(error);
    return undefined;
  }
}
