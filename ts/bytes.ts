/** The bytes of a text in UTF-8, counted only where there may be more than a maximum. */
export function bytesOf(text: string, maximum: number): number {
  return 3 * text.length <= maximum ? text.length : new TextEncoder().encode(text).length;
}
