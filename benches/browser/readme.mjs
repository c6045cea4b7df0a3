// The table of README.md, from what was measured: the few lines that somebody who chooses a store asks for.

import { whole } from "./lines.mjs";

const HEADING = "| measured | everfold | Dexie, or IndexedDB by hand |";

/** The readme with its table of measures replaced by that of a report. */
export function withMeasures(readme, report) {
  const lines = readme.split("\n");
  const start = lines.indexOf(HEADING);
  if (start < 0) throw new Error(`README.md has no table "${HEADING}"`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith("|"));
  lines.splice(start, length, ...table(report));
  return lines.join("\n");
}

function table({ lines, weight }) {
  const line = (key) => found(lines, (each) => each.key === key, key);
  const rates = (key) => {
    const peers = ["dexie", "rows", "blobs"].map((peer) => line(`${key}-${peer}`));
    const beside = peers.map(({ peer, other }) => `${whole(other.median)} (${peer})`).join("; ");
    return [`${peers[0].what}, events a second`, whole(peers[0].everfold.median), beside];
  };
  const latency = (key) => [line(key).what, milliseconds(line(key).everfold), milliseconds(line(key).other)];
  const [own, callers] = [line("bytes-own"), line("bytes-callers")];
  const loaded = found(weight.parts, ({ what }) => what.startsWith("a page loads"), "what a page loads");
  const rows = [
    latency("single-large"),
    ...["unawaited", "batches", "cold"].map(rates),
    started(latency("open-wide")),
    started([line("stream-large").what, milliseconds(line("stream-large").everfold), ""]),
    [
      `an event of ${own.other.median.toFixed(1)} bytes as JSON, on disk`,
      `${own.everfold.median.toFixed(1)} bytes; ${callers.everfold.median.toFixed(1)} with ids from callers`,
      "",
    ],
    ["what a page loads, gzipped", `${whole(loaded.gzippedBytes)} bytes`, ""],
  ];
  return [HEADING, "|---|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)];
}

/** The document says once how opening is measured; a row that stands alone has to say it itself. */
function started([what, ...cells]) {
  return [`${what}, the wasm started already`, ...cells];
}

function milliseconds({ median }) {
  return `${median.toFixed(2)} ms`;
}

function found(list, isWanted, name) {
  const item = list.find(isWanted);
  if (item === undefined) throw new Error(`the report has no "${name}"`);
  return item;
}
