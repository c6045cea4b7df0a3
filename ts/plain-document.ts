// Documents as JSON keeps them, so that a handler sees the same of one that was just made as of one that was stored.
import type { EngineLimits } from "./engine.js";
import { jsonText } from "./payload.js";

/**
 * A value as it comes back from its JSON text. Nearly always it is that already, and given as it is.
 *
 * Errors: `INVALID_ARGUMENT`, with the path, for what JSON would lose; `LIMIT_EXCEEDED`.
 */
export function plainDocument<Value>(value: Value, limits: EngineLimits): Value {
  return isPlain(value, limits.jsonDepth) ? value : (JSON.parse(jsonText(value, "document", "", limits)) as Value);
}

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || (0 < depth && (Array.isArray(value) ? isPlainList(value, depth) : isPlainObject(value, depth)));
    default:
      return false;
  }
}

function isPlainList(items: readonly unknown[], depth: number): boolean {
  for (let index = 0; index < items.length; index += 1) if (!isPlain(items[index], depth - 1)) return false;
  return !("toJSON" in items);
}

function isPlainObject(value: object, depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype || "toJSON" in value) return false;
  for (const key of Object.keys(value)) if (!isPlain((value as Record<string, unknown>)[key], depth - 1)) return false;
  return true;
}
