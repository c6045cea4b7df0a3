import type { FlatMessage, QueryItemMessage } from "./engine.js";
import { QUERY_LISTS } from "./engine.js";

/** Writes a {@link FlatMessage} from its front to its end. */
export class MessageWriter {
  /** What follows the names. */
  readonly numbers: number[] = [];
  readonly #places = new Map<string, number>();

  /** Writes numbers, or that they are left out. */
  number(...values: (number | undefined)[]): this {
    for (const value of values) this.numbers.push(value ?? NaN);
    return this;
  }

  /** Writes a name, or that it is left out. */
  name(name: string | undefined): this {
    return this.number(name === undefined ? undefined : this.#placeOf(name));
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
    const numbers = [names.length, ...names.map((name) => name.length), ...this.numbers];
    return { names: names.join(""), numbers: Float64Array.from(numbers) };
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
