// What may stand in the data and the metadata of an event, and the text that is stored for it.
import type { Place } from "./arguments.js";
import { show, unfit } from "./arguments.js";
import type { EngineLimits } from "./engine.js";
import type { EverfoldError } from "./errors.js";
import { invalidArgument, limitExceeded } from "./errors.js";

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** What does not stand in a JSON string as it is, and surrogates, of which only pairs do. */
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;
const RESERVED_METADATA = new Set(["commandId", "correlationId", "causationId", "schemaVersion"]);

/** How many keys are remembered with their texts, and how long one may be. */
const KEYS_MAX = 1_024;
const KEY_LENGTH_MAX = 64;

/**
 * The JSON text of a value that JSON keeps as it is.
 *
 * `JSON.stringify` alone would turn `NaN` into null, drop functions, and flatten a Map to `{}`, all without a
 * word. So the value is walked, and what would not come back is refused, with the path to it. The text is written
 * on the way: a getter or a `toJSON` that answers differently the second time is asked once.
 * As in JSON, `toJSON` applies first, properties that are undefined are dropped, and `-0` is `0`.
 */
export function jsonText(value: unknown, place: Place, part: string, limits: EngineLimits): string {
  return walked(value, place, part, limits, undefined);
}

/** As {@link jsonText}, of an object without properties that are the store's own. */
export function metadataText(value: unknown, place: Place, part: string, limits: EngineLimits): string {
  const text = walked(value, place, part, limits, RESERVED_METADATA);
  if (!text.startsWith("{")) throw unfit(JSON.parse(text), `${place}${part}`, "a plain object");
  return text;
}

/** A walk that is over, for the next one to take. */
let spare: Walk | undefined;

/** The text of a value that has none of the `reserved` properties. */
function walked(value: unknown, place: Place, part: string, limits: EngineLimits, reserved: Reserved): string {
  // Code of the caller that is met on the way may come here too: then there is none to take.
  const walk = spare ?? new Walk();
  spare = undefined;
  walk.place = place;
  walk.part = part;
  walk.limits = limits;
  walk.reserved = reserved;
  const text = walk.text(value);
  spare = walk;
  return text;
}

type Reserved = ReadonlySet<string> | undefined;

/** A walk through a value, and the way to where it is. */
class Walk {
  /** Where the value stands: a part of this place. */
  place!: Place;
  part!: string;
  limits!: EngineLimits;
  reserved: Reserved;
  /** How many objects hold the value that is looked at. */
  #depth = 0;
  /** The keys of the way, and the objects on it, of which each holds the next one under its key. */
  readonly #keys: (string | number)[] = [];
  readonly #holders: (object | undefined)[] = [];

  text(value: unknown): string {
    switch (typeof value) {
      case "string":
        return quoted(this.#bounded(value));
      case "boolean":
        return value ? "true" : "false";
      case "number":
        if (Number.isFinite(value)) return `${value}`;
        throw this.#flaw(`is ${value}, which JSON cannot hold`);
      case "object":
        return value === null ? "null" : this.#replacedText(value);
      case "undefined":
        throw this.#flaw("is undefined, which JSON cannot hold here; null is allowed");
      default:
        throw this.#flaw(`is ${show(value)}, which JSON cannot hold`);
    }
  }

  #replacedText(value: object): string {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON !== "function") return this.#objectText(value);
    const replaced: unknown = toJSON.call(value, String(this.#keys[this.#depth - 1] ?? ""));
    if (replaced === undefined) throw this.#flaw("has a toJSON that gives undefined");
    return typeof replaced === "object" && replaced !== null ? this.#objectText(replaced) : this.text(replaced);
  }

  #objectText(value: object): string {
    const level = this.#depth;
    this.#holders[level] = value;
    if (this.limits.jsonDepth <= level) throw this.#tooDeep();
    const isArray = Array.isArray(value);
    if (!isArray) this.#refuseOtherKinds(value);
    this.#depth = level + 1;
    const text = isArray ? this.#itemsText(value, level) : this.#propertiesText(value, level);
    this.#depth = level;
    this.#holders[level] = undefined;
    return text;
  }

  #itemsText(items: readonly unknown[], level: number): string {
    let text = "[";
    for (let index = 0; index < items.length; index += 1) {
      this.#keys[level] = index;
      text = this.#bounded(`${text}${index === 0 ? "" : ","}${this.text(items[index])}`);
    }
    return `${text}]`;
  }

  #propertiesText(value: object, level: number): string {
    const reserved = level === 0 ? this.reserved : undefined;
    let text = "";
    for (const key of Object.keys(value)) {
      const property = (value as Record<string, unknown>)[key];
      if (property === undefined) continue;
      this.#keys[level] = key;
      if (reserved?.has(key)) throw this.#flaw("is the store's own; use another name, or the option causedBy");
      text = this.#bounded(`${text}${text === "" ? "{" : ","}${keyText(key)}${this.text(property)}`);
    }
    return text === "" ? "{}" : `${text}}`;
  }

  #refuseOtherKinds(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return;
    const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
    if (kind !== "Object") {
      throw this.#flaw(`is of the kind ${kind}, whose contents JSON would lose; turn it into plain objects and arrays`);
    }
  }

  /** Stops writing what the core would refuse, before it is longer than the engine's longest string. */
  #bounded(text: string): string {
    const { commitBytes } = this.limits;
    if (commitBytes < text.length) throw limitExceeded("events", "commit bytes", text.length, commitBytes);
    return text;
  }

  #flaw(problem: string): EverfoldError {
    return invalidArgument(this.#pathTo(this.#depth), problem);
  }

  /** The path to what so many objects hold. */
  #pathTo(depth: number): string {
    return pathOf(`${this.place}${this.part}`, this.#keys.slice(0, depth));
  }

  /** A cycle is a value without a bottom: it shows as too deep, and as an object met twice on the way down. */
  #tooDeep(): EverfoldError {
    const holders = this.#holders;
    const again = holders.findIndex((holder, level) => holders.indexOf(holder) < level);
    const { jsonDepth } = this.limits;
    if (again < 0) return limitExceeded(this.#pathTo(0), "JSON depth", jsonDepth + 1, jsonDepth);
    const first = holders.indexOf(holders[again]);
    return invalidArgument(this.#pathTo(again), `is ${this.#pathTo(first)} again: a cycle, which JSON cannot hold`);
  }
}

/** A string as JSON has it. */
function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const keyTexts = new Map<string, string>();

/** A key as JSON has it, with its colon. Events of a type have the same keys. */
function keyText(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const text = `${quoted(key)}:`;
  if (KEYS_MAX <= keyTexts.size) keyTexts.clear();
  if (key.length <= KEY_LENGTH_MAX) keyTexts.set(key, text);
  return text;
}

/** A path into a value as one would write it in code. */
export function pathOf(root: string, keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    return IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, root);
}
