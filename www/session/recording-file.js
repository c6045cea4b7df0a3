// A recording out of a file of NDJSON: an event on each line, or an edit.

import { EMPTY, evolve, lastChange, summarise } from "./document.js";

/** A file with more than this is refused: it is held in memory while it is appended. */
const LINES_MAX = 1_000_000;

/** Of lines of events, so many characters are shown: the last ones. */
const SHOWN_MAX = 100_000;

/**
 * Reads a file. Each line is JSON: `{"patches": [[position, deleted, "inserted"]], "time": …}`, which edits a document, or an event
 * as `{"type": "…", "data": …, "time": …}`; any other value is an event of the type `Line`. Where all are edits, the document is what
 * they come to; else it is the lines themselves.
 *
 * @param {File} file
 * @returns {Promise<import("./trace.js").Recording>} rejects where a line is no JSON, with its number
 */
export async function recordingOf(file) {
  const events = [];
  for (const [place, line] of (await file.text()).split("\n").entries()) {
    if (line.trim() === "") continue;
    if (LINES_MAX <= events.length) throw new Error(`it has more than ${LINES_MAX.toLocaleString("en")} lines`);
    events.push(eventOf(parsed(line, place + 1)));
  }
  if (events.length === 0) throw new Error("it has no lines");
  const edits = events.every(({ type, data }) => type === "Edited" && Array.isArray(data?.patches) && data.patches.every(isPatch));
  const name = file.name.replace(/\.[^.]*$/, "").replaceAll(/\s+/g, "-");
  const recording = { stream: `document-${name || "file"}`, total: events.length, load: async () => ({ events }) };
  return edits ? { ...recording, ...EDITS } : { ...recording, ...LINES };
}

const EDITS = { unit: "edits", ending: "txt", empty: EMPTY, evolve, lastChange, summarise };

/** A log of whatever events: its document has a line for each. */
const LINES = {
  unit: "events",
  ending: "txt",
  empty: Object.freeze({ text: "", last: 0 }),
  evolve: ({ text }, { type, data }) => {
    const line = `${type} ${JSON.stringify(data ?? null)}`;
    const whole = text === "" ? line : `${text}\n${line}`;
    // Lines are left out at the beginning, and never parts of one.
    const kept = whole.length <= SHOWN_MAX ? whole : whole.slice(whole.indexOf("\n", whole.length - SHOWN_MAX) + 1);
    return { text: kept, last: line.length };
  },
  lastChange: ({ text, last }, event) => event && { start: Math.max(0, text.length - last), end: text.length },
  summarise: ({ data }) => JSON.stringify(data ?? null),
};

function parsed(line, number) {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is no JSON`);
  }
}

function eventOf(value) {
  const isObject = typeof value === "object" && value !== null;
  if (isObject && Array.isArray(value.patches)) return { type: "Edited", data: { patches: value.patches }, ...timeOf(value) };
  if (isObject && typeof value.type === "string" && value.type !== "" && !value.type.startsWith("$")) return { type: value.type, data: value.data ?? null, ...timeOf(value) };
  return { type: "Line", data: value };
}

/** The time of a line, where it has one that says which moment is meant. */
function timeOf({ time }) {
  if (typeof time === "number" && Number.isSafeInteger(time) && 0 <= time) return { time };
  const isText = typeof time === "string" && /(?:Z|[+-]\d\d:\d\d)$/.test(time) && !Number.isNaN(Date.parse(time));
  return isText ? { time: Date.parse(time) } : {};
}

function isPatch(patch) {
  return Array.isArray(patch) && patch.length === 3 && Number.isInteger(patch[0]) && Number.isInteger(patch[1]) && typeof patch[2] === "string";
}
