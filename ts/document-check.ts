// What a document may say: the grammar of docs/reducers.md. The core compiles the same, and checks it again; here it is
// checked as soon as it is written, before there is a core.
import type { EverfoldError } from "./errors.js";
import { invalidArgument, limitExceeded } from "./errors.js";
import { FACT_TYPES } from "./query.js";

const UPDATES = ["$set", "$unset", "$inc", "$min", "$max", "$push", "$pull", "$addToSet"];
/** A step of projections: the document is taken away. */
const REMOVE = "$remove";
/** What a reference may begin with, and whether it has fields. */
const ROOTS: ReadonlyMap<string, boolean> = new Map([
  ...["data", "metadata", "state"].map((root) => [root, true] as const),
  ...["type", "stream", "time", "revision", "position"].map((root) => [root, false] as const),
]);
/** How many arguments an operator takes at least and at most; at most any number where nothing is said. */
const OPERATORS: ReadonlyMap<string, Counts> = new Map<string, Counts>([
  ...["$add", "$multiply", "$concat"].map((operator): [string, Counts] => [operator, [1]]),
  ...["$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$subtract"].map((operator): [string, Counts] => [operator, [2, 2]]),
  ...["$and", "$or"].map((operator): [string, Counts] => [operator, [0]]),
  ...["$not", "$size"].map((operator): [string, Counts] => [operator, [1, 1]]),
  ["$cond", [3, 3]],
  ["$ifNull", [2]],
]);
const CONDITION = ["if", "then", "else"];
/** Deepest nesting of what a path leads to, as of all JSON. */
const PARTS_MAX = 64;
const WRITES_MAX = 1_000;
const TEXT_BYTES_MAX = 262_144;

type Counts = readonly [least: number, most?: number];
type Properties = Readonly<Record<string, unknown>>;

/** What events are folded into: a state, which is always there, or documents, which come and go, and which facts change too. */
export type Folded = "state" | "document";

/**
 * Checks a document, which is plain JSON. Errors: `INVALID_ARGUMENT` and `LIMIT_EXCEEDED` with the place in it that is wrong,
 * such as `evolve.ItemAdded[0].$inc.count`; `path` is what it begins with.
 */
export function checkGrammar(document: Properties, path: string, into: Folded): void {
  checkLength(document, path);
  checkDepth(document, path, 0);
  let writeCount = 0;
  for (const [type, steps] of Object.entries(document)) {
    const place = at(path, type);
    const isHanded = into === "document" && (FACT_TYPES as readonly string[]).includes(type);
    if (type.startsWith("$") && !isHanded) throw invalidArgument(place, "is a fact of the store's own, which no reducer is handed");
    if (/\p{Surrogate}/u.test(type)) throw invalidArgument(place, "has half a surrogate pair, which no type has");
    for (const [step, inner] of itemsOf(steps, place)) {
      const check = new StepCheck(into, writeCount);
      check.step(step, inner);
      ({ writeCount } = check);
    }
  }
}

/** Checks what gives the keys of documents: an expression, of the event alone. Errors: as {@link checkGrammar}. */
export function checkKeyGrammar(key: unknown, path: string): void {
  checkLength(key, path);
  checkDepth(key, path, 0);
  new StepCheck("key", 0).expression(key, path);
}

function checkLength(value: unknown, path: string): void {
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  if (TEXT_BYTES_MAX < bytes) throw limitExceeded(path, "reducer bytes", bytes, TEXT_BYTES_MAX);
}

/** Refuses what is nested deeper than the core reads, at the place where it is. */
function checkDepth(value: unknown, place: string, level: number): void {
  if (typeof value !== "object" || value === null) return;
  if (PARTS_MAX <= level) throw limitExceeded(place, "JSON depth", level + 1, PARTS_MAX);
  const isList = Array.isArray(value);
  for (const [key, inner] of Object.entries(value)) checkDepth(inner, isList ? `${place}[${key}]` : at(place, key), level + 1);
}

