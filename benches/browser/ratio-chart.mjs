// How many times as fast as its peers the store is: bars that leave a line where both are even, to the right where it is quicker.

import { box, label, logScale, rule, steps } from "./svg.mjs";

const KEYS = ["unawaited", "batches", "cold"];
const PEERS = ["dexie", "rows", "blobs"];
const ROW = 22;
const THICKNESS = 14;
const LABEL_END = 210;
const AXIS = [225, 705];

/** Draws the rates of a report. */
export function ratioChart({ lines }) {
  const groups = KEYS.map((key) => PEERS.map((peer) => lines.find((line) => line.key === `${key}-${peer}`)));
  // Every bar and every mark has its place, and so has the line where both are even.
  const values = groups.flat().flatMap((line) => [line.ratio.median, boundOf(line) ?? 1]);
  const ticks = steps(Math.min(0.9, ...values), Math.max(1.1, ...values));
  const scale = logScale([ticks[0], ticks.at(-1)], AXIS);
  const height = groups.length * (PEERS.length + 1) * ROW;
  const grid = ticks.map((tick) => rule([scale(tick), 4], [scale(tick), height], tick === 1 ? "even" : "grid"));
  const names = ticks.map((tick) => label(scale(tick), height + 16, `${tick} ×`, { kind: "tick", anchor: "middle" }));
  const rows = groups.map((group, index) => drawGroup(group, index * (PEERS.length + 1) * ROW, scale));
  return { height: height + 20, body: [...grid, ...names, ...rows].join("\n") };
}

function drawGroup(group, y, scale) {
  const heading = label(16, y + 16, group[0].what, { kind: "note" });
  return [heading, ...group.map((line, index) => drawRow(line, y + (index + 1) * ROW, scale))].join("\n");
}

function drawRow(line, y, scale) {
  const { peer, ratio } = line;
  const [even, end] = [scale(1), scale(ratio.median)];
  const isQuicker = 1 <= ratio.median;
  const bound = boundOf(line);
  // A value stands behind its bar, and behind the mark where that is near.
  const free = bound === undefined ? end : Math.max(end, Math.abs(scale(bound) - end) < 45 ? scale(bound) : end);
  const text = `${ratio.median.toFixed(ratio.median < 10 ? 2 : 1)} ×`;
  return [
    label(LABEL_END, y + 15, peer, { anchor: "end" }),
    box(Math.min(even, end), y + 4, Math.abs(end - even), THICKNESS, isQuicker ? "everfold" : "slower"),
    ...(bound === undefined ? [] : [rule([scale(bound), y + 1], [scale(bound), y + 21], "bar")]),
    label(isQuicker ? free + 6 : Math.max(even, free) + 6, y + 15, text, { kind: "value" }),
  ].join("\n");
}

/** What a line's ratio is held to; nothing where there is no bar. */
function boundOf({ bars }) {
  return bars.find(({ bar }) => bar.of === "ratio")?.bar.atLeast;
}
