// Opens the store and shows the session in it.

import { EventStore, isEverfoldError } from "../dist/index.js";
import { AppendPanel } from "./append-panel.js";
import { Figures } from "./figures.js";
import { MomentPanel } from "./moment-panel.js";
import { Notices } from "../parts/notice.js";
import { Session } from "./session.js";

/** The name of the demo's database. */
const NAME = "demo-session";

/** How often the page looks whether another tab has appended. */
const LOOK_MS = 1_000;

const byId = (id) => document.getElementById(id);
const notices = new Notices(byId("notices"));
const figures = new Figures(byId("figures"));
const session = new Session();
const appendPanel = new AppendPanel({ session, figures, onError: showError });
const momentPanel = new MomentPanel({ session, figures, onError: showError });

async function open(storage) {
  try {
    const store = await EventStore.open(NAME, { storage });
    notices.clear();
    figures.clear();
    await session.open(store);
    momentPanel.open();
    appendPanel.open();
    byId("delete").disabled = false;
  } catch (error) {
    appendPanel.fail();
    showError(error);
  }
}

/** Says what went wrong, with what can be done about it here. */
function showError(error) {
  const reload = { label: "Reload", run: () => location.reload() };
  if (isEverfoldError(error, "CLOSED")) {
    // Said once, however many calls were under way.
    if (session.isOpen) void stop().catch(console.error);
    notices.show(error, [{ label: "Open it again", run: () => void open("indexeddb") }]);
  } else if (isEverfoldError(error, "STORAGE_UNAVAILABLE")) {
    notices.show(error, [reload, { label: "Try it without keeping anything", run: () => void open("memory") }]);
  } else if (isEverfoldError(error, "QUOTA_EXCEEDED")) {
    notices.show(error, []);
  } else {
    notices.show(error, [reload]);
  }
}

/** Lets go of the store, after what is under way. */
async function stop() {
  const { store } = session;
  momentPanel.close();
  appendPanel.close();
  session.close();
  byId("delete").disabled = true;
  await store.close();
}

/** Deletes the database, once that is confirmed, and opens an empty one. */
async function startOver() {
  const dialog = byId("delete-dialog");
  byId("delete-text").textContent =
    session.count === 0
      ? "There are no events in it."
      : `${session.count.toLocaleString("en")} events will be gone. Other tabs with this page are told.`;
  dialog.returnValue = "keep";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  // Another tab may have been faster.
  if (dialog.returnValue !== "delete" || !session.isOpen) return;
  const { storage } = session.store;
  try {
    await stop();
    await EventStore.destroy(NAME);
    await open(storage);
  } catch (error) {
    showError(error);
  }
}

/** Follows what other tabs append, and notices when one has deleted the database. */
async function lookAround() {
  if (!session.isOpen || session.isAppending || document.hidden) return;
  try {
    await session.refresh();
  } catch (error) {
    showError(error);
  }
}

byId("delete").addEventListener("click", () => void startOver());
setInterval(() => void lookAround(), LOOK_MS);
void open("indexeddb");
