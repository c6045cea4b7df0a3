import type { FlatMessage, QueryItemMessage } from "./engine.js";
import { QUERY_LISTS } from "./engine.js";

/** How many numbers there is room for at first. */
const NUMBERS_FEW = 64;

/** Writes a {@link FlatMessage} from its front to its end. */
export class MessageWriter {
  /** How many numbers were written, without those of the names. */
  length = 0;
  #numbers = new Float64Array(NUMBERS_FEW);
  readonly #places = new Map<string, number>();

  /** Writes numbers, or that they are left out. */
  number(...values: (number | undefined)[]): this {
    for (const value of values) this.push(value ?? NaN);
    return this;
  }

  /** Writes one number. */
  push(value: number): void {
    if (this.length === this.#numbers.length) {
      const more = new Float64Array(2 * this.length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.length] = value;
    this.length += 1;
  }

  /** Writes a number over the one at a place. */
  set(place: number, value: number): void {
    this.#numbers[place] = value;
  }

  /** Writes a name, or that it is left out. */
  name(name: string | undefined): this {
    this.push(name === undefined ? NaN : this.#placeOf(name));
    return this;
  }

  /** Writes a query. */
  query(items: readonly QueryItemMessage[]): this {
    this.number(items.length);
    for (const item of items) {
      for (const list of QUERY_LISTS) {
        const names = item[list];
        this.number(names?.length);
        names?.forEach((name) => this.name(name));
      }
    }
    return this;
  }

  /** What was written, as it crosses. */
  finish(): FlatMessage {
    const names = [...this.#places.keys()];
    const numbers = new Float64Array(1 + names.length + this.length);
    numbers[0] = names.length;
    names.forEach((name, index) => (numbers[1 + index] = name.length));
    numbers.set(this.#numbers.subarray(0, this.length), 1 + names.length);
    return { names: names.join(""), numbers };
  }

  #placeOf(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.#places.size;
      this.#places.set(name, place);
    }
    return place;
  }
}
