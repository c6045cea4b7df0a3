import type { Place } from "./arguments.js";
import { UUID_BYTES, readUuid } from "./arguments.js";
import type { AppendMessage, ConditionMessage } from "./engine.js";
import { MessageWriter } from "./message-writer.js";

/** How many ids there is room for at first. */
const IDS_FEW = 4;

/**
 * Writes an {@link AppendMessage}, one append at a time. The layout is described there.
 *
 * It is given what was checked before, but for ids, which are checked as they are read. It calls nothing of a caller: in
 * the middle of one append no other can begin.
 */
export class AppendMessageWriter {
  /** Length of the payloads written, in UTF-16 units. */
  textLength = 0;
  readonly #message = new MessageWriter();
  readonly #texts: string[] = [];
  #ids = new Uint8Array(IDS_FEW * UUID_BYTES);
  #idCount = 0;
  /** The stream of the last write, and its place among the names. */
  #stream: string | undefined;
  #streamPlace = 0;

  /** Writes one append: all of it, or nothing where an id is none. */
  append({ durability, condition, writes }: CommitParts): void {
    const message = this.#message;
    const { textLength } = this;
    const idCount = this.#idCount;
    const textCount = this.#texts.length;
    const start = message.take(6);
    try {
      if (condition !== undefined) message.number(condition.after).query(condition.query);
      for (const write of writes) this.#write(write);
    } catch (error) {
      message.length = start;
      this.textLength = textLength;
      this.#idCount = idCount;
      this.#texts.length = textCount;
      throw error;
    }
    const { numbers } = message;
    numbers[start] = message.length - start;
    numbers[start + 1] = this.textLength - textLength;
    numbers[start + 2] = this.#idCount - idCount;
    numbers[start + 3] = durability;
    numbers[start + 4] = writes.length;
    numbers[start + 5] = condition === undefined ? 0 : 1;
  }

  /** For how many numbers there is room. */
  get room(): number {
    return this.#message.numbers.length;
  }

  /** Begins anew, in the room that there is. */
  clear(): this {
    this.#message.clear();
    this.#texts.length = 0;
    this.#stream = undefined;
    this.textLength = this.#idCount = 0;
    return this;
  }

  /** What was written, as it crosses: it is good until more is written. */
  finish(ticket: number): AppendMessage {
    const texts = this.#texts.join("");
    const ids = this.#ids.subarray(0, this.#idCount * UUID_BYTES);
    return { ticket, texts, ids, ...this.#message.finish() };
  }

  #write({ stream, expected, events }: WriteParts): void {
    const message = this.#message;
    const start = message.take(3);
    const { numbers } = message;
    // Most writes go on with the stream of the last, or are of one that no other names: to look for it costs more than to
    // write it again.
    if (stream !== this.#stream) [this.#stream, this.#streamPlace] = [stream, message.add(stream)];
    numbers[start] = this.#streamPlace;
    numbers[start + 1] = expected;
    numbers[start + 2] = events.length;
    for (const event of events) this.#event(event);
  }

  #event({ place, type, data, metadata, id, time, tags }: EventParts): void {
    const message = this.#message;
    const start = message.take(6);
    const { numbers } = message;
    numbers[start] = message.placeOf(type);
    numbers[start + 1] = this.#text(data);
    numbers[start + 2] = this.#text(metadata);
    numbers[start + 3] = id === undefined ? 0 : 1;
    numbers[start + 4] = time ?? NaN;
    numbers[start + 5] = tags.length;
    for (const tag of tags) message.name(tag);
    if (id !== undefined) this.#id(id, place);
  }

  #text(text: string | undefined): number {
    if (text === undefined) return NaN;
    this.#texts.push(text);
    this.textLength += text.length;
    return text.length;
  }

  #id(id: unknown, place: Place): void {
    const at = this.#idCount * UUID_BYTES;
    if (at === this.#ids.length) {
      const more = new Uint8Array(2 * at);
      more.set(this.#ids);
      this.#ids = more;
    }
    readUuid(id, place, ".id", this.#ids, at);
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
  /** Where it stands in the arguments of the caller. */
  readonly place: Place;
  readonly type: string;
  /** The JSON text of its data. */
  readonly data: string | undefined;
  /** The JSON text of its metadata. */
  readonly metadata: string | undefined;
  /** Not checked yet; where the caller gave none, `undefined`. */
  readonly id: unknown;
  /** Unix milliseconds. */
  readonly time: number | undefined;
  readonly tags: readonly string[];
}