/** One step, and what was met in it. */
class StepCheck {
  writeCount: number;
  /** What `$for` calls its elements. */
  #variable: string | undefined;
  /** The paths that are written, in their parts. */
  readonly #written: (readonly string[])[] = [];
  readonly #into: Folded | "key";

  constructor(into: Folded | "key", writeCount: number) {
    this.#into = into;
    this.writeCount = writeCount;
  }

  step(step: unknown, place: string): void {
    if (!isObject(step)) throw invalidArgument(place, "is no step; one is an object such as { $set: { path: value } }");
    if (Object.hasOwn(step, "$for")) this.#variable = this.#each(step.$for, `${place}.$for`);
    if (Object.hasOwn(step, "$if")) this.expression(step.$if, `${place}.$if`);
    for (const [name, fields] of Object.entries(step)) {
      if (name === "$for" || name === "$if") continue;
      if (name === REMOVE && this.#into === "document") {
        this.#remove(fields, at(place, name));
        continue;
      }
      if (!UPDATES.includes(name)) throw invalidArgument(place, `has ${JSON.stringify(name)}; a step is made of ${UPDATES.join(", ")}, and of $if and $for; ${REMOVE} is for projections`);
      const inner = at(place, name);
      if (name === "$unset") {
        for (const [path, item] of itemsOf(fields, inner)) this.#write(path, item);
      } else {
        if (!isObject(fields)) throw invalidArgument(inner, "is no object of paths and values");
        for (const [path, value] of Object.entries(fields)) {
          this.#write(path, at(inner, path));
          this.expression(value, at(inner, path));
        }
      }
    }
  }

  #each(each: unknown, place: string): string {
    const [first, ...more] = isObject(each) ? Object.entries(each) : [];
    if (first === undefined || 0 < more.length || !/^\w+$/.test(first[0]) || ROOTS.has(first[0])) {
      throw invalidArgument(place, 'is not one variable and its array, such as { line: "$data.lines" }');
    }
    this.expression(first[1], at(place, first[0]));
    return first[0];
  }

  #write(path: unknown, place: string): void {
    if (typeof path !== "string") throw invalidArgument(place, "is no path");
    this.writeCount += 1;
    if (WRITES_MAX < this.writeCount) throw limitExceeded(place, "reducer writes", this.writeCount, WRITES_MAX);
    const parts = partsOf(path, place);
    if (this.#written.some(({ length }) => length === 0)) throw aside(place);
    const isOverlapping = (other: readonly string[]) => other.every((part, index) => parts.length <= index || parts[index] === part);
    const other = this.#written.find(isOverlapping);
    if (other !== undefined) throw invalidArgument(place, `overlaps "${other.join(".")}" in the same step; make two steps of it`);
    this.#written.push(parts);
    for (const part of parts) {
      const reference = inside(part, "{", "}") ?? selectorOf(part);
      if (reference !== undefined) this.#template(reference, place);
      else if (part !== "[]" && !isName(part)) throw invalidArgument(place, `has "${part}"; a path is made of names, {data.x}, [] and [name={data.x}]`);
    }
  }

  #remove(value: unknown, place: string): void {
    if (value !== true) throw invalidArgument(place, "is to be true");
    if (0 < this.#written.length) throw aside(place);
    this.#written.push([]);
    this.writeCount += 1;
  }

  #template(reference: string, place: string): void {
    if (reference.includes("{")) throw invalidArgument(place, `has "${reference}", a template in a template`);
    this.#reference(reference, place);
  }

  #reference(text: string, place: string): void {
    const [root = "", ...names] = partsOf(text, place, PARTS_MAX + 1);
    for (const name of names) {
      const template = inside(name, "{", "}");
      if (template !== undefined) this.#template(template, place);
      else if (!isName(name)) throw invalidArgument(place, `has "${text}"; a reference is made of names and {data.x}`);
    }
    if (root === "state" && this.#into === "key") throw invalidArgument(place, "has $state; which document an event is of follows from the event alone");
    const hasFields = root === this.#variable || ROOTS.get(root);
    if (hasFields === undefined) throw invalidArgument(place, `has "${root}", where ${[...ROOTS.keys()].join(", ")} or the variable of $for is needed`);
    if (hasFields === false && 0 < names.length) throw invalidArgument(place, `has "${text}", and ${root} has no fields`);
  }

  expression(value: unknown, place: string): void {
    if (typeof value === "string" && value.startsWith("$")) this.#reference(value.slice(1), place);
    if (Array.isArray(value)) value.forEach((item, index) => this.expression(item, `${place}[${index}]`));
    else if (isObject(value)) this.#object(value, place);
  }

  #object(value: Properties, place: string): void {
    const names = Object.keys(value);
    const operator = names.find((name) => name.startsWith("$"));
    if (operator === undefined) {
      for (const name of names) this.expression(value[name], at(place, name));
      return;
    }
    const counts = OPERATORS.get(operator);
    if (1 < names.length || (counts === undefined && operator !== "$literal")) {
      throw invalidArgument(place, `has ${JSON.stringify(operator)}; there are $literal, ${[...OPERATORS.keys()].join(", ")}, each alone in its object`);
    }
    if (counts !== undefined) this.#call(operator, value[operator], counts, at(place, operator));
  }

  #call(operator: string, given: unknown, [least, most = Infinity]: Counts, place: string): void {
    if (operator === "$cond" && isObject(given)) {
      const isWhole = Object.keys(given).length === CONDITION.length;
      for (const name of CONDITION) {
        if (!isWhole || !Object.hasOwn(given, name)) throw invalidArgument(at(place, name), "is to stand in $cond, with if, then and else and nothing more");
        this.expression(given[name], at(place, name));
      }
      return;
    }
    this.expression(given, place);
    const count = Array.isArray(given) ? given.length : 1;
    if (count < least || most < count) throw invalidArgument(place, `has ${count} arguments; ${least === most ? least : `${least} or more`} are needed`);
  }
}

