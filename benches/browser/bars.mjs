// What everfold holds itself to, by the key of a line.

/**
 * @typedef {object} Bar
 * @property {"ratio" | "everfold"} of what is judged: the ratio to the peer, or everfold's own figure
 * @property {number} [atLeast]
 * @property {number} [atMost]
 */

/** @type {Record<string, Bar[]>} */
const BARS = {
  "single-large": [{ of: "ratio", atMost: 1.25 }],
  "single-large-p95": [{ of: "ratio", atMost: 1.5 }],
  execute: [{ of: "ratio", atMost: 1.5 }],
  "unawaited-dexie": [{ of: "ratio", atLeast: 10 }],
  "batches-dexie": [{ of: "ratio", atLeast: 20 }],
  "batches-blobs": [{ of: "ratio", atLeast: 0.9 }],
  "cold-dexie": [{ of: "ratio", atLeast: 5 }],
  "fold-rust": [{ of: "ratio", atLeast: 10 }],
  "fold-declarative": [{ of: "ratio", atLeast: 7 }],
  "fold-functions": [{ of: "ratio", atLeast: 4 }],
  "fold-rust-memory": [{ of: "everfold", atLeast: 5_000_000 }],
  "fold-declarative-memory": [{ of: "everfold", atLeast: 2_500_000 }],
  project: [{ of: "ratio", atLeast: 3 }],
  "open-wide": [
    { of: "ratio", atMost: 3 },
    { of: "everfold", atMost: 40 },
  ],
  "stream-small": [{ of: "everfold", atMost: 15 }],
  "stream-large": [
    { of: "everfold", atMost: 15 },
    { of: "ratio", atMost: 1.5 },
  ],
  "bytes-callers": [{ of: "everfold", atMost: 48 }],
  "bytes-own": [{ of: "everfold", atMost: 30 }],
  "bytes-trace": [{ of: "everfold", atMost: 16 }],
  memory: [{ of: "everfold", atMost: 48 }],
  "task-open": [{ of: "everfold", atMost: 50 }],
  "task-read": [{ of: "everfold", atMost: 50 }],
  "task-compact": [{ of: "everfold", atMost: 50 }],
  "task-batches": [{ of: "everfold", atMost: 50 }],
  "task-unawaited": [{ of: "everfold", atMost: 50 }],
};

/** The bars of a line, each with its text and whether the line meets it. Nothing meets a bar unmeasured. */
export function judged(line) {
  return (BARS[line.key] ?? []).map((bar) => {
    const isAbove = bar.atLeast !== undefined;
    const bound = isAbove ? bar.atLeast : bar.atMost;
    const value = line[bar.of]?.[line.judgedBy ?? "median"];
    const text = `${isAbove ? "≥" : "≤"} ${bound} ${bar.of === "ratio" ? "×" : line.unit}`;
    if (value === undefined) return { bar, text, verdict: "not measured" };
    return { bar, text, verdict: (isAbove ? bound <= value : value <= bound) ? "met" : "missed" };
  });
}
