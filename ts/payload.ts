// What may stand in the data and the metadata of an event, and the text that is stored for it.
import { show } from "./arguments.js";
import type { EverfoldError } from "./errors.js";
import { invalidArgument, limitExceeded } from "./errors.js";

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * The JSON text of a value that JSON keeps as it is.
 *
 * `JSON.stringify` alone would turn `NaN` into null, drop functions, and flatten a Map to `{}`, all without a
 * word. So the value is copied first, and what would not come back is refused, with the path to it. What is written
 * is the copy: a getter or a `toJSON` that answers differently the second time is asked once.
 * As in JSON, `toJSON` applies first, properties that are undefined are dropped, and `-0` is `0`.
 */
export function jsonText(value: unknown, path: string, depthMax: number): string {
  return writtenText(jsonCopy(value, path, depthMax), path);
}

/** The text of what {@link jsonCopy} gave. */
export function writtenText(copy: unknown, path: string): string {
  try {
    return JSON.stringify(copy);
  } catch (error) {
    // The only way left to fail is a text longer than the engine's longest string.
    throw invalidArgument(path, `cannot be written as JSON: ${error instanceof Error ? error.message : show(error)}`);
  }
}

/** A copy of a value as it comes back from JSON, which refuses what {@link jsonText} does. */
export function jsonCopy(value: unknown, path: string, depthMax: number): unknown {
  return new Walk(path, depthMax).copy(value);
}

/** A walk through a value, and the way to where it is. */
class Walk {
  readonly #path: string;
  readonly #depthMax: number;
  readonly #keys: (string | number)[] = [];
  /** The values on the way, of which each holds the next one under its key. */
  readonly #holders: object[] = [];

  constructor(path: string, depthMax: number) {
    this.#path = path;
    this.#depthMax = depthMax;
  }

  copy(value: unknown): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (Number.isFinite(value)) return value;
        throw this.#flaw(`is ${value}, which JSON cannot hold`);
      case "object":
        return value === null ? null : this.#copyReplaced(value);
      case "undefined":
        throw this.#flaw("is undefined, which JSON cannot hold here; null is allowed");
      default:
        throw this.#flaw(`is ${show(value)}, which JSON cannot hold`);
    }
  }

  #copyReplaced(value: object): unknown {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON !== "function") return this.#copyObject(value);
    const replaced: unknown = toJSON.call(value, String(this.#keys.at(-1) ?? ""));
    if (replaced === undefined) throw this.#flaw("has a toJSON that gives undefined");
    return typeof replaced === "object" && replaced !== null ? this.#copyObject(replaced) : this.copy(replaced);
  }

  #copyObject(value: object): object {
    this.#holders.push(value);
    if (this.#depthMax < this.#holders.length) throw this.#tooDeep();
    const copy = Array.isArray(value) ? this.#copyItems(value) : this.#copyProperties(value);
    this.#holders.pop();
    return copy;
  }

  #copyItems(items: readonly unknown[]): unknown[] {
    const copy: unknown[] = [];
    for (let index = 0; index < items.length; index += 1) {
      this.#keys.push(index);
      copy.push(this.copy(items[index]));
      this.#keys.pop();
    }
    return copy;
  }

  #copyProperties(value: object): object {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
      if (kind !== "Object") {
        throw this.#flaw(`is of the kind ${kind}, whose contents JSON would lose; turn it into plain objects and arrays`);
      }
    }
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const property = (value as Record<string, unknown>)[key];
      if (property === undefined) continue;
      this.#keys.push(key);
      const copied = this.copy(property);
      this.#keys.pop();
      // Assigned, this one would become the prototype.
      if (key === "__proto__") Object.defineProperty(copy, key, { value: copied, enumerable: true });
      else copy[key] = copied;
    }
    return copy;
  }

  #flaw(problem: string): EverfoldError {
    return invalidArgument(pathOf(this.#path, this.#keys), problem);
  }

  /** A cycle is a value without a bottom: it shows as too deep, and as an object met twice on the way down. */
  #tooDeep(): EverfoldError {
    const holders = this.#holders;
    const again = holders.findIndex((holder, level) => holders.indexOf(holder) < level);
    if (again < 0) return limitExceeded(this.#path, "JSON depth", this.#depthMax + 1, this.#depthMax);
    const [back, there] = [holders.indexOf(holders[again] as object), again].map((end) =>
      pathOf(this.#path, this.#keys.slice(0, end)),
    );
    return invalidArgument(`${there}`, `is ${back} again: a cycle, which JSON cannot hold`);
  }
}

/** A path into a value as one would write it in code. */
export function pathOf(root: string, keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    return IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, root);
}
