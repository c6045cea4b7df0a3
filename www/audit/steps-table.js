// The table of what was done: when, by whom, to whom, and what it was before and after.

import { byId, element } from "../parts/element.js";
import { formatTime } from "../parts/format.js";

/** Shows steps. `isKnown` says which were shown before: others are marked as new. */
export function showSteps(steps, isKnown) {
  byId("steps-empty").hidden = 0 < steps.length;
  byId("steps").replaceChildren(...steps.map((step) => rowOf(step, isKnown(step))));
}

function rowOf({ event, before, state, patch }, isKnown) {
  const { by = "unknown" } = event.metadata;
  // The roles of rows and cells are said, because on phones rows are laid out as blocks, which would take them away.
  return element(
    isKnown ? "tr" : "tr.is-new",
    { role: "row", "data-event": `${event.stream}:${event.revision}` },
    element("td.when.number", { role: "cell" }, `${formatTime(event.time)}`),
    element("td", { role: "cell" }, element("span.chip.other", {}, by)),
    element("td", { role: "cell" }, element("strong", {}, state.name), element("span.quiet.what", {}, event.type)),
    element("td.changes", { role: "cell" }, ...changedFields(patch).map((field) => changeOf(field, before[field], state[field]))),
    element(
      "td",
      { role: "cell" },
      element("details", {}, element("summary", {}, "JSON Patch"), element("code.patch", {}, ...patch.map((operation) => element("span", {}, JSON.stringify(operation))))),
    ),
  );
}

/** The parts of a user that a patch touches, each once. */
function changedFields(patch) {
  return [...new Set(patch.map(({ path }) => path.split("/")[1]))];
}

function changeOf(field, before, after) {
  return element(
    "div.change",
    {},
    element("span.field-name", {}, field),
    element("span", {}, element("del", {}, shown(before)), " ", element("span.arrow", { "aria-hidden": "true" }, "→"), " ", element("ins", {}, shown(after))),
  );
}

function shown(value) {
  if (value === null || value === "" || value.length === 0) return "none";
  return Array.isArray(value) ? value.join(", ") : String(value);
}
