/** The words that the four times twenty rounds add. */
const ADDENDS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const;
const BLOCK_BYTES = 64;

/** The SHA-1 digest of a message: 20 bytes (RFC 3174). For names only; as a safeguard it is broken. */
export function sha1(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  // In bits; a name is never so long that the upper half counts.
  view.setUint32(padded.length - 4, message.length * 8);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const words = new Int32Array(80);
  for (let block = 0; block < padded.length; block += BLOCK_BYTES) {
    let [a, b, c, d, e] = state as [number, number, number, number, number];
    for (let round = 0; round < 80; round += 1) {
      const word =
        round < 16
          ? view.getInt32(block + 4 * round)
          : rotated(words[round - 3]! ^ words[round - 8]! ^ words[round - 14]! ^ words[round - 16]!, 1);
      words[round] = word;
      const stage = Math.floor(round / 20);
      const mixed = stage === 0 ? (b & c) | (~b & d) : stage === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
      const next = (rotated(a, 5) + mixed + e + ADDENDS[stage]! + word) | 0;
      [a, b, c, d, e] = [next, a, rotated(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, index) => (state[index] = (state[index]! + word) | 0));
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, index) => digest.setInt32(4 * index, word));
  return new Uint8Array(digest.buffer);
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
