// States that nobody changes in place, as far as that can be held.
import { isObjectPrototype } from "./realm.js";

declare const process: { readonly env: { readonly NODE_ENV?: string } };

/**
 * Whether states are frozen: wherever nothing says that this is production. Bundlers write in its place what `process.env.NODE_ENV`
 * is; in a page without a bundler nothing does, and a change in place would be wrong there without a word.
 */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== "production";
  } catch {
    return true;
  }
}

const FREEZES = isDevelopment();

/** Whatever was frozen here, with everything in it. What its maker froze may have something in it that is not. */
const met = new WeakSet<object>();

/** In development, the value with every object and array in it frozen. */
export function frozen<Value>(value: Value): Value {
  if (FREEZES) freeze(value);
  return value;
}

/** The value with every object and array in it frozen. */
export function frozenAlways<Value>(value: Value): Value {
  freeze(value);
  return value;
}

function freeze(value: unknown): void {
  // A list of what is left, and no recursion: states may be of any depth.
  const left = [value];
  while (0 < left.length) {
    const part = left.pop();
    if (!isPlainHolder(part) || met.has(part)) continue;
    met.add(part);
    Object.freeze(part);
    for (const inner of Object.values(part)) left.push(inner);
  }
}

/** Whether it is an array or a plain object. Of other kinds the contents could change all the same, or could not be frozen at all. */
function isPlainHolder(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || isObjectPrototype(prototype);
}

/** About what a value takes in memory beside the units of its texts, in bytes. */
const VALUE_BYTES = 24;

/**
 * Freezes a value with every object and array in it, where it takes no more bytes than that, about. A larger one, and one
 * with anything else in it, of which the contents could change all the same, is left as it is: then it says so.
 */
export function frozenIfPlain(value: unknown, bytesMax: number): boolean {
  const holders = new Set<object>();
  if (plainBytes(value, holders, bytesMax) > bytesMax) return false;
  holders.forEach(Object.freeze);
  return true;
}

/** About how many bytes a value takes that is plain; more than the bound where it is not, or as soon as that is clear. */
function plainBytes(value: unknown, holders: Set<object>, bytesMax: number): number {
  if (typeof value === "string") return VALUE_BYTES + 2 * value.length;
  if (typeof value === "function") return Infinity;
  if (typeof value !== "object" || value === null || holders.has(value)) return VALUE_BYTES;
  if (!isPlainHolder(value)) return Infinity;
  holders.add(value);
  let bytes = 2 * VALUE_BYTES;
  for (const [key, part] of Object.entries(value)) {
    bytes += key.length + plainBytes(part, holders, bytesMax - bytes);
    if (bytesMax < bytes) break;
  }
  return bytes;
}
