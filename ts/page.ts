import type { PageMessage } from "./engine.js";
import { NONE, PAGE_COLUMNS, PAGE_HAS_DATA, PAGE_HAS_METADATA } from "./engine.js";
import type { RecordedEvent, RecordedFact } from "./events.js";

/** An event or a fact, before the registry of a store gives it a type. */
export type AnyRecorded = RecordedEvent | RecordedFact;

/** Builds the events of a page. The layout is described at {@link PageMessage}. */
export function eventsOf(page: PageMessage): AnyRecorded[] {
  const { numbers, tags } = page;
  const ids = JSON.parse(page.ids) as string[];
  const data = JSON.parse(page.data) as unknown[];
  const metadata = JSON.parse(page.metadata) as object[];
  let nameEnd = 0;
  const names = Array.from(page.nameLengths, (length) => page.names.slice(nameEnd, (nameEnd += length)));
  const count = numbers.length / PAGE_COLUMNS;
  const events = new Array<AnyRecorded>(count);
  let dataPlace = 0;
  let metadataPlace = 0;
  let tagPlace = 0;
  for (let index = 0; index < count; index += 1) {
    const at = index * PAGE_COLUMNS;
    const parts = numbers[at + 5] as number;
    const tagEnd = tagPlace + (numbers[at + 6] as number);
    const eventTags: string[] = [];
    for (; tagPlace < tagEnd; tagPlace += 1) eventTags.push(names[tags[tagPlace] as number] as string);
    const revision = numbers[at + 1] as number;
    events[index] = {
      id: ids[index] as string,
      stream: names[numbers[at + 3] as number] as string,
      revision: revision === NONE ? undefined : revision,
      position: numbers[at] as number,
      type: names[numbers[at + 4] as number] as string,
      data: (parts & PAGE_HAS_DATA) === 0 ? undefined : data[dataPlace++],
      metadata: (parts & PAGE_HAS_METADATA) === 0 ? {} : (metadata[metadataPlace++] as object),
      tags: eventTags,
      time: numbers[at + 2] as number,
    } as AnyRecorded;
  }
  return events;
}
