// The few shapes that charts are made of, as SVG.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A text; `anchor` is the side that stands at x. */
export function label(x, y, text, { kind = "label", anchor = "start" } = {}) {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

/** A filled rectangle. */
export function box(x, y, width, height, kind) {
  return `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(Math.max(1, width))}" height="${round(height)}" rx="2"/>`;
}

/** A straight line. */
export function rule([x1, y1], [x2, y2], kind = "grid") {
  return `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** A line through points, with a dot on each. */
export function path(points, kind) {
  const dots = points.map(([x, y]) => `<circle class="dot ${kind}" cx="${round(x)}" cy="${round(y)}" r="3.5"/>`);
  const line = `<polyline class="path ${kind}" points="${points.map((point) => point.map(round).join(",")).join(" ")}"/>`;
  return [line, ...dots].join("\n");
}

/** What is drawn at 0, moved down. */
export function movedDown(y, body) {
  return `<g transform="translate(0 ${round(y)})">\n${body}\n</g>`;
}

/** Maps logarithmically from a range of values to one of places. */
export function logScale([least, greatest], [start, end]) {
  const reach = Math.log(greatest / least);
  return (value) => start + ((end - start) * Math.log(Math.min(greatest, Math.max(least, value)) / least)) / reach;
}

/** The steps of 1, 2 and 5 times the powers of ten, from the last below a value to the first above another. */
export function steps(least, greatest) {
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(greatest))];
  const powers = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  const all = powers.flatMap((power) => [power, 2 * power, 5 * power]).map((step) => Number(step.toPrecision(1)));
  const from = all.findLastIndex((step) => step <= least);
  const to = all.findIndex((step) => greatest <= step);
  return all.slice(Math.max(0, from), to + 1);
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character]);
}
