// The document as a fold of its edits. Plain functions: they know neither the page nor the store.

/**
 * The document at one moment.
 *
 * @typedef {object} Document
 * @property {string} text
 * @property {boolean} isWide whether it ever had a character that takes two of JavaScript's units: then positions,
 *   which count characters, are not indices into `text`
 */

/** One change: at which character, how many are deleted there, and what is inserted. @typedef {[number, number, string]} Patch */

/** The document before its first edit. @type {Document} */
export const EMPTY = Object.freeze({ text: "", isWide: false });

const SURROGATE = /[\uD800-\uDFFF]/;

/**
 * The document after an event of type `Edited`; other events leave it as it is.
 *
 * @param {Document} document
 * @param {{ type: string, data: { patches: Patch[] } }} event
 * @returns {Document}
 */
export function evolve(document, event) {
  return event.type === "Edited" ? event.data.patches.reduce(apply, document) : document;
}

/**
 * The document after several events.
 *
 * @param {Document} document
 * @param {Iterable<{ type: string, data: { patches: Patch[] } }>} events
 */
export function fold(document, events) {
  let folded = document;
  for (const event of events) folded = evolve(folded, event);
  return folded;
}

/** Where an event's last change begins and ends in the text that it leaves, as indices into that text. */
export function lastChange(document, event) {
  const patch = event?.type === "Edited" ? event.data.patches.at(-1) : undefined;
  if (patch === undefined) return undefined;
  const [position, , inserted] = patch;
  const start = indexOf(document, position);
  return { start, end: start + inserted.length };
}

/** What an event did, in a few words. */
export function summarise(event) {
  if (event.type !== "Edited") return "";
  const { patches } = event.data;
  if (patches.length === 0) return "changed nothing";
  const [position, deleted, inserted] = patches[0];
  const parts = [];
  if (0 < deleted) parts.push(`−${deleted}`);
  if (inserted !== "") parts.push(`+ ${visible(inserted)}`);
  const more = patches.length === 1 ? "" : `  and ${patches.length - 1} more`;
  return `at ${position}: ${parts.join("  ") || "nothing"}${more}`;
}

function apply(document, [position, deleted, inserted]) {
  const isWide = document.isWide || SURROGATE.test(inserted);
  const start = indexOf(document, position);
  const end = document.isWide ? indexOf(document, position + deleted) : start + deleted;
  return { text: document.text.slice(0, start) + inserted + document.text.slice(end), isWide };
}

/** The index of a character in the text. */
function indexOf({ text, isWide }, position) {
  if (!isWide) return Math.min(position, text.length);
  let index = 0;
  for (let passed = 0; passed < position && index < text.length; passed += 1) {
    index += text.codePointAt(index) > 0xffff ? 2 : 1;
  }
  return index;
}

const SUMMARY_LENGTH = 80;

/** A text on one line, with line breaks and tabs to be seen. */
function visible(text) {
  const short = text.length <= SUMMARY_LENGTH ? text : `${text.slice(0, SUMMARY_LENGTH)}…`;
  return short.replaceAll("\n", "↵").replaceAll("\t", "⇥").replace(/ {2,}/g, (blanks) => "·".repeat(blanks.length));
}
