// How an append, opening, and one stream grow with the log.

import { whole } from "./lines.mjs";
import { label, logScale, path, rule, steps } from "./svg.mjs";

const HEIGHT = 250;
const AXIS_X = [70, 540];
const NAME_GAP = 16;

const SERIES = [
  { key: "stream", name: "open, read one stream", kind: "everfold" },
  { key: "open", name: "open", kind: "second" },
  { key: "append", name: "one append, awaited", kind: "third" },
  { key: "rawOpen", name: "open, raw", kind: "peer dashed" },
  { key: "rawAppend", name: "one append, raw", kind: "peer dashed" },
];

/** Draws what was measured of the logs of a report. */
export function growthChart({ growth }) {
  const events = growth.map((row) => row.events);
  const medians = growth.flatMap((row) => SERIES.map(({ key }) => row[key].median));
  const ticks = steps(Math.min(...medians), Math.max(...medians));
  const [x, y] = [logScale([events[0], events.at(-1)], AXIS_X), logScale([ticks[0], ticks.at(-1)], [HEIGHT, 8])];
  const grid = ticks.map((tick) => rule([AXIS_X[0], y(tick)], [AXIS_X[1], y(tick)]));
  const times = ticks.map((tick) => label(AXIS_X[0] - 10, y(tick) + 4, `${tick} ms`, { kind: "tick", anchor: "end" }));
  const lengths = events.map((count) => label(x(count), HEIGHT + 20, whole(count), { kind: "tick", anchor: "middle" }));
  const lines = SERIES.map(({ key, kind }) => path(growth.map((row) => [x(row.events), y(row[key].median)]), kind));
  return { height: HEIGHT + 26, body: [...grid, ...times, ...lengths, ...lines, ...names(growth.at(-1), y)].join("\n") };
}

/** Each name at the height at which its line ends, or below the one above it where that is taken. */
function names(last, y) {
  const ends = SERIES.map((series) => ({ ...series, y: y(last[series.key].median) + 4 })).sort((a, b) => a.y - b.y);
  let free = 0;
  return ends.map(({ key, name, kind, y: wanted }) => {
    const place = Math.max(wanted, free);
    free = place + NAME_GAP;
    const value = `${name}: ${shown(last[key].median)} ms`;
    return `<circle class="${kind}" cx="${AXIS_X[1] + 18}" cy="${place - 4}" r="4"/>${label(AXIS_X[1] + 28, place, value)}`;
  });
}

function shown(median_ms) {
  return median_ms.toFixed(median_ms < 10 ? 1 : 0);
}
