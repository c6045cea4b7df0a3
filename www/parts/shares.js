// Draws what a whole consists of: a row a part, with a bar as long as its share.

import { drawing, element } from "./element.js";
import { formatCount } from "./format.js";

/**
 * Draws rows of a label, a bar and a number, the largest first.
 *
 * @param {HTMLElement} place a list
 * @param {[label: string, count: number][]} parts
 */
export function drawShares(place, parts) {
  const sorted = [...parts].sort(([, one], [, other]) => other - one);
  const most = Math.max(1, sorted[0]?.[1] ?? 0);
  const rows = sorted.map(([label, count]) => {
    const bar = drawing("rect.bar", { x: 0, y: 0, width: Math.max(0.4, (count / most) * 100), height: 8, rx: 1 });
    const svg = drawing("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, bar);
    return element("li", {}, element("span.share-label", {}, label), svg, element("span.number", {}, formatCount(count)));
  });
  place.replaceChildren(...rows);
}
