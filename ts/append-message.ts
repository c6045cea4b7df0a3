import type { AppendMessage, ConditionMessage } from "./engine.js";
import { NONE } from "./engine.js";

const encoder = new TextEncoder();

/** Where a message stood, to go back to. */
interface Mark {
  readonly numbers: number;
  readonly texts: number;
  readonly textLength: number;
  readonly ids: number;
  readonly conditions: number;
}

/**
 * Writes an {@link AppendMessage}, one append at a time. The layout is described there.
 *
 * An append is written whole or not at all: one that turns out to be refused half-way leaves nothing behind.
 */
export class AppendMessageWriter {
  /** Length of the payloads written, in UTF-16 units. */
  textLength = 0;
  readonly #numbers: number[] = [];
  readonly #texts: string[] = [];
  readonly #ids: string[] = [];
  readonly #conditions: ConditionMessage[] = [];
  readonly #names = new Map<string, number>();

  /** Writes one append: `write` calls the methods below. What it throws comes out. */
  append(durability: number, condition: ConditionMessage | undefined, writeCount: number, write: () => void): void {
    const start: Mark = {
      numbers: this.#numbers.length,
      texts: this.#texts.length,
      textLength: this.textLength,
      ids: this.#ids.length,
      conditions: this.#conditions.length,
    };
    if (condition !== undefined) this.#conditions.push(condition);
    this.#numbers.push(0, 0, 0, durability, condition === undefined ? 0 : this.#conditions.length, writeCount);
    try {
      write();
    } catch (error) {
      this.#goBack(start);
      throw error;
    }
    this.#numbers[start.numbers] = this.#numbers.length - start.numbers;
    this.#numbers[start.numbers + 1] = this.textLength - start.textLength;
    this.#numbers[start.numbers + 2] = this.#ids.length - start.ids;
  }

  /** Begins what is written to one stream. */
  stream(stream: string, expected: number, eventCount: number): void {
    this.#numbers.push(this.#name(stream), expected, eventCount);
  }

  /** Writes one event. */
  event(event: EventParts): void {
    const { type, data, metadata, id, time, tags } = event;
    this.#numbers.push(
      this.#name(type),
      this.#text(data),
      this.#text(metadata),
      id === undefined ? 0 : 1,
      time ?? Number.NaN,
      tags.length,
    );
    for (const tag of tags) this.#numbers.push(this.#name(tag));
    if (id !== undefined) this.#ids.push(id);
  }

  /** What was written, as it crosses. */
  finish(ticket: number): AppendMessage {
    return {
      ticket,
      texts: encoder.encode(this.#texts.join("")),
      names: JSON.stringify([...this.#names.keys()]),
      ids: this.#ids.join(""),
      numbers: Float64Array.from(this.#numbers),
      conditions: this.#conditions,
    };
  }

  #text(text: string | undefined): number {
    if (text === undefined) return NONE;
    this.#texts.push(text);
    this.textLength += text.length;
    return text.length;
  }

  #name(name: string): number {
    let place = this.#names.get(name);
    if (place === undefined) {
      place = this.#names.size;
      this.#names.set(name, place);
    }
    return place;
  }

  #goBack(mark: Mark): void {
    // Names stay: one that nothing points to does no harm.
    this.#numbers.length = mark.numbers;
    this.#texts.length = mark.texts;
    this.textLength = mark.textLength;
    this.#ids.length = mark.ids;
    this.#conditions.length = mark.conditions;
  }
}

/** An event, checked and ready to be written. */
export interface EventParts {
  readonly type: string;
  /** The JSON text of its data. */
  readonly data: string | undefined;
  /** The JSON text of its metadata. */
  readonly metadata: string | undefined;
  readonly id: string | undefined;
  /** Unix milliseconds. */
  readonly time: number | undefined;
  readonly tags: readonly string[];
}
