// Documents as JSON keeps them, so that a handler sees the same of one that was just made as of one that was stored.
import { bytesOf } from "./bytes.js";
import type { EngineLimits } from "./engine.js";
import { limitExceeded } from "./errors.js";
import { jsonText } from "./payload.js";
import { isObjectPrototype } from "./realm.js";

/** Most bytes that a UTF-16 unit takes in a JSON text: as `\u001f`. */
const UNIT_BYTES_MAX = 6;
/** Most bytes of any other value, and of what stands around one. */
const VALUE_BYTES_MAX = 32;

/** How many bytes a text may still have. */
interface Room {
  bytes: number;
}

/**
 * A value as it comes back from its JSON text. Nearly always it is that already, and given as it is.
 *
 * Errors: `INVALID_ARGUMENT`, with the path, for what JSON would lose; `LIMIT_EXCEEDED`.
 */
export function plainDocument<Value>(value: Value, limits: EngineLimits): Value {
  const maximum = limits.eventBytes;
  const room = { bytes: maximum };
  const isAsItIs = isPlain(value, limits.jsonDepth, room);
  // Only of what may be too large the text is made to see how large it is.
  if (isAsItIs && 0 <= room.bytes) return value;
  const text = jsonText(value, "document", "", limits);
  const bytes = bytesOf(text, maximum);
  if (maximum < bytes) throw limitExceeded("document", "document bytes", bytes, maximum);
  return isAsItIs ? value : (JSON.parse(text) as Value);
}

function isPlain(value: unknown, depth: number, room: Room): boolean {
  room.bytes -= VALUE_BYTES_MAX;
  switch (typeof value) {
    case "string":
      room.bytes -= UNIT_BYTES_MAX * value.length;
      return true;
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || (0 < depth && (Array.isArray(value) ? isPlainList(value, depth, room) : isPlainObject(value, depth, room)));
    default:
      return false;
  }
}

function isPlainList(items: readonly unknown[], depth: number, room: Room): boolean {
  for (let index = 0; index < items.length; index += 1) if (!isPlain(items[index], depth - 1, room)) return false;
  return !("toJSON" in items);
}

function isPlainObject(value: object, depth: number, room: Room): boolean {
  if (!isObjectPrototype(Object.getPrototypeOf(value)) || "toJSON" in value) return false;
  for (const key of Object.keys(value)) {
    room.bytes -= UNIT_BYTES_MAX * key.length;
    if (!isPlain((value as Record<string, unknown>)[key], depth - 1, room)) return false;
  }
  return true;
}
