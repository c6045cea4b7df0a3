// The tables, as rows of text, and as they stand on the terminal.

import { whole } from "./lines.mjs";

export const LINE_HEADER = ["what", "against", "unit", "everfold", "peer", "ratio", "bar"];
export const GROWTH_HEADER = ["events", "streams", "append", "raw append", "open", "raw open", "open, read one stream"];

const FORMATS = { ms: fixed(2), "events/s": whole, bytes: fixed(1), MB: fixed(1) };

/** The whole report as text. */
export function textTable(report) {
  const { lines, growth, weight, machine, plan, compacted } = report;
  const groups = grouped(lines);
  return [
    machineText(machine),
    `seed ${plan.seed}, ${plan.form} form; medians (least–greatest round); the ratio is everfold's figure over the peer's, round by round;`,
    compactionText(compacted),
    ...[...groups].map(([group, inGroup]) => `\n${group}\n${aligned([LINE_HEADER, ...inGroup.map(lineRow)])}`),
    `\nGrowth, medians in ms\n${aligned([GROWTH_HEADER, ...growth.map(growthRow)])}`,
    "",
    ...weight.text,
    "",
    summaryText(report),
  ].join("\n");
}

/** The lines of each group, in their order. */
export function grouped(lines) {
  const groups = new Map();
  for (const line of lines) groups.set(line.group, [...(groups.get(line.group) ?? []), line]);
  return groups;
}

/** A line's texts, in the order of the header. */
export function lineRow({ what, peer, unit, everfold, other, ratio, bars }) {
  const bar = bars.map(({ text, verdict }) => `${text}: ${verdict}`).join(", ");
  return [what, peer, unit, ranged(everfold, FORMATS[unit]), ranged(other, FORMATS[unit]), ranged(ratio, fixed(2)), bar];
}

/** The texts of what was measured of a log. */
export function growthRow({ events, streams, append, rawAppend, open, rawOpen, stream }) {
  return [whole(events), whole(streams), ...[append, rawAppend, open, rawOpen, stream].map((each) => ranged(each, fixed(2)))];
}

/** On what it ran. */
export function machineText({ browser, node, dexie, cores, processor, system, load, loadAfter, revision }) {
  const software = `Chromium ${browser}, Dexie ${dexie}, Node ${node}`;
  return `${software}, ${cores} cores of ${processor}, ${system}, load ${load} before and ${loadAfter} after, revision ${revision}`;
}

/** Whether the logs that were measured had been compacted. */
export function compactionText(compacted) {
  return compacted ? "The store's logs were compacted before they were read." : "The store's logs are not compacted: the package has no compaction.";
}

/** How many bars are met, and whether in the logs that they are meant for. */
export function summaryText({ lines, plan }) {
  const verdicts = lines.flatMap(({ bars }) => bars.map(({ verdict }) => verdict));
  const count = (wanted) => verdicts.filter((verdict) => verdict === wanted).length;
  const scope = plan.form === "full" ? "" : "; those on large logs are meant for logs of a million events, which `npm run bench -- --full` has";
  return `${verdicts.length} bars: ${count("met")} met, ${count("missed")} missed, ${count("not measured")} not measured${scope}`;
}

function ranged(spread, show) {
  if (spread === undefined) return "";
  const [median, min, max] = [spread.median, spread.min, spread.max].map(show);
  return min === max ? median : `${median} (${min}–${max})`;
}

function fixed(digits) {
  return (number) => number.toFixed(digits);
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text, column) => (0 < column && /^\d/.test(text) ? text.padStart(widths[column]) : text.padEnd(widths[column]));
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
