/** How a value is compared: as a whole, or an object by those properties that are expected of it. */
export type Comparison = "whole" | "partial";

/** Whether two values are the same in all that a test sees of them. */
export function isAlike(actual: unknown, expected: unknown, comparison: Comparison): boolean {
  // NaN is itself, and -0 is 0.
  if (actual === expected || Object.is(actual, expected)) return true;
  if (!isHolder(actual) || !isHolder(expected) || kindOf(actual) !== kindOf(expected)) return false;
  if (actual instanceof Date && expected instanceof Date) return actual.getTime() === expected.getTime();
  if (isIterable(actual) && isIterable(expected) && !Array.isArray(actual)) return isAlike([...actual], [...expected], "whole");
  const [some, all] = [Object.keys(expected), Object.keys(actual).filter((key) => actual[key] !== undefined)];
  if ((comparison === "whole" || Array.isArray(actual)) && all.some((key) => expected[key] === undefined)) return false;
  return some.every((key) => isAlike(actual[key], expected[key], comparison));
}

/** What a test fails with: test runners show what was found beside what was expected. */
export class Difference extends Error {
  readonly actual: unknown;
  readonly expected: unknown;

  constructor(message: string, actual: unknown, expected: unknown, cause?: unknown) {
    super(`${message}\nfound    ${shown(actual)}\nexpected ${shown(expected)}`, cause === undefined ? undefined : { cause });
    this.actual = actual;
    this.expected = expected;
  }
}
Object.defineProperty(Difference.prototype, "name", { value: "AssertionError", configurable: true, writable: true });

type Holder = { readonly [key: string]: unknown };

function isHolder(value: unknown): value is Holder {
  return typeof value === "object" && value !== null;
}

/** A map or a set, of which nothing is seen in its properties. */
function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function shown(value: unknown): string {
  if (value instanceof Error) return String(value);
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" || typeof part === "function" ? String(part) : part)) ?? String(value);
}
