// What may stand in the data and the metadata of an event, and the text that is stored for it.
import { show } from "./arguments.js";
import { invalidArgument, limitExceeded } from "./errors.js";

/** What is wrong with a value, and the way to it from the value where the search began. */
interface Flaw {
  readonly problem: string;
  /** The keys on the way, the last one first: they are gathered on the way back. */
  readonly keys: (string | number)[];
}

const TOO_DEEP = "too deep";
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * The JSON text of a value that JSON keeps as it is.
 *
 * `JSON.stringify` alone would turn `NaN` into null, drop functions, and flatten a Map to `{}`, all without a
 * word. So the value is walked first, and what would not come back is refused, with the path to it.
 * As in JSON, `toJSON` applies first, properties that are undefined are dropped, and `-0` is `0`.
 */
export function jsonText(value: unknown, path: string, depthMax: number): string {
  const flaw = findFlaw(value, "", depthMax);
  if (flaw !== undefined) throw flawError(value, flaw, path, depthMax);
  try {
    const written = JSON.stringify(value);
    if (written !== undefined) return written;
  } catch (error) {
    // The only way left to fail is a text longer than the engine's longest string.
    throw invalidArgument(path, `cannot be written as JSON: ${error instanceof Error ? error.message : show(error)}`);
  }
  throw invalidArgument(path, "cannot be written as JSON: its toJSON gave nothing");
}

function findFlaw(value: unknown, key: string | number, levelsLeft: number): Flaw | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : flawed(`is ${value}, which JSON cannot hold`);
    case "object":
      return value === null ? undefined : findFlawInObject(value, key, levelsLeft);
    case "undefined":
      return flawed("is undefined, which JSON cannot hold here; null is allowed");
    default:
      return flawed(`is ${show(value)}, which JSON cannot hold`);
  }
}

function findFlawInObject(value: object, key: string | number, levelsLeft: number): Flaw | undefined {
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    const replaced: unknown = toJSON.call(value, String(key));
    if (replaced === undefined) return flawed("has a toJSON that gives undefined");
    if (typeof replaced !== "object" || replaced === null) return findFlaw(replaced, key, levelsLeft);
    return findFlawInside(replaced, levelsLeft);
  }
  return findFlawInside(value, levelsLeft);
}

function findFlawInside(value: object, levelsLeft: number): Flaw | undefined {
  if (levelsLeft === 0) return flawed(TOO_DEEP);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const flaw = findFlaw(value[index], index, levelsLeft - 1);
      if (flaw !== undefined) return behind(index, flaw);
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const tag = Object.prototype.toString.call(value);
    if (tag !== "[object Object]") {
      const kind = tag.slice("[object ".length, -1);
      return flawed(`is of the kind ${kind}, whose contents JSON would lose; turn it into plain objects and arrays`);
    }
  }
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key];
    if (property === undefined) continue;
    const flaw = findFlaw(property, key, levelsLeft - 1);
    if (flaw !== undefined) return behind(key, flaw);
  }
  return undefined;
}

function flawed(problem: string): Flaw {
  return { problem, keys: [] };
}

function behind(key: string | number, flaw: Flaw): Flaw {
  flaw.keys.push(key);
  return flaw;
}

function flawError(root: unknown, flaw: Flaw, path: string, depthMax: number) {
  const keys = flaw.keys.reverse();
  if (flaw.problem !== TOO_DEEP) return invalidArgument(pathOf(path, keys), flaw.problem);
  // A cycle is a value without a bottom: it shows as too deep, and as an object met twice on the way down.
  const met = new Map<unknown, number>();
  let value = root;
  for (let level = 0; level < keys.length; level += 1) {
    met.set(value, level);
    value = (value as Record<string | number, unknown> | undefined)?.[keys[level] as string];
    const first = met.get(value);
    if (typeof value === "object" && value !== null && first !== undefined) {
      const back = pathOf(path, keys.slice(0, first));
      return invalidArgument(pathOf(path, keys.slice(0, level + 1)), `is ${back} again: a cycle, which JSON cannot hold`);
    }
  }
  return limitExceeded(path, "JSON depth", depthMax + 1, depthMax);
}

/** A path into a value as one would write it in code. */
export function pathOf(root: string, keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    return IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, root);
}
