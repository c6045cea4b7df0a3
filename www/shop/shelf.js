// The shelf: what can be put into the cart.

import { element } from "../parts/element.js";
import { formatMoney } from "../parts/format.js";
import { PRODUCTS } from "./domain.js";

/** Shows the products; `onAdd` is told which one was chosen. */
export function showShelf(place, onAdd) {
  const items = PRODUCTS.map(({ sku, name, detail, cents }) => {
    const add = element("button.small", { type: "button", "data-add": sku, "aria-label": `Add ${name}`, onclick: () => onAdd(sku) }, "Add");
    return element(
      "li",
      {},
      element("span.swatch", { "data-sku": sku, "aria-hidden": "true" }, name[0]),
      element("span.product", {}, element("strong", {}, name), element("span.quiet", {}, detail)),
      element("span.number", {}, formatMoney(cents)),
      add,
    );
  });
  place.replaceChildren(...items);
}
