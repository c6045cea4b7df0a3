import type { FlatMessage, QueryItemMessage } from "./engine.js";
import { QUERY_LISTS } from "./engine.js";

/** How many numbers there is room for at first. */
const NUMBERS_FEW = 64;

/** So many names at most stand in a message without having been looked for. */
const NAMES_UNSEARCHED_MAX = 2_048;

/** Writes a {@link FlatMessage} from its front to its end. */
export class MessageWriter {
  /** What was written, and room for more. */
  numbers: Float64Array = new Float64Array(NUMBERS_FEW);
  /** How many numbers were written. */
  length = 0;
  readonly #names: string[] = [];
  readonly #places = new Map<string, number>();

  /** Makes room for so many numbers, and says where they are to be written. */
  take(count: number): number {
    const start = this.length;
    const length = start + count;
    if (this.numbers.length < length) {
      const more = new Float64Array(2 * length);
      more.set(this.numbers);
      this.numbers = more;
    }
    this.length = length;
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

  /** What was written, as it crosses: it is good until more is written. */
  finish(): FlatMessage {
    const names = this.#names;
    const start = this.take(names.length + 1);
    const { numbers } = this;
    for (let index = 0; index < names.length; index += 1) numbers[start + index] = names[index]?.length ?? 0;
    numbers[this.length - 1] = names.length;
    return { names: names.join(""), numbers: numbers.subarray(0, this.length) };
  }

  /** Begins anew, in the room that there is. */
  clear(): void {
    this.length = 0;
    this.#names.length = 0;
    this.#places.clear();
  }

  /** The place of a name among the names. */
  placeOf(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.#names.push(name) - 1;
      this.#places.set(name, place);
    }
    return place;
  }

  /**
   * Adds a name, be it among the names or not, and gives its place. Of a message with many names it is looked for all the same, or
   * a few that come in turns would grow without bound.
   */
  add(name: string): number {
    return this.#names.length < NAMES_UNSEARCHED_MAX ? this.#names.push(name) - 1 : this.placeOf(name);
  }
}
