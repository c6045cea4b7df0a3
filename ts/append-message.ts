import type { AppendMessage, ConditionMessage } from "./engine.js";
import { MessageWriter } from "./message-writer.js";

const encoder = new TextEncoder();

/**
 * Writes an {@link AppendMessage}, one append at a time. The layout is described there.
 *
 * It is given what was checked before, and calls nothing of a caller: in the middle of one append no other can begin.
 */
export class AppendMessageWriter {
  /** Length of the payloads written, in UTF-16 units. */
  textLength = 0;
  readonly #message = new MessageWriter();
  readonly #texts: string[] = [];
  readonly #ids: string[] = [];

  /** Writes one append. */
  append({ durability, condition, writes }: CommitParts): void {
    const { numbers } = this.#message;
    const start = numbers.length;
    const textStart = this.textLength;
    const idStart = this.#ids.length;
    this.#message.number(0, 0, 0, durability, writes.length, condition === undefined ? 0 : 1);
    if (condition !== undefined) this.#message.number(condition.after).query(condition.query);
    for (const { stream, expected, events } of writes) {
      this.#message.name(stream).number(expected, events.length);
      for (const event of events) this.#event(event);
    }
    numbers[start] = numbers.length - start;
    numbers[start + 1] = this.textLength - textStart;
    numbers[start + 2] = this.#ids.length - idStart;
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

  #event({ type, data, metadata, id, time, tags }: EventParts): void {
    const message = this.#message.name(type);
    message.number(this.#text(data), this.#text(metadata), id === undefined ? 0 : 1, time, tags.length);
    for (const tag of tags) message.name(tag);
    if (id !== undefined) this.#ids.push(id);
  }
}

/** An append, checked and ready to be written. */
export interface CommitParts {
  /** The code of its durability. */
  readonly durability: number;
  readonly condition: ConditionMessage | undefined;
  readonly writes: readonly WriteParts[];
}

/** What an append writes to one stream. */
export interface WriteParts {
  readonly stream: string;
  /** The code of what is expected of it. */
  readonly expected: number;
  readonly events: readonly EventParts[];
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
