// The demo's fold of a document, on the recorded session and on texts that the recording does not have.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

import { EMPTY, fold, lastChange, summarise } from "../../www/session/document.js";

const TRACE = new URL("../../www/data/editing-trace-rustcode.json.gz", import.meta.url);

const edited = (...patches) => ({ type: "Edited", data: { patches } });

/** Folds one event for each list of patches. */
function check(events, expected) {
  assert.equal(fold(EMPTY, events.map((patches) => edited(...patches))).text, expected);
}

test("the recorded session folds to the text that it ends with", () => {
  const { startContent, endContent, txns } = JSON.parse(gunzipSync(readFileSync(TRACE)));
  assert.equal(startContent, EMPTY.text);
  assert.equal(txns.length, 36_981);
  check(txns.map(({ patches }) => patches), endContent);
});

test("a patch deletes, then inserts at the same place", () => {
  check([[[0, 0, "hello world"]], [[6, 5, "there"]]], "hello there");
});

test("the patches of a transaction apply to each other's outcome", () => {
  check([[[0, 0, "ab"], [2, 0, "cd"], [0, 1, "A"]]], "Abcd");
});

test("positions count characters, not JavaScript's units", () => {
  check([[[0, 0, "a🦀b"]], [[2, 1, "c"]]], "a🦀c");
  check([[[0, 0, "🦀🦀🦀"]], [[1, 1, ""]], [[2, 0, "!"]]], "🦀🦀!");
});

test("a change past the end is put at the end", () => {
  check([[[0, 0, "ab"]], [[9, 4, "c"]]], "abc");
});

test("events of other types leave the document as it is", () => {
  assert.equal(fold(EMPTY, [edited([0, 0, "a"]), { type: "Renamed", data: {} }]).text, "a");
});

test("the last change is found in the text that it left", () => {
  const event = edited([0, 0, "one "], [4, 0, "🦀two"]);
  const document = fold(EMPTY, [event]);
  const { start, end } = lastChange(document, event);
  assert.equal(document.text.slice(start, end), "🦀two");
});

test("a summary shows line breaks and says how much was deleted", () => {
  assert.equal(summarise(edited([7, 2, "\n    x"])), "at 7: −2  + ↵····x");
  assert.equal(summarise(edited([7, 0, "x"], [9, 1, ""], [3, 1, ""])), "at 7: + x  and 2 more");
});
