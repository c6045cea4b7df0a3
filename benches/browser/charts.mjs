// docs/benchmarks.svg: what was measured, drawn. Its colours follow the reader's scheme, light or dark.

import { bytesChart } from "./bytes-chart.mjs";
import { growthChart } from "./growth-chart.mjs";
import { ratioChart } from "./ratio-chart.mjs";
import { label, movedDown } from "./svg.mjs";

/** The width at which it is to be read: that of a page of text. */
export const WIDTH = 800;

const GAP = 28;
const TITLE = 44;

const STYLE = `
  svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; --paper: #ffffff; --ink: #1f2933; --faint: #5b6772; --grid: #d5dbe1;
    --everfold: #1d5fbf; --slower: #c2570c; --peer: #94a0ac; --second: #0f8a6d; --third: #7a3fb0; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0f151c; --ink: #e6ebf0; --faint: #a2aeba; --grid: #2f3a45;
      --everfold: #6ba6ff; --slower: #f59a52; --peer: #75828f; --second: #3fc9a5; --third: #c08df0; }
  }
  .paper { fill: var(--paper); }
  text { fill: var(--ink); font-size: 13px; }
  .title { font-size: 16px; font-weight: 600; }
  .note, .tick { fill: var(--faint); font-size: 12px; }
  .note { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
  .value { font-weight: 600; }
  .grid { stroke: var(--grid); stroke-width: 1; }
  .even { stroke: var(--ink); stroke-width: 1.5; }
  .bar { stroke: var(--ink); stroke-width: 2; }
  .everfold { fill: var(--everfold); stroke: var(--everfold); }
  .second { fill: var(--second); stroke: var(--second); }
  .third { fill: var(--third); stroke: var(--third); }
  .slower { fill: var(--slower); }
  .peer { fill: var(--peer); stroke: var(--peer); }
  rect { stroke: none !important; }
  .path { fill: none; stroke-width: 2; }
  .path.dashed { stroke-dasharray: 5 4; }
`;

/** The picture of a report. */
export function charts(report) {
  const drawn = [
    { title: "How many times as fast as its peers", note: "medians, logarithmic; the mark is the bar", chart: ratioChart(report) },
    { title: "Bytes an event in IndexedDB", note: "keys and values of all object stores; the mark is the bar", chart: bytesChart(report) },
    { title: "Growth of the log", note: "medians in milliseconds, both axes logarithmic; wasm started", chart: growthChart(report) },
  ];
  let y = GAP;
  const parts = drawn.map(({ title, note, chart }) => {
    const head = label(16, 0, title, { kind: "title" }) + label(WIDTH - 16, 0, note, { kind: "note", anchor: "end" });
    const part = movedDown(y, `${head}\n${movedDown(TITLE - 20, chart.body)}`);
    y += TITLE + chart.height + GAP;
    return part;
  });
  const paper = `<rect class="paper" width="${WIDTH}" height="${y}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>everfold beside IndexedDB used by hand and beside Dexie</title>
<style>${STYLE}</style>
${[paper, ...parts].join("\n")}
</svg>
`;
}
