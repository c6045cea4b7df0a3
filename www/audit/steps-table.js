// The table of what was done: when, by whom, to whom, and what it was before and after.

import { arrange } from "../parts/arrange.js";
import { byId, element } from "../parts/element.js";
import { formatTime } from "../parts/format.js";

/** Rows by the id of their event: what was done stays as it is, and a patch that is open stays open. */
const rows = new Map();

/** Shows those steps of all that are looked for. What comes when others are there already is marked as new. */
export function showSteps(steps, isLookedFor) {
  const isFirst = rows.size === 0;
  // What comes back is not new.
  for (const row of rows.values()) if (!row.isConnected) row.classList.remove("is-new");
  for (const step of steps) if (!rows.has(step.event.id)) rows.set(step.event.id, rowOf(step, isFirst));
  const shown = steps.filter(isLookedFor);
  byId("steps-empty").hidden = 0 < shown.length;
  arrange(byId("steps"), shown.map(({ event }) => rows.get(event.id)));
}

function rowOf({ event, before, state, patch }, isFirst) {
  const { by = "unknown" } = event.metadata;
  // The roles of rows and cells are said, because on phones rows are laid out as blocks, which would take them away.
  return element(
    isFirst ? "tr" : "tr.is-new",
    { role: "row", "data-event": `${event.stream}:${event.revision}` },
    element("td.when.number", { role: "cell" }, `${formatTime(event.time)}`),
    element("td", { role: "cell" }, element("span.chip.other", {}, by)),
    element("td", { role: "cell" }, element("strong", {}, state.name), element("span.quiet.what", {}, event.type)),
    element("td.changes", { role: "cell" }, ...changedFields(patch).map((field) => changeOf(field, before[field], state[field]))),
    element(
      "td",
      { role: "cell" },
      element("details", {}, element("summary", {}, "JSON Patch"), element("code.patch", {}, ...patch.map((operation) => element("span", {}, ...breakable(JSON.stringify(operation)))))),
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

/** A long text may be broken behind its commas. */
function breakable(text) {
  return text.split(/(?<=,)/).flatMap((part) => [part, element("wbr")]);
}

function shown(value) {
  if (value === null || value === "" || value.length === 0) return "none";
  return Array.isArray(value) ? value.join(", ") : String(value);
}
