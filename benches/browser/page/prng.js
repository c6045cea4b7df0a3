// A seeded generator, so that a run can be repeated with the same events.

/** Marsaglia's xorshift of 32 bits: its period is long enough for a workload, and nothing here is secret. */
export class Prng {
  #state;

  /** @param {number} seed any whole number */
  constructor(seed) {
    // Zero is the one state that it never leaves.
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  /** A whole number of 32 bits. */
  next() {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  /** A whole number below `bound`. */
  below(bound) {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  /** One of these. */
  pick(choices) {
    return choices[this.below(choices.length)];
  }

  /** A UUID of version 4. */
  uuid() {
    const hex = () => this.next().toString(16).padStart(8, "0");
    const digits = hex() + hex() + hex() + hex();
    const variant = (8 + (parseInt(digits[16], 16) & 3)).toString(16);
    const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`, variant + digits.slice(17, 20), digits.slice(20)];
    return parts.join("-");
  }
}
