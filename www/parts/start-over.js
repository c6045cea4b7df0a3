// Deletes the database of a page, once that is confirmed.

import { EventStore } from "../dist/index.js";
import { element } from "./element.js";

/**
 * Makes a button start the page over: its database is deleted, and the page loaded anew.
 *
 * @param {HTMLButtonElement} button
 * @param {object} store
 * @param {string} store.name
 * @param {string} [store.whose] the pages that keep their events in it
 * @param {(error: unknown) => void} onError
 */
export function offerStartOver(button, { name, whose = "this page" }, onError) {
  button.addEventListener("click", async () => {
    if (!(await isConfirmed(whose))) return;
    try {
      await EventStore.destroy(name);
      location.reload();
    } catch (error) {
      onError(error);
    }
  });
}

function isConfirmed(whose) {
  const title = element("h2", { id: "start-over-title" }, "Delete the data?");
  const text = element("p", {}, `All events of ${whose} are deleted from this browser, and begin anew. Other tabs with them are told.`);
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
