import { UUID_BYTES } from "./arguments.js";

/** A random UUID (version 4). `crypto.randomUUID` is missing where a page was loaded without TLS. */
export function randomId(): string {
  return textOf(crypto.getRandomValues(new Uint8Array(UUID_BYTES)), 4);
}

/** The text of a UUID of this version, from bytes of which the first 16 count. */
export function textOf(bytes: Uint8Array, version: number): string {
  const own = bytes.slice(0, UUID_BYTES);
  own[6] = ((own[6] ?? 0) & 0x0f) | (version << 4);
  own[8] = ((own[8] ?? 0) & 0x3f) | 0x80;
  const digits = Array.from(own, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
