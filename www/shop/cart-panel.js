// Shows the cart: as it is now and follows, or as it was after any of its events.

import { byId, element } from "../parts/element.js";
import { follow } from "../parts/follow.js";
import { formatMoney, formatTime } from "../parts/format.js";
import { Cart, productOf, totalOf } from "./domain.js";

export class CartPanel {
  #store;
  #onCommand;
  #onMoment;
  #onError;
  #stream;
  #stop = () => {};
  /** How the cart is now. */
  #now;
  /** After which event it is shown; nothing where it is shown as it is now. @type {number | undefined} */
  #revision;
  #slider = byId("cart-moment");

  /**
   * @param {object} store
   * @param {object} listeners
   * @param {(command: object) => void} listeners.onCommand
   * @param {(revision: number | undefined) => void} listeners.onMoment is told which moment is shown
   * @param {(error: unknown) => void} listeners.onError
   */
  constructor(store, { onCommand, onMoment, onError }) {
    this.#store = store;
    this.#onCommand = onCommand;
    this.#onMoment = onMoment;
    this.#onError = onError;
    this.#slider.addEventListener("input", () => this.go(Number(this.#slider.value)));
    byId("cart-now").addEventListener("click", () => this.go(undefined));
  }

  get stream() {
    return this.#stream;
  }

  /** The revision that the cart has; nothing where it has no events. */
  get revision() {
    return this.#now?.revision;
  }

  /** Shows the cart of a stream. */
  open(stream) {
    this.#stop();
    this.#stream = stream;
    this.#revision = undefined;
    this.#now = undefined;
    byId("cart-heading").textContent = stream.replace("-", " ").replace("c", "C");
    const live = this.#store.live(Cart, stream);
    this.#stop = follow(live, (now) => this.#changed(now), this.#onError);
  }

  /** Shows the cart as it was after an event, or where none is named, as it is. */
  async go(revision) {
    const last = this.#now?.revision;
    this.#revision = revision === last ? undefined : revision;
    this.#onMoment(this.#revision);
    if (this.#revision === undefined) {
      this.#draw(this.#now);
      return;
    }
    const [stream, wanted] = [this.#stream, this.#revision];
    try {
      const then = await this.#store.load(Cart, stream, { revision: wanted });
      const [event] = await this.#store.read(stream, { from: wanted, limit: 1 }).toArray();
      // Meanwhile another moment may have been asked for.
      if (stream === this.#stream && wanted === this.#revision) this.#draw(then, event);
    } catch (error) {
      this.#onError(error);
    }
  }

  #changed(now) {
    this.#now = now;
    if (this.#revision === undefined) this.#draw(now);
    else this.#drawControls();
  }

  #draw({ state }, event) {
    const lines = Object.values(state.lines);
    this.#drawLines(lines);
    byId("cart-empty").hidden = 0 < lines.length;
    byId("cart-total").textContent = formatMoney(totalOf(lines));
    byId("cart-state").textContent = event === undefined ? "as it is now" : `as it was at ${formatTime(event.time)} UTC`;
    this.#drawControls(lines.length === 0 || state.isCheckedOut);
  }

  /**
   * Draws the lines anew; the button that has the focus keeps it, so that it can be pressed again. Where its line is gone, the list has it: a button of
   * another line would take an Enter that was not meant for it.
   */
  #drawLines(lines) {
    const place = byId("cart-lines");
    const focused = document.activeElement?.closest("#cart-lines button")?.getAttribute("aria-label");
    place.replaceChildren(...lines.map((line) => this.#line(line)));
    if (focused !== undefined) (place.querySelector(`[aria-label="${CSS.escape(focused)}"]`) ?? place).focus();
  }

  #drawControls(isEmpty = false) {
    const last = this.#now?.revision ?? -1;
    const isPast = this.#revision !== undefined;
    const shown = this.#revision ?? last;
    this.#slider.max = String(Math.max(0, last));
    this.#slider.value = String(Math.max(0, shown));
    this.#slider.disabled = last < 1;
    const label = last < 0 ? "no events yet" : `after event ${shown + 1} of ${last + 1}`;
    byId("cart-label").textContent = label;
    this.#slider.setAttribute("aria-valuetext", label);
    byId("cart-now").disabled = !isPast;
    byId("cart").classList.toggle("is-past", isPast);
    byId("check-out").disabled = isPast || isEmpty;
    for (const button of byId("cart-lines").querySelectorAll("button")) button.disabled = isPast;
  }

  #line({ sku, quantity, cents }) {
    const { name } = productOf(sku);
    const step = (type, sign, label) =>
      element("button.small.step", { type: "button", "aria-label": `${label} ${name}`, onclick: () => this.#onCommand({ type, sku, quantity: 1 }) }, sign);
    return element(
      "li",
      { "data-line": sku },
      element("span.line-name", {}, name),
      element("span.steps", {}, step("Remove", "−", "One less:"), element("span.number.quantity", {}, String(quantity)), step("Add", "+", "One more:")),
      element("span.number.line-total", {}, formatMoney(quantity * cents)),
    );
  }
}
