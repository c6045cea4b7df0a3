// What changed between two states, as a JSON Patch. Loaded only by who asks for patches: a history with `diff`. The build
// puts the library into this file, so that there is nothing to install.
import type { Operation, Pointer } from "rfc6902";
import { createPatch } from "rfc6902";

/** One operation of a {@link JsonPatch}. Paths are JSON Pointers (RFC 6901). */
export type JsonPatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** What is to be done to a value, in this order, so that it becomes another (RFC 6902). */
export type JsonPatch = readonly JsonPatchOperation[];

/**
 * The patch that makes one state of another, both as JSON has them: what is undefined is nowhere in an object, and `null` in a list or
 * as a state.
 */
export function patchOf(earlier: unknown, later: unknown): JsonPatch {
  return createPatch(inJson(earlier), inJson(later), patchOfArrays) as JsonPatch;
}

/**
 * Compares arrays from both ends, because states share what did not change: one item less, wherever it was, is one operation.
 * What the library does takes the square of their length, which is ten seconds for a list of a thousand.
 */
function patchOfArrays(earlier: unknown, later: unknown, pointer: Pointer): Operation[] | undefined {
  if (!Array.isArray(earlier) || !Array.isArray(later)) return undefined;
  const path = pointer.toString();
  const shorter = Math.min(earlier.length, later.length);
  let start = 0;
  while (start < shorter && isSame(earlier[start], later[start])) start += 1;
  let end = 0;
  while (end < shorter - start && isSame(earlier.at(-1 - end), later.at(-1 - end))) end += 1;
  const operations: Operation[] = [];
  for (let index = start; index < shorter - end; index += 1) {
    for (const operation of patchOf(earlier[index], later[index])) {
      operations.push({ ...operation, path: `${path}/${index}${operation.path}` } as Operation);
    }
  }
  const changed = shorter - end;
  for (let index = earlier.length - end - 1; changed <= index; index -= 1) operations.push({ op: "remove", path: `${path}/${index}` });
  for (let index = changed; index < later.length - end; index += 1) operations.push({ op: "add", path: `${path}/${index}`, value: inJson(later[index]) });
  return operations;
}

/** What JSON makes of an item, or of a state. */
function inJson(value: unknown): unknown {
  return value === undefined ? null : value;
}

/** Whether two items are the same in JSON: known by the first difference, and at once where they are shared. */
function isSame(one: unknown, other: unknown): boolean {
  const [left, right] = [inJson(one), inJson(other)];
  if (left === right) return true;
  if (!isHolder(left) || !isHolder(right)) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  const keys = keysOf(left);
  return keys.length === keysOf(right).length && keys.every((key) => Object.hasOwn(right, key) && right[key] !== undefined && isSame(left[key], right[key]));
}

function isHolder(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null;
}

function keysOf(value: { readonly [key: string]: unknown }): string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined);
}
