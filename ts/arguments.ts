// What callers pass, checked where it comes in, so that an error names the argument in the caller's own terms.
import type { EverfoldError } from "./errors.js";
import { invalidArgument } from "./errors.js";

const WHOLE = `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`;
/** Length of a UUID in bytes. */
export const UUID_BYTES = 16;
/** Length of its text form. */
const UUID_LENGTH = 36;
const HYPHEN = 0x2d;
// With the flag `u` only surrogates without a partner match.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Where an argument stands: put into words only where it is refused. */
export type Place = string | { toString(): string };

/** An argument as an error message shows it: short, and never a second error. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length <= 40 ? value : `${value.slice(0, 40)}…`);
    case "bigint":
      return `the BigInt ${value}`;
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : "an object";
    default:
      return String(value);
  }
}

/** A refusal of an argument, which says what it is and what it should be. */
export function unfit(value: unknown, path: string, needed: string): EverfoldError {
  return invalidArgument(path, `is ${show(value)}; ${needed} is needed`);
}

/** A revision, a position or a count. */
export function whole(value: unknown, path: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && 0 <= value) return value;
  throw unfit(value, path, WHOLE);
}

/** A name, a tag, a prefix: text that UTF-8 can hold. It is the `part` of what stands at `place`. */
export function text(value: unknown, place: Place, part = ""): string {
  if (typeof value !== "string") throw unfit(value, `${place}${part}`, "a string");
  if (LONE_SURROGATE.test(value)) {
    throw invalidArgument(`${place}${part}`, "has a surrogate without its partner, which is no character; names must be text");
  }
  return value;
}

/** As {@link text}, of at least one character. */
export function name(value: unknown, place: Place, part = ""): string {
  const checked = text(value, place, part);
  if (checked === "") throw invalidArgument(`${place}${part}`, "is empty; at least one character is needed");
  return checked;
}

/** A UUID in its text form. */
export function uuid(value: unknown, path: string): string {
  readUuid(value, path, "", new Uint8Array(UUID_BYTES), 0);
  return value as string;
}

/**
 * Checks a UUID in its text form, in either case and of any version, and writes its bytes. Most events have one: so it is read without a
 * branch for each character, and whether anything was wrong is asked at the end.
 */
export function readUuid(value: unknown, place: Place, part: string, bytes: Uint8Array, at: number): void {
  const text = typeof value === "string" && value.length === UUID_LENGTH ? value : "";
  // A bit is set where a hyphen is something else, and above the lowest four where a digit is.
  let wrong = text.charCodeAt(8) ^ HYPHEN | text.charCodeAt(13) ^ HYPHEN | text.charCodeAt(18) ^ HYPHEN | text.charCodeAt(23) ^ HYPHEN;
  let index = 0;
  for (let end = at; end < at + UUID_BYTES; end += 1) {
    const high = digitOf(text.charCodeAt(index));
    const low = digitOf(text.charCodeAt(index + 1));
    wrong |= (high | low) & ~0xf;
    bytes[end] = high << 4 | low;
    index += 2;
    if (index === 8 || index === 13 || index === 18 || index === 23) index += 1;
  }
  if (wrong !== 0) throw unfit(value, `${place}${part}`, 'a UUID such as "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e"');
}

/** What characters up to U+00FF say in hexadecimal; 16 where they are no digits. */
const DIGITS = Uint8Array.from({ length: 0x100 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? 16 : digit;
});

/** What a character says in hexadecimal; more than 15 where it is no digit. */
function digitOf(code: number): number {
  return (DIGITS[code & 0xff] ?? 0) | code >> 8 << 4;
}

/** One of a few words. */
export function oneOf<Word extends string>(value: unknown, words: readonly Word[], path: string): Word {
  if ((words as readonly unknown[]).includes(value)) return value as Word;
  throw unfit(value, path, words.map((word) => `"${word}"`).join(" or "));
}

/** Whether something is wanted. */
export function flag(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw unfit(value, path, "true or false");
}

/** An array. */
export function list(value: unknown, path: string): readonly unknown[] {
  // A copy, in which a hole is an undefined entry and nothing is done by methods of the caller's.
  if (Array.isArray(value)) return Array.from(value as unknown[]);
  throw unfit(value, path, "an array");
}

/** A function, of whatever kind it claims to be. */
export function callback<Callback>(value: unknown, path: string): Callback {
  if (typeof value === "function") return value as Callback;
  throw unfit(value, path, "a function");
}

/**
 * A bag of options. A property that is not known is refused: a misspelt expectation or query would
 * otherwise be no expectation, and match everything.
 */
export function bag(value: unknown, known: readonly string[], place: Place): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unfit(value, `${place}`, "an object");
  }
  for (const key in value) {
    if (!known.includes(key)) {
      throw invalidArgument(`${place}.${key}`, `is not known; known are ${known.join(", ")}`);
    }
  }
  return value as Record<string, unknown>;
}

/** Most calls have none. */
const NO_OPTIONS: Record<string, unknown> = Object.freeze({});

/** As {@link bag}, where nothing given means no options. */
export function options(value: unknown, known: readonly string[]): Record<string, unknown> {
  return value === undefined ? NO_OPTIONS : bag(value, known, "options");
}

/** What {@link options} gave under this key, checked where it was given. */
export function option<Value>(
  options: { readonly [key: string]: unknown },
  key: string,
  check: (value: unknown, path: string) => Value,
): Value | undefined {
  const value = options[key];
  return value === undefined ? undefined : check(value, `options.${key}`);
}

/** It throws for everything that is not a signal of the platform's, such as a proxy of one. */
const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")?.get;

/** An AbortSignal, be it of another realm: one that only looks like it would fail when it is listened to. */
export function abortSignal(value: unknown, path: string): AbortSignal {
  try {
    isAborted?.call(value);
    return value as AbortSignal;
  } catch {
    throw unfit(value, path, "an AbortSignal");
  }
}
