// Shows all that there is of one event.

import { byId, element } from "../parts/element.js";
import { formatCount, formatTime } from "../parts/format.js";

/**
 * Shows an event; nothing hides it.
 *
 * @param {object | undefined} event
 * @param {(fields: object) => void} onFilter is told what else to look for, when that is chosen
 */
export function showDetails(event, onFilter) {
  byId("details-empty").hidden = event !== undefined;
  if (event === undefined) {
    byId("details").replaceChildren();
    return;
  }
  const find = (label, fields) => element("button.small.find", { type: "button", title: "Look for it", onclick: () => onFilter(fields) }, label);
  const facts = [
    ["Type", find(event.type, { type: event.type })],
    ["Stream", find(event.stream, { stream: event.stream })],
    ["Revision", formatCount(event.revision)],
    ["Position", formatCount(event.position)],
    ["Time", `${formatTime(event.time)} UTC`],
    ["Tags", element("span.tags", {}, ...event.tags.map((tag) => find(tag, { tag })))],
    ["Id", element("code.id", {}, event.id)],
  ];
  byId("details").replaceChildren(
    element("dl.facts", {}, ...facts.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)])),
    ...jsonOf("Data", event.data),
    ...jsonOf("Metadata", event.metadata),
  );
}

function jsonOf(label, value) {
  return [element("h3", {}, label), element("pre", { tabindex: 0, role: "group", "aria-label": label }, JSON.stringify(value, undefined, 2))];
}
