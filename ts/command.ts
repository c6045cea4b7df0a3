import { UUID_BYTES, readUuid } from "./arguments.js";
import type { Engine } from "./engine.js";
import type { AnyRecorded } from "./page.js";
import { eventsOf } from "./page.js";
import { FORWARDS, WHATEVER } from "./query.js";
import { eventPages } from "./reading.js";
import { sha1 } from "./sha1.js";
import { textOf } from "./uuid.js";

/** The namespace of command ids that are no UUIDs themselves: made once, at random, and never to change. */
const NAMESPACE = "b49f0641-e034-44ab-b924-0e6d5a8bcaed";

const encoder = new TextEncoder();

/**
 * The ids of the events of one command, which follow from it alone: whoever executes it again, in another tab or after
 * a reload, comes to the same ids, and the log knows them.
 *
 * An id is a UUIDv5 (RFC 9562): its namespace is the command id where that is a UUID, or else the UUIDv5 of the command id in a
 * namespace of ours; its name is the stream, U+0000, and the place of the event among those of the command in that stream.
 */
export class CommandIds {
  /** The id of the command, as its caller gave it; a UUID in lower case. */
  readonly commandId: string;
  readonly #namespace: Uint8Array;

  constructor(commandId: string) {
    const hasOwnNamespace = isUuid(commandId);
    this.commandId = hasOwnNamespace ? commandId.toLowerCase() : commandId;
    this.#namespace = bytesOf(hasOwnNamespace ? commandId : nameId(bytesOf(NAMESPACE), commandId));
  }

  /** The id of one event. */
  eventId(stream: string, index: number): string {
    return nameId(this.#namespace, `${stream}\0${index}`);
  }
}

/** A UUIDv5. */
function nameId(namespace: Uint8Array, name: string): string {
  const text = encoder.encode(name);
  const bytes = new Uint8Array(UUID_BYTES + text.length);
  bytes.set(namespace);
  bytes.set(text, UUID_BYTES);
  return textOf(sha1(bytes), 5);
}

function bytesOf(uuid: string): Uint8Array {
  const bytes = new Uint8Array(UUID_BYTES);
  readUuid(uuid, "", "", bytes, 0);
  return bytes;
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}

/** What was recorded of a command. */
export interface Executed {
  /** Its events in the stream in which it was found, in their order. */
  readonly events: readonly AnyRecorded[];
  /** The position of the last event of its commit. */
  readonly lastPosition: number;
}

/**
 * What a command has led to, where it was executed before: looked up by the first event that it wrote to this stream. What it wrote to
 * another stream by a commit of its own, with nothing between the two, is taken for a part of it.
 */
export async function findExecuted(engine: Engine, command: CommandIds, stream: string): Promise<Executed | undefined> {
  const [first] = eventsOf(await engine.event(command.eventId(stream, 0), stream));
  if (first === undefined) return undefined;
  const events = [first];
  // How many were met of each stream: of what follows, the next one has the next id.
  const counts = new Map([[stream, 1]]);
  let { position: lastPosition } = first;
  const request = { ...FORWARDS, after: lastPosition, query: WHATEVER, limit: undefined, asOf: undefined };
  for await (const page of eventPages(request, undefined, (message) => engine.readAll(message), "after")) {
    for (const event of page.events) {
      const count = counts.get(event.stream) ?? 0;
      // The events of a commit stand side by side, and a fact is a commit of its own.
      if (event.id !== command.eventId(event.stream, count)) return { events, lastPosition };
      counts.set(event.stream, count + 1);
      if (event.stream === stream) events.push(event);
      lastPosition = event.position;
    }
  }
  return { events, lastPosition };
}
