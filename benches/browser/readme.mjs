// The table of README.md, from what was measured: the few lines that somebody who chooses a store asks for.

import { whole } from "./lines.mjs";

const HEADING = "| measured | everfold | IndexedDB by hand |";

/** The readme with its table of measures replaced by that of a report. */
export function withMeasures(readme, report) {
  const lines = readme.split("\n");
  const start = lines.indexOf(HEADING);
  if (start < 0) throw new Error(`README.md has no table "${HEADING}"`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith("|"));
  lines.splice(start, length, ...table(report));
  return lines.join("\n");
}

function table({ lines, sizes, weight }) {
  const line = (key) => found(lines, (each) => each.key === key, key);
  const rates = (key) => {
    const [blobs, rows] = [line(`${key}-blobs`), line(`${key}-rows`)];
    const peers = `${whole(blobs.raw.median)} as ${blobs.peer}, ${whole(rows.raw.median)} as ${rows.peer}`;
    return [`${blobs.what}, events a second`, whole(blobs.everfold.median), peers];
  };
  const latency = (key) => [line(key).what, `${line(key).everfold.median.toFixed(2)} ms`, `${line(key).raw.median.toFixed(2)} ms`];
  const stored = (what) => found(sizes, (each) => each.what === what, what);
  const [own, callers] = [stored("bank, ids from the store"), stored("bank, ids from callers")];
  const loaded = found(weight.parts, ({ what }) => what.startsWith("a page loads"), "what a page loads");
  const rows = [
    latency("single"),
    ...["unawaited", "batches", "cold"].map(rates),
    latency("open"),
    [
      `an event of ${own.jsonBytes.toFixed(1)} bytes as JSON, on disk`,
      `${own.bytesPerEvent.toFixed(1)} bytes; ${callers.bytesPerEvent.toFixed(1)} with ids from callers`,
      "",
    ],
    ["what a page loads, gzipped", `${whole(loaded.gzippedBytes)} bytes`, ""],
  ];
  return [HEADING, "|---|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)];
}

function found(list, isWanted, name) {
  const item = list.find(isWanted);
  if (item === undefined) throw new Error(`the report has no "${name}"`);
  return item;
}
