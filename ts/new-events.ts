import type { WriteParts } from "./append-message.js";
import type { Host } from "./host.js";
import type { AnyRecorded } from "./page.js";

/** The id of an event that has none yet. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

/**
 * New events as they will be stored, to be folded before they are written: with the data and metadata that a read will
 * give. What only the write decides, their positions and times and the ids that the store makes, is a likely value.
 */
export function rehearsed({ stream, events }: WriteParts, revision: number | undefined, position: number, host: Host): AnyRecorded[] {
  const first = revision === undefined ? 0 : revision + 1;
  return events.map(({ type, data, metadata, id, time, tags }, index): AnyRecorded => ({
    id: typeof id === "string" ? id.toLowerCase() : NO_ID,
    stream,
    revision: first + index,
    position: position + 1 + index,
    type,
    data: data === undefined ? undefined : JSON.parse(data),
    metadata: metadata === undefined ? {} : JSON.parse(metadata),
    tags,
    time: time ?? host.now(),
  }));
}
