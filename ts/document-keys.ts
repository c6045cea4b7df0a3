/** Keys that crossed put together, with the length of each. */
export function keysOf(text: string, lengths: Uint32Array): string[] {
  let end = 0;
  return Array.from(lengths, (length) => text.slice(end, (end += length)));
}
