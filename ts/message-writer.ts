import type { FlatMessage, QueryItemMessage } from "./engine.js";
import { QUERY_LISTS } from "./engine.js";

/** How many numbers there is room for at first. */
const NUMBERS_FEW = 64;

/** Writes a {@link FlatMessage} from its front to its end. */
export class MessageWriter {
  /** What follows the names, as far as it is written. */
  numbers: Float64Array;
  /** How many numbers were written. */
  length = 0;
  readonly #names: string[] = [];
  readonly #places = new Map<string, number>();

  /** There is room for so many numbers before it has to be made. */
  constructor(numbersExpected: number = NUMBERS_FEW) {
    this.numbers = new Float64Array(numbersExpected);
  }

  /** Makes room for so many numbers, and says where they are to be written. */
  take(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.numbers.length < this.length) {
      const more = new Float64Array(2 * this.length);
      more.set(this.numbers);
      this.numbers = more;
    }
    return start;
  }

  /** Writes numbers, or that they are left out. */
  number(...values: (number | undefined)[]): this {
    const start = this.take(values.length);
    values.forEach((value, index) => (this.numbers[start + index] = value ?? NaN));
    return this;
  }

  /** Writes a name, or that it is left out. */
  name(name: string | undefined): this {
    return this.number(name === undefined ? undefined : this.placeOf(name));
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
    const names = this.#names;
    const numbers = new Float64Array(1 + names.length + this.length);
    numbers[0] = names.length;
    for (let index = 0; index < names.length; index += 1) numbers[1 + index] = names[index]?.length ?? 0;
    numbers.set(this.numbers.subarray(0, this.length), 1 + names.length);
    return { names: names.join(""), numbers };
  }

  /** The place of a name among the names. */
  placeOf(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.add(name);
      this.#places.set(name, place);
    }
    return place;
  }

  /** Adds a name, be it among the names or not, and gives its place. */
  add(name: string): number {
    return this.#names.push(name) - 1;
  }
}
