// Opens the store and shows the session in it.

import { EventStore, isEverfoldError } from "../dist/index.js";
import { AppendPanel } from "./append-panel.js";
import { Figures } from "./figures.js";
import { MomentPanel } from "./moment-panel.js";
import { Notices } from "../parts/notice.js";
import { recordingOf } from "./recording-file.js";
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
  session.close();
  momentPanel.close();
  appendPanel.close();
  figures.clear();
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

/** Shows the events of a file instead. */
async function choose(file) {
  try {
    const recording = await recordingOf(file);
    if (!session.isOpen) return;
    momentPanel.close();
    appendPanel.close();
    await session.open(session.store, recording);
    notices.clear();
    figures.clear();
    momentPanel.open();
    appendPanel.open();
    byId("file-state").textContent = `${file.name}: ${recording.total.toLocaleString("en")} ${recording.unit}, for the stream ${recording.stream}. Reload to go back to the editing session.`;
  } catch (error) {
    byId("file-state").textContent = `${file.name} cannot be shown: ${error.message}`;
  }
}

/** Takes files that are dropped anywhere on the page, or chosen. */
function offerFiles() {
  const input = byId("file");
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file !== undefined) void choose(file);
    // So that the same file can be chosen again.
    input.value = "";
  });
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("is-dropping");
  });
  for (const type of ["dragleave", "drop"]) addEventListener(type, () => document.body.classList.remove("is-dropping"));
  addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (file === undefined) return;
    event.preventDefault();
    void choose(file);
  });
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
offerFiles();
setInterval(() => void lookAround(), LOOK_MS);
void open("indexeddb");
