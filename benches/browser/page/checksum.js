// What shows that two stores hold the same.

/** A sum over bytes or text in their order: FNV-1a of 32 bits, over UTF-16 units where it is text. */
export class Checksum {
  #sum = 0x811c9dc5;

  /** Adds a text. */
  text(text) {
    let sum = this.#sum;
    for (let index = 0; index < text.length; index += 1) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
    this.#sum = sum;
  }

  /** Adds bytes. */
  bytes(bytes) {
    let sum = this.#sum;
    for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
    this.#sum = sum;
  }

  /** The sum so far. */
  get value() {
    return this.#sum >>> 0;
  }
}

/**
 * The number of events and a checksum of all that is the same in every store: everything but the time, which a store assigns.
 *
 * @param {Iterable<object>} events
 */
export function content(events) {
  const checksum = new Checksum();
  let count = 0;
  for (const { id, stream, revision, position, type, data, metadata } of events) {
    checksum.text(JSON.stringify([id, stream, revision, position, type, data, metadata]));
    count += 1;
  }
  return { count, checksum: checksum.value };
}

/** Fails unless what was read back is what was given. */
export function assertEqualWork(what, given, found) {
  if (given.count === found.count && given.checksum === found.checksum) return;
  const show = ({ count, checksum }) => `${count} records with the checksum ${checksum}`;
  throw new Error(`${what} did not do equal work: it was given ${show(given)}, and has ${show(found)}`);
}