function aside(place: string): EverfoldError {
  return invalidArgument(place, `stands beside ${REMOVE}, or the other way round; make two steps of it`);
}

/** An item or the items of a list, each with its place. */
function itemsOf(value: unknown, place: string): (readonly [item: unknown, place: string])[] {
  return Array.isArray(value) ? value.map((item, index) => [item, `${place}[${index}]`] as const) : [[value, place]];
}

/** What stands between the dots that are in no brackets. */
export function partsOf(path: string, place: string, countMax: number = PARTS_MAX): string[] {
  const parts = [""];
  let depth = 0;
  for (const unit of path.split("")) {
    if (unit === "{" || unit === "[") depth += 1;
    else if (unit === "}" || unit === "]") depth = Math.max(0, depth - 1);
    if (unit === "." && depth === 0) parts.push("");
    else parts[parts.length - 1] += unit;
  }
  if (countMax < parts.length) throw limitExceeded(place, "JSON depth", parts.length, countMax);
  return parts;
}

/** The reference in a part such as `[name={data.x}]`. */
function selectorOf(part: string): string | undefined {
  const condition = inside(part, "[", "]");
  const end = condition?.indexOf("=") ?? -1;
  if (condition === undefined || end < 0 || !isName(condition.slice(0, end))) return undefined;
  return inside(condition.slice(end + 1), "{", "}");
}

function inside(part: string, opening: string, closing: string): string | undefined {
  return 2 <= part.length && part.startsWith(opening) && part.endsWith(closing) ? part.slice(1, -1) : undefined;
}

/** Whether it is a name that stands for itself. */
function isName(part: string): boolean {
  return part !== "" && !/^\$|[{}[\]]/.test(part);
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(place: string, name: string): string {
  return /^[\w$]+$/.test(name) ? `${place}.${name}` : `${place}[${JSON.stringify(name)}]`;
}
