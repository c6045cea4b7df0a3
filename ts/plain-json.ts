// Which values JSON gives back exactly as they were, and their texts.
import { isArrayPrototype, isObjectPrototype } from "./realm.js";

/** Deepest nesting that is looked into: what is deeper is a cycle, or might as well be one. */
const DEPTH_MAX = 256;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** What is not plain JSON, and where it stands. */
export class NotPlain extends Error {
  /** The way to it, from the value on. */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

/** What becomes of properties that are undefined, which JSON drops. */
export type UndefinedProperties = "refused" | "dropped";

/**
 * The JSON text of a value that comes back from it exactly: `null`, booleans, finite numbers, texts, and arrays and plain
 * objects of these. Unlike the data of an event, it is not turned into such: there is no `toJSON`, nothing that is
 * undefined is dropped unless that is wanted, and `-0` stays what it is.
 *
 * Errors: {@link NotPlain}.
 */
export function plainText(value: unknown, path = "", undefinedProperties: UndefinedProperties = "refused", depth = 0): string {
  if (DEPTH_MAX <= depth) throw new NotPlain(path, `is nested more than ${DEPTH_MAX} times`);
  if (value === null || typeof value === "boolean") return `${value}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? "-0" : `${value}`;
  if (typeof value !== "object") throw new NotPlain(path, typeof value === "number" ? `is ${value}` : `is of the type ${typeof value}`);
  return Array.isArray(value) ? listText(value, path, undefinedProperties, depth) : objectText(value, path, undefinedProperties, depth);
}

function listText(list: readonly unknown[], path: string, undefinedProperties: UndefinedProperties, depth: number): string {
  if (!isArrayPrototype(Object.getPrototypeOf(list)) || Object.keys(list).length !== list.length) throw new NotPlain(path, "is an array of another kind, with holes, or with properties of its own");
  return `[${list.map((item, index) => plainText(item, `${path}[${index}]`, undefinedProperties, depth + 1)).join()}]`;
}

function objectText(value: object, path: string, undefinedProperties: UndefinedProperties, depth: number): string {
  if (!isObjectPrototype(Object.getPrototypeOf(value))) throw new NotPlain(path, `is of the kind ${kindOf(value)}, not a plain object`);
  const keys = Object.keys(value);
  if (Reflect.ownKeys(value).length !== keys.length) throw new NotPlain(path, "has properties that JSON does not see");
  const texts = keys.flatMap((key) => {
    const property = (value as Record<string, unknown>)[key];
    if (property === undefined && undefinedProperties === "dropped") return [];
    const quoted = JSON.stringify(key);
    const part = IDENTIFIER.test(key) ? `.${key}` : `[${quoted}]`;
    return `${quoted}:${plainText(property, path + part, undefinedProperties, depth + 1)}`;
  });
  return `{${texts.join()}}`;
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
