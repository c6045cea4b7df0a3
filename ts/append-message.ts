import type { AppendMessage, ConditionMessage } from "./engine.js";
import { MessageWriter } from "./message-writer.js";

const encoder = new TextEncoder();

/** Where a message stood, to go back to. */
interface Mark {
  readonly numbers: number;
  readonly texts: number;
  readonly textLength: number;
  readonly ids: number;
}

/**
 * Writes an {@link AppendMessage}, one append at a time. The layout is described there.
 *
 * An append is written whole or not at all: one that turns out to be refused half-way leaves nothing behind.
 */
export class AppendMessageWriter {
  /** Length of the payloads written, in UTF-16 units. */
  textLength = 0;
  readonly #message = new MessageWriter();
  readonly #texts: string[] = [];
  readonly #ids: string[] = [];

  /** Writes one append: `write` calls the methods below. What it throws comes out. */
  append(durability: number, condition: ConditionMessage | undefined, writeCount: number, write: () => void): void {
    const { numbers } = this.#message;
    const start: Mark = {
      numbers: numbers.length,
      texts: this.#texts.length,
      textLength: this.textLength,
      ids: this.#ids.length,
    };
    this.#message.number(0, 0, 0, durability, writeCount, condition === undefined ? 0 : 1);
    if (condition !== undefined) this.#message.number(condition.after).query(condition.query);
    try {
      write();
    } catch (error) {
      this.#goBack(start);
      throw error;
    }
    numbers[start.numbers] = numbers.length - start.numbers;
    numbers[start.numbers + 1] = this.textLength - start.textLength;
    numbers[start.numbers + 2] = this.#ids.length - start.ids;
  }

  /** Begins what is written to one stream. */
  stream(stream: string, expected: number, eventCount: number): void {
    this.#message.name(stream).number(expected, eventCount);
  }

  /** Writes one event. */
  event(event: EventParts): void {
    const { type, data, metadata, id, time, tags } = event;
    const message = this.#message.name(type);
    message.number(this.#text(data), this.#text(metadata), id === undefined ? 0 : 1, time, tags.length);
    for (const tag of tags) message.name(tag);
    if (id !== undefined) this.#ids.push(id);
  }

  /** What was written, as it crosses. */
  finish(ticket: number): AppendMessage {
    const texts = encoder.encode(this.#texts.join(""));
    return { ticket, texts, ids: this.#ids.join(""), ...this.#message.finish() };
  }

  #text(text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    this.#texts.push(text);
    this.textLength += text.length;
    return text.length;
  }

  #goBack(mark: Mark): void {
    // Names stay: one that nothing points to does no harm.
    this.#message.numbers.length = mark.numbers;
    this.#texts.length = mark.texts;
    this.textLength = mark.textLength;
    this.#ids.length = mark.ids;
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
