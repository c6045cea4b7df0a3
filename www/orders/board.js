// The board: a column a status, each a page of documents that are followed.

import { arrange } from "../parts/arrange.js";
import { element } from "../parts/element.js";
import { follow } from "../parts/follow.js";
import { formatAgo, formatCount, formatMoney, formatTime } from "../parts/format.js";
import { STEPS } from "../shop/domain.js";

/** What people do: the other steps follow by themselves. */
const STEPS_BY_HAND = ["Deliver", "Cancel"];

const COLUMNS = [
  ["placed", "Placed"],
  ["paid", "Paid"],
  ["shipped", "Shipped"],
  ["delivered", "Delivered"],
  ["cancelled", "Cancelled"],
];

/** So many orders a column shows, those that changed last. */
const ROWS_MAX = 40;

/** How often "3 minutes ago" is said anew. */
const AGE_MS = 5_000;

/**
 * Shows the orders of a read model, and follows them.
 *
 * @param {HTMLElement} place
 * @param {import("../dist/index.js").ReadModel} orders
 * @param {object} listeners
 * @param {(stream: string, step: string) => void} listeners.onStep is told what is to be done with which order
 * @param {(stream: string) => void} listeners.onChoose is told which order's story is to be told
 * @param {(error: unknown) => void} listeners.onError
 */
export function showBoard(place, orders, { onStep, onChoose, onError }) {
  const columns = COLUMNS.map(([status, label]) => new Column(orders, status, label, { onStep, onChoose, onError }));
  place.replaceChildren(...columns.map(({ box }) => box));
  setInterval(() => columns.forEach((column) => column.drawAges()), AGE_MS);
}

class Column {
  #status;
  #label;
  #orders;
  #onStep;
  #onChoose;
  #list = element("ul", { tabindex: -1 });
  #count = element("span.chip", {}, "0");
  #heading;
  /** Cards by the key of their order: what did not change is not drawn anew, and keeps the focus. */
  #cards = new Map();
  #isFirst = true;

  constructor(orders, status, label, { onStep, onChoose, onError }) {
    this.#orders = orders;
    this.#status = status;
    this.#label = label;
    this.#onStep = onStep;
    this.#onChoose = onChoose;
    this.#heading = element("h2", { id: `column-${status}` }, label);
    this.#list.setAttribute("aria-labelledby", `column-${status}`);
    this.box = element(`section.column.${status}`, { "aria-labelledby": `column-${status}`, "data-status": status }, element("div.column-head", {}, this.#heading, this.#count), this.#list);
    const rows = orders.live({ index: "byStatus", equals: [status], direction: "backwards", limit: ROWS_MAX });
    follow(rows, ({ rows }) => this.#draw(rows, onError), onError);
  }

  drawAges() {
    const now = Date.now();
    for (const age of this.#list.querySelectorAll("time")) age.textContent = formatAgo(Number(age.dataset.time), now);
  }

  #draw(rows, onError) {
    const cards = new Map();
    for (const { key, doc } of rows) {
      const known = this.#cards.get(key);
      cards.set(key, known?.doc === doc ? known : { doc, card: this.#card(key, doc) });
    }
    this.#cards = cards;
    const focused = [...this.#list.children].findIndex((card) => card.contains(document.activeElement));
    arrange(this.#list, cards.size === 0 ? [element("li.column-empty", {}, "None now.")] : [...cards.values()].map(({ card }) => card));
    if (0 <= focused) this.#keepFocus(focused);
    this.#isFirst = false;
    void this.#drawCount(rows.length, onError);
  }

  /** Where the card that had the focus is gone, the story of the one in its place has it: a late Enter must not change an order that nobody chose. */
  #keepFocus(place) {
    if (this.#list.contains(document.activeElement)) return;
    const card = this.#list.children[Math.min(place, this.#list.children.length - 1)];
    (card.querySelector("button") ?? this.#list).focus();
  }

  async #drawCount(shown, onError) {
    try {
      const count = shown < ROWS_MAX ? shown : await this.#orders.count({ index: "byStatus", equals: [this.#status] });
      this.#count.textContent = formatCount(count);
      this.#count.setAttribute("aria-label", `${formatCount(count)} orders`);
    } catch (error) {
      onError(error);
    }
  }

  #card(key, { customer, cents, items, reason, changedAt }) {
    const buttons = STEPS_BY_HAND.filter((step) => STEPS[step].from.includes(this.#status)).map((step) => {
      const name = step === "Cancel" ? "button.small.danger" : "button.small";
      return element(name, { type: "button", "data-step": step, "aria-label": `${step} ${key}`, onclick: () => this.#onStep(key, step) }, step);
    });
    const story = element("button.link", { type: "button", "data-story": key, title: "What came of it", onclick: () => this.#onChoose(key) }, key);
    const card = element(
      "li.order",
      { "data-order": key },
      story,
      element("span", {}, customer),
      element("span.quiet", {}, `${formatMoney(cents)} · ${items} item${items === 1 ? "" : "s"}`),
      element("span.quiet", {}, element("time", { datetime: new Date(changedAt).toISOString(), "data-time": changedAt, title: `${formatTime(changedAt)} UTC` }, formatAgo(changedAt, Date.now()))),
      reason === undefined ? undefined : element("span.order-reason", {}, reason),
      0 < buttons.length ? element("div.buttons", {}, ...buttons) : undefined,
    );
    if (!this.#isFirst) card.classList.add("is-new");
    return card;
  }
}
