// The table on the terminal.

import { whole } from "./lines.mjs";

const HEADER = ["", "against", "", "everfold", "(spread)", "raw", "(spread)", "time ratio"];

/** The whole report as text. */
export function textTable({ lines, sizes, weight, machine, plan }) {
  const rows = lines.map((line) => [line.what, line.peer, line.unit, ...figures(line)]);
  return [
    machineText(machine),
    `seed ${plan.seed}; the ratio is everfold's time over the peer's, below 1 everfold is quicker; the spread is over rounds`,
    "",
    aligned([HEADER, ...rows]),
    "",
    aligned([["stored", "events", "bytes an event", "as JSON", "records"], ...sizes.map(sizeRow)]),
    "",
    ...weight.text,
  ].join("\n");
}

/** Both medians with their spreads, and the ratio. */
export function figures({ everfold, raw, unit, ratio }) {
  const show = unit === "ms" ? (number) => number.toFixed(2) : whole;
  const range = ({ min, max }) => `${show(min)}–${show(max)}`;
  return [show(everfold.median), range(everfold), show(raw.median), range(raw), ratio.toFixed(2)];
}

/** What the store takes for one kind of events. */
export function sizeRow({ what, events, bytesPerEvent, jsonBytes, records }) {
  return [what, whole(events), bytesPerEvent.toFixed(1), jsonBytes.toFixed(1), whole(records)];
}

/** On what it ran. */
export function machineText({ browser, node, cores, processor, system, load, revision }) {
  return `Chromium ${browser}, Node ${node}, ${cores} cores of ${processor}, ${system}, load ${load} before, revision ${revision}`;
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text, column) => (column < 1 || Number.isNaN(parseFloat(text)) ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
