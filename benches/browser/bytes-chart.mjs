// What an event takes in IndexedDB.

import { box, label, rule } from "./svg.mjs";

const ROW = 24;
const THICKNESS = 15;
const LABEL_END = 330;
const AXIS = [345, 715];

/** Draws the sizes of a report: the store's, and its peers'. */
export function bytesChart({ lines }) {
  const line = (key) => lines.find((each) => each.key === key);
  const store = (key, what) => {
    if (line(key) === undefined) return [];
    const { everfold, bars } = line(key);
    return [{ what, bytes: everfold.median, kind: "everfold", bound: bars[0]?.bar.atMost }];
  };
  const peer = (key, what) => [{ what, bytes: line(key).other.median, kind: "peer" }];
  const rows = [
    ...store("bytes-trace", "everfold, an editing session, own ids"),
    ...store("bytes-own", "everfold, a bank, own ids"),
    ...store("bytes-callers", "everfold, a bank, UUIDs given"),
    ...peer("bytes-callers-blobs", "one JSON text a commit"),
    ...peer("bytes-callers-rows", "one record an event"),
    ...peer("bytes-callers", "Dexie, without its indexes"),
  ];
  const most = Math.max(...rows.map(({ bytes }) => bytes));
  return { height: rows.length * ROW, body: rows.map((row, index) => drawRow(row, index * ROW, most)).join("\n") };
}

function drawRow({ what, bytes, kind, bound }, y, most) {
  const [start, end] = AXIS;
  const width = (value) => ((end - start) * value) / most;
  return [
    label(LABEL_END, y + 16, what, { anchor: "end" }),
    box(start, y + 4, width(bytes), THICKNESS, kind),
    ...(bound === undefined ? [] : [rule([start + width(bound), y + 1], [start + width(bound), y + 22], "bar")]),
    label(start + width(Math.max(bytes, bound ?? 0)) + 8, y + 16, bytes.toFixed(1), { kind: "value" }),
  ].join("\n");
}
