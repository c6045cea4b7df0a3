// What is stored of consumers, and what is done to them in all tabs.
import { options as optionBag, uuid } from "./arguments.js";
import type { ConsumerInfo, ParkedEvent } from "./consumer.js";
import { firstAfter } from "./consumer.js";
import type { ParkedMessage } from "./consumer-messages.js";
import type { QueryItemMessage } from "./engine.js";
import type { AnyRecorded } from "./page.js";
import { eventsOf } from "./page.js";
import { FORWARDS } from "./query.js";
import type { Session } from "./session.js";

const RESET_OPTIONS = ["after"] as const;

/** Has a consumer go on after a position. */
export async function resetConsumer(session: Session, name: string, to: unknown): Promise<void> {
  const { after } = optionBag(to, RESET_OPTIONS);
  await session.engine.changeConsumer(name, { kind: "reset", after: firstAfter(session, after, "options.after") });
}

/** Has what is parked tried again. */
export async function retryParked(session: Session, name: string, id: unknown): Promise<boolean> {
  const checked = id === undefined ? undefined : uuid(id, "id");
  return session.engine.changeConsumer(name, { kind: "retry", id: checked });
}

/** What a consumer has parked, with the events. */
export async function parkedEvents(session: Session, name: string, query: readonly QueryItemMessage[]): Promise<readonly ParkedEvent[]> {
  const { parked = [], position = 0 } = (await session.engine.consumers()).find((consumer) => consumer.name === name) ?? {};
  return Promise.all(parked.map((stream) => parkedEvent(session, stream, query, position)));
}

async function parkedEvent(
  { engine, upcaster }: Session,
  { id, stream, position, attempts, time, retrying, reason }: ParkedMessage,
  query: readonly QueryItemMessage[],
  last: number,
): Promise<ParkedEvent> {
  const ofStream = query.filter(({ streams }) => streams === undefined || streams.includes(stream)).map((item) => ({ ...item, streams: [stream] }));
  let event: AnyRecorded | undefined;
  let behind = 0;
  let request = { ...FORWARDS, after: position - 1, before: last + 1, query: ofStream, limit: undefined, asOf: undefined as number | undefined };
  for (let hasMore = 0 < ofStream.length; hasMore; ) {
    const page = await engine.readAll(request);
    const events = eventsOf(page);
    event ??= events.find((found) => found.id === id);
    behind += events.filter((found) => found.id !== id).length;
    hasMore = page.next !== undefined;
    request = { ...request, after: page.next ?? last, asOf: page.asOf };
  }
  if (event !== undefined && upcaster !== undefined) [event = event] = upcaster.current([event], "asStored");
  return { id, stream, position, event, attempts, error: reason, time, behind, retrying };
}

/** The consumers that are stored. */
export async function consumerInfos({ engine }: Session): Promise<readonly ConsumerInfo[]> {
  const infos = await engine.consumers();
  return infos.map((info) => ({ ...info, parked: info.parked.length, lag: Math.max(engine.position - info.position, 0) }));
}
