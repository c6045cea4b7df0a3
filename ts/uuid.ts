/** Length of a UUID in bytes. */
export const UUID_BYTES = 16;

/** Length of its text form. */
const UUID_LENGTH = 36;
const HYPHEN = 0x2d;

/**
 * Writes the bytes of a UUID in its text form, in either case and of any version. Answers whether the text is one: of
 * any other, what was written means nothing.
 */
export function readUuid(text: string, bytes: Uint8Array, at: number): boolean {
  let end = at;
  for (let place = 0; place < UUID_LENGTH; place += 2) {
    if (place === 8 || place === 13 || place === 18 || place === 23) {
      if (text.charCodeAt(place) !== HYPHEN) return false;
      place += 1;
    }
    const high = digitOf(text.charCodeAt(place));
    const low = digitOf(text.charCodeAt(place + 1));
    if (15 < high || 15 < low) return false;
    bytes[end] = 16 * high + low;
    end += 1;
  }
  return text.length === UUID_LENGTH;
}

/** What a character says in hexadecimal; 16 where it is no digit. */
function digitOf(code: number): number {
  if (0x30 <= code && code <= 0x39) return code - 0x30;
  const lowerCase = code | 0x20;
  return 0x61 <= lowerCase && lowerCase <= 0x66 ? lowerCase - 0x57 : 16;
}
