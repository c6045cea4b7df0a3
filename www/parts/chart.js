// Draws bars as SVG, each chart with a table of the same numbers.

import { drawing, element } from "./element.js";
import { formatCount } from "./format.js";

const HEIGHT_PX = 190;
/** Above the bars, for what they count. */
const PEAK_PX = 26;
/** Below the bars. */
const LABELS_PX = 20;
/** Between the bars, as a share of the room of one. */
const GAP = 0.22;
/** A digit of what stands beside the lines takes so much room. */
const DIGIT_PX = 7.5;
/** A label below the bars has so much room: some ten letters. */
const LABEL_PX = 70;
/** And a letter of it so much. */
const LETTER_PX = 7;

/**
 * A chart of upright bars, as wide as its place. It is drawn anew with each call.
 *
 * @param {HTMLElement} place
 * @param {object} chart
 * @param {string} chart.title what it shows, for who cannot see it
 * @param {string} chart.of what a bar stands for: the head of the table's first column
 * @param {string} chart.counted what a bar counts: it stands above the lines
 * @param {[label: string, count: number][]} chart.bars
 * @param {(label: string) => string} [chart.short] what stands below a bar
 * @param {string} [chart.empty] what is said where there is no bar
 */
export function drawBars(place, { title, of, counted, bars, short = (label) => label, empty = "Nothing to show yet." }) {
  if (bars.length === 0) {
    place.replaceChildren(element("p.quiet.chart-empty", {}, empty));
    return;
  }
  const width = Math.max(240, place.clientWidth);
  const highest = Math.max(1, ...bars.map(([, count]) => count));
  const ticks = ticksOf(highest);
  const gutter = 8 + DIGIT_PX * Math.max(...ticks.map((count) => formatCount(count).length));
  const step = (width - gutter) / bars.length;
  const every = Math.max(1, Math.ceil(LABEL_PX / step));
  const columns = bars.map(([label, count], place) => {
    const height = count === 0 ? 0 : Math.max(1.5, (count / highest) * HEIGHT_PX);
    const bar = drawing(
      "rect.bar",
      { x: gutter + place * step + (step * GAP) / 2, y: HEIGHT_PX - height, width: Math.max(1, step * (1 - GAP)), height, rx: Math.min(3, step / 4) },
      drawing("title", {}, `${label}: ${formatCount(count)}`),
    );
    const below = short(label);
    // Below the last bars a label would stand out of the chart.
    const x = Math.min(gutter + (place + 0.5) * step, width - (below.length * LETTER_PX) / 2);
    const text = drawing("text", { x, y: HEIGHT_PX + 15, "text-anchor": "middle" }, below);
    return drawing("g", {}, bar, ...(place % every === Math.floor(every / 2) ? [text] : []));
  });
  const line = drawing("line.axis", { x1: gutter, x2: width, y1: HEIGHT_PX + 0.5, y2: HEIGHT_PX + 0.5 });
  const lines = ticks.map((count) => {
    const y = HEIGHT_PX - (count / highest) * HEIGHT_PX;
    const number = drawing("text", { x: gutter - 8, y: y + 4, "text-anchor": "end" }, formatCount(count));
    return drawing("g", {}, drawing("line.grid", { x1: gutter, x2: width, y1: y, y2: y }), number);
  });
  const caption = drawing("text", { x: 0, y: 12 - PEAK_PX }, counted);
  const height = PEAK_PX + HEIGHT_PX + LABELS_PX;
  const svg = drawing("svg.chart", { viewBox: `0 -${PEAK_PX} ${width} ${height}`, width: "100%", height, role: "img", "aria-label": summary(title, bars) });
  svg.append(...lines, ...columns, line, caption);
  place.replaceChildren(svg, tableOf(place, title, of, bars));
}

/** Round numbers up to the highest, of which there are two to five: 1, 2 or 5, with noughts behind them. */
export function ticksOf(highest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, highest / 2)));
  const step = [5, 2, 1].map((factor) => factor * power).find((candidate) => candidate <= highest / 2) ?? 1;
  return Array.from({ length: Math.floor(highest / step) }, (_, place) => (place + 1) * step);
}

function summary(title, bars) {
  const [label, count] = bars.reduce((most, bar) => (most[1] < bar[1] ? bar : most));
  return `${title}: ${bars.length} bars, the highest is ${label} with ${formatCount(count)}`;
}

/** The same numbers to be read; it stays open when the chart is drawn anew. */
function tableOf(place, title, of, bars) {
  const isOpen = place.querySelector("details")?.open === true;
  const rows = bars.map(([label, count]) => element("tr", {}, element("th", { scope: "row" }, label), element("td.number", {}, formatCount(count))));
  const table = element(
    "table.plain",
    {},
    element("caption.unseen", {}, title),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, of), element("th.number", { scope: "col" }, "Count"))),
    element("tbody", {}, ...rows),
  );
  return element("details.chart-table", { open: isOpen }, element("summary", {}, "As a table"), element("div.scroll", { tabindex: 0, role: "group", "aria-label": `${title}, as a table` }, table));
}
