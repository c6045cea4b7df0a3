import type { AppendMessage, ConditionMessage } from "./engine.js";
import { MessageWriter } from "./message-writer.js";
import { UUID_BYTES, readUuid } from "./uuid.js";

/** How many ids there is room for at first. */
const IDS_FEW = 4;
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
  #ids = new Uint8Array(IDS_FEW * UUID_BYTES);
  #idCount = 0;

  /** Writes one append. */
  append({ durability, condition, writes }: CommitParts): void {
    const message = this.#message;
    const start = message.length;
    const textStart = this.textLength;
    const idStart = this.#idCount;
    message.number(0, 0, 0, durability, writes.length, condition === undefined ? 0 : 1);
    if (condition !== undefined) message.number(condition.after).query(condition.query);
    for (const { stream, expected, events } of writes) {
      message.name(stream).push(expected);
      message.push(events.length);
      for (const event of events) this.#event(event);
    }
    message.set(start, message.length - start);
    message.set(start + 1, this.textLength - textStart);
    message.set(start + 2, this.#idCount - idStart);
  }

  /** What was written, as it crosses. */
  finish(ticket: number): AppendMessage {
    const texts = encoder.encode(this.#texts.join(""));
    const ids = this.#ids.subarray(0, this.#idCount * UUID_BYTES);
    return { ticket, texts, ids, ...this.#message.finish() };
  }

  #event({ type, data, metadata, id, time, tags }: EventParts): void {
    const message = this.#message.name(type);
    this.#text(data);
    this.#text(metadata);
    message.push(id === undefined ? 0 : 1);
    message.push(time ?? NaN);
    message.push(tags.length);
    for (const tag of tags) message.name(tag);
    if (id !== undefined) this.#id(id);
  }

  #text(text: string | undefined): void {
    this.#message.push(text === undefined ? NaN : text.length);
    if (text === undefined) return;
    this.#texts.push(text);
    this.textLength += text.length;
  }

  #id(id: string): void {
    const at = this.#idCount * UUID_BYTES;
    if (at === this.#ids.length) {
      const more = new Uint8Array(2 * at);
      more.set(this.#ids);
      this.#ids = more;
    }
    readUuid(id, this.#ids, at);
    this.#idCount += 1;
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
  /** A UUID in its text form. */
  readonly id: string | undefined;
  /** Unix milliseconds. */
  readonly time: number | undefined;
  readonly tags: readonly string[];
}
