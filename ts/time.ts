import { show } from "./arguments.js";
import { invalidArgument } from "./errors.js";

/**
 * A moment: whole milliseconds since 1970-01-01T00:00:00Z, a `Date`, or an ISO 8601 text with its zone, such as
 * `2026-01-31T08:00:00Z` or `2026-01-31T09:00:00.250+01:00`. A text without a zone is refused, because it would
 * mean another moment on another computer.
 */
export type TimeInput = number | Date | string;

/** The furthest moment that a `Date` can hold, in milliseconds. */
export const MILLIS_MAX = 8.64e15;
const ISO = /^(\d{4}|[+-]\d{6})-(\d{2})-(\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** A moment in Unix milliseconds. */
export function unixMillis(value: unknown, path: string): number {
  const time = millisOf(value);
  if (Number.isInteger(time) && Math.abs(time) <= MILLIS_MAX) return time;
  throw invalidArgument(
    path,
    `is ${isDate(value) ? "an invalid Date" : show(value)}; whole milliseconds since 1970, a Date, or an ISO 8601 text ` +
      "with its zone, such as 2026-01-31T08:00:00Z, is needed",
  );
}

function millisOf(value: unknown): number {
  if (typeof value === "string") return parseIso(value);
  if (isDate(value)) return value.getTime();
  return typeof value === "number" ? value : NaN;
}

/** Of this page or of another frame's. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}

function parseIso(text: string): number {
  const parts = ISO.exec(text);
  if (parts === null) return NaN;
  const [, year, month, day] = parts.map(Number) as [number, number, number, number];
  // Engines take 30 February for 2 March; the last day of a month is day 0 of the next.
  const lastDay = new Date(0);
  lastDay.setUTCFullYear(year, month, 0);
  return 1 <= day && day <= lastDay.getUTCDate() ? Date.parse(text) : NaN;
}
