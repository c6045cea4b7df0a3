// The recorded editing session that the demo appends where no other recording is chosen.

import { EMPTY, evolve, lastChange, summarise } from "./document.js";

const ADDRESS = "data/editing-trace-rustcode.json.gz";

/**
 * What is appended, and what it comes to.
 *
 * @typedef {object} Recording
 * @property {string} stream that it is appended to
 * @property {number} total how many events it has
 * @property {string} unit what they are called
 * @property {string} ending of the name of a file with the document
 * @property {() => Promise<{ events: object[], endContent?: string }>} load its events, and where that is known the text that they lead to
 * @property {{ text: string }} empty the document before its first event
 * @property {(document: object, event: object) => object} evolve
 * @property {(document: object, event: object | undefined) => { start: number, end: number } | undefined} lastChange
 * @property {(event: object) => string} summarise
 */

/** The session that comes with the demo. How many transactions it has is known before it is loaded, so that the page can say so. @type {Recording} */
export const TRACE = {
  stream: "document-rustcode",
  total: 36_981,
  unit: "edits",
  ending: "rs",
  load: loadTrace,
  empty: EMPTY,
  evolve,
  lastChange,
  summarise,
};

let loading;

/**
 * Loads the recording, once: its transactions as events to append, and the text that they lead to.
 *
 * @returns {Promise<{ events: { type: "Edited", time: string, data: { patches: [number, number, string][] } }[], endContent: string }>}
 */
function loadTrace() {
  loading ??= load().catch((error) => {
    // The next attempt begins anew.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load() {
  const response = await fetch(ADDRESS);
  if (!response.ok) throw new Error(`the recording cannot be loaded: ${ADDRESS} was answered with ${response.status}`);
  const trace = JSON.parse(await textOf(await response.blob()));
  const events = trace.txns.map(({ time, patches }) => ({ type: "Edited", time, data: { patches } }));
  return { events, endContent: trace.endContent };
}

/** Some servers announce a .gz file as encoded, and the browser has unpacked it already. */
async function textOf(blob) {
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const isPacked = first === 0x1f && second === 0x8b;
  if (!isPacked) return blob.text();
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
