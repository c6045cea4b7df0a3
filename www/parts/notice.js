// Tells people what went wrong, and what they can do about it.

import { isEverfoldError } from "../dist/index.js";
import { element } from "./element.js";

/** What to say of each error of the store; what is not here is said in the store's own words. */
const ADVICE = {
  STORAGE_UNAVAILABLE: {
    what: "The browser does not open the database.",
    next: "Close other tabs with this page and reload; where the browser keeps nothing for this address, allow site data or leave private browsing.",
  },
  QUOTA_EXCEEDED: {
    what: "The browser has no more room for this page. Nothing of the last batch was written; all that was stored before is whole.",
    next: "Free some disk space, or delete the database below, then carry on.",
  },
  CLOSED: {
    what: "The database was deleted in another tab.",
    next: "This page can begin anew.",
  },
  VERSION_TOO_NEW: {
    what: "A newer version of everfold wrote this database, and this one leaves it alone.",
    next: "Reload to get the newest version of this page.",
  },
  CORRUPT_DATA: {
    what: "A stored record is damaged. What is whole can still be read; nothing is appended behind the damage.",
    next: "Delete the database below to start over.",
  },
  STORAGE_FAILED: {
    what: "The browser failed to store or to read something.",
    next: "Try again. If it stays, reload the page: what was stored is kept.",
  },
  INTERNAL: {
    what: "Something went wrong inside the event store.",
    next: "Reload the page: what was stored is kept. Please report it.",
  },
};

const RELOAD = { label: "Reload", run: () => location.reload() };

export class Notices {
  #place;

  constructor(place) {
    this.#place = place;
  }

  /**
   * Shows an error until it is dismissed or cleared.
   *
   * @param {unknown} error
   * @param {{ label: string, run: () => void }[]} [actions] what can be done at once; reloading where none is given
   */
  show(error, actions = [RELOAD]) {
    console.error(error);
    const code = isEverfoldError(error) ? error.code : undefined;
    const advice = ADVICE[code] ?? { what: String(error?.message ?? error), next: "Reload the page: what was stored is kept." };
    const notice = element("div.notice", { role: "alert" }, element("p.notice-what", {}, advice.what), element("p", {}, advice.next));
    if (code !== undefined) notice.append(element("p.notice-code", {}, `${code}: ${error.message}`));
    const dismiss = { label: "Dismiss", run: () => {} };
    const buttons = [...actions, dismiss].map((action) => this.#button(action, notice));
    notice.append(element("div.notice-buttons", {}, ...buttons));
    // The same trouble again replaces what was said of it before.
    this.#place.replaceChildren(notice);
  }

  /** Says something that is no error. */
  say(text) {
    this.#place.replaceChildren(element("p.notice.mild", { role: "status" }, text));
  }

  clear() {
    this.#place.replaceChildren();
  }

  #button({ label, run }, notice) {
    const onclick = () => {
      notice.remove();
      run();
    };
    return element("button.small", { type: "button", onclick }, label);
  }
}
