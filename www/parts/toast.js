// Says briefly that something was done, also to who cannot see it.

import { element } from "./element.js";

/** Long enough to be read. */
const SHOWN_MS = 5_000;

const TOASTS_MAX = 3;

let place;

/** Shows a message for some seconds; `kind` is `"done"` or `"refused"`. */
export function toast(message, kind = "done") {
  place ??= document.body.appendChild(element("div.toasts", { role: "status", "aria-live": "polite" }));
  const shown = element(`p.toast.${kind}`, {}, message);
  place.append(shown);
  while (TOASTS_MAX < place.childElementCount) place.firstElementChild.remove();
  setTimeout(() => shown.remove(), SHOWN_MS);
}
