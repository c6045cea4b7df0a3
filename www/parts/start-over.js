// Deletes the database of a page, once that is confirmed.

import { EventStore } from "../dist/index.js";
import { element } from "./element.js";

/**
 * Makes a button start the page over: its database is deleted, and the page loaded anew.
 *
 * @param {HTMLButtonElement} button
 * @param {string} name of the store
 * @param {(error: unknown) => void} onError
 */
export function offerStartOver(button, name, onError) {
  button.addEventListener("click", async () => {
    if (!(await isConfirmed())) return;
    try {
      await EventStore.destroy(name);
      location.reload();
    } catch (error) {
      onError(error);
    }
  });
}

function isConfirmed() {
  const title = element("h2", { id: "start-over-title" }, "Delete this page's data?");
  const text = element("p", {}, "All its events are deleted from this browser, and the page begins anew with sample data. Other tabs with it are told.");
  const dialog = element(
    "dialog",
    { "aria-labelledby": "start-over-title" },
    element(
      "form",
      { method: "dialog" },
      title,
      text,
      element("div.dialog-buttons", {}, element("button", { value: "keep", autofocus: true }, "Keep it"), element("button.danger", { value: "delete" }, "Delete it")),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "delete");
    });
  });
}
