// Shows events as they are made, in whichever tab, the newest first.

import { arrange } from "./arrange.js";
import { element } from "./element.js";
import { formatTime } from "./format.js";
import { tabOf } from "./tab-name.js";

/** Events are drawn at once for so many rows and no more: a longer past is for the page of the log. */
const ROWS_MAX = 60;

export class EventFeed {
  #place;
  #summarise;
  #onChoose;
  #onError;
  #subscription;
  #rows = [];
  #isCaughtUp = false;

  /**
   * @param {HTMLElement} place a list
   * @param {object} feed
   * @param {(event: object) => string} feed.summarise
   * @param {(event: object) => void} [feed.onChoose] makes each event a button
   * @param {(error: unknown) => void} feed.onError
   */
  constructor(place, { summarise, onChoose, onError }) {
    this.#place = place;
    this.#summarise = summarise;
    this.#onChoose = onChoose;
    this.#onError = onError;
  }

  /** Shows the events of a query that come after a position, and then those that come. */
  open(store, { after = 0, query }) {
    this.#subscription?.stop();
    this.#rows = [];
    this.#isCaughtUp = false;
    this.#draw();
    const subscription = store.subscribe({ after, query, onError: this.#onError }, (event) => {
      if (subscription === this.#subscription) this.#add(event);
    });
    this.#subscription = subscription;
    subscription.caughtUp.then(
      () => {
        if (subscription !== this.#subscription) return;
        this.#isCaughtUp = true;
        this.#draw();
      },
      // `onError` was told.
      () => {},
    );
  }

  /** Marks the event of a revision as the one that is shown. */
  mark(revision) {
    for (const button of this.#place.querySelectorAll("[data-revision]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.revision) === revision));
    }
  }

  #add(event) {
    const row = this.#row(event);
    if (this.#isCaughtUp) row.classList.add("is-new");
    this.#rows.unshift(row);
    this.#rows.length = Math.min(this.#rows.length, ROWS_MAX);
    this.#draw();
  }

  #draw() {
    const isEmpty = this.#isCaughtUp && this.#rows.length === 0;
    arrange(this.#place, isEmpty ? [element("li.quiet.events-empty", {}, "No events yet.")] : this.#rows);
  }

  #row(event) {
    const tab = tabOf(event.metadata);
    const content = [
      element("span.event-head", {}, element("strong", {}, event.type), tab === "" ? undefined : element(`span.chip.${tab === "this tab" ? "here" : "other"}`, {}, tab)),
      element("span.event-what", {}, this.#summarise(event)),
      element("span.event-place.quiet", {}, `${event.stream} · revision ${event.revision} · position ${event.position}`, element("br"), `${formatTime(event.time)} UTC`),
    ];
    if (this.#onChoose === undefined) return element("li", {}, element("div.event", {}, ...content));
    const onclick = () => this.#onChoose(event);
    return element("li", {}, element("button.event", { type: "button", "data-revision": event.revision, "aria-pressed": "false", onclick }, ...content));
  }
}
