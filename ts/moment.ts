// Moments of the past, in terms of what is folded for them.
import { option, whole } from "./arguments.js";
import type { Engine } from "./engine.js";
import { invalidArgument } from "./errors.js";
import type { RecordedFact } from "./events.js";
import type { Stretch } from "./evolve.js";
import { EVERYTHING, FACT_TYPES, FORWARDS, WHATEVER } from "./query.js";
import { eventPages } from "./reading.js";
import type { Source } from "./source.js";
import { unixMillis } from "./time.js";

/** How far a source is folded; as far as it goes, where nothing is said. */
type Bounds = Pick<Stretch, "before" | "asOf">;

/** How far a source is folded for the moment that is asked for: options of a load, among others. Errors: `INVALID_ARGUMENT`. */
export async function boundsOf(engine: Engine, moment: Record<string, unknown>, source: Source): Promise<Bounds> {
  const given = ["revision", "position", "time"].filter((key) => moment[key] !== undefined);
  if (1 < given.length) throw invalidArgument(`options.${given[1]}`, `is given beside ${given[0]}; one moment is needed`);
  const revision = option(moment, "revision", whole);
  if (revision !== undefined) {
    if ("query" in source) throw invalidArgument("options.revision", "is of a stream; for a query, a position or a time is needed");
    return boundsAt(engine, source.stream, revision);
  }
  const position = option(moment, "position", whole);
  if (position !== undefined) return pastOf(engine, position);
  const time = option(moment, "time", unixMillis);
  return time === undefined ? {} : boundsBefore(engine, time);
}

/** The log as of the position of an event; as it is now, where that event has not come yet. */
async function boundsAt(engine: Engine, stream: string, revision: number): Promise<Bounds> {
  // Past the last revision that there can be, there is nothing.
  if (revision === Number.MAX_SAFE_INTEGER) return {};
  const seen = await positionOf(engine, stream, revision, undefined);
  if (seen.position !== undefined) return { asOf: seen.position };
  const info = await engine.streamInfo(stream);
  if (info?.revision === undefined || info.revision < revision) return { asOf: seen.asOf };
  // It may have come in between.
  const { position: came } = await positionOf(engine, stream, revision, undefined);
  const position = came ?? (await positionOfHidden(engine, stream, revision));
  return position === undefined ? { before: revision + 1 } : { asOf: position };
}

/** The position of an event, where it is seen in the log as of a position, and of which position that is. */
async function positionOf(engine: Engine, stream: string, revision: number, asOf: number | undefined): Promise<{ position: number | undefined; asOf: number }> {
  const request = { stream, from: revision, before: revision + 1, direction: "forwards", limit: 1, asOf } as const;
  for await (const page of eventPages(request, undefined, (message) => engine.readStream(message), "from")) {
    if (0 < page.events.length || page.next === undefined) return { position: page.events[0]?.position, asOf: page.asOf };
  }
  return { position: undefined, asOf: asOf ?? engine.position };
}

/** The position of an event that is hidden now: it is seen before the first fact that hides it. Nothing where it is erased. */
async function positionOfHidden(engine: Engine, stream: string, revision: number): Promise<number | undefined> {
  const request = { ...FORWARDS, after: 0, query: [{ streams: [stream], types: FACT_TYPES }], limit: undefined, asOf: undefined };
  for await (const { events } of eventPages(request, undefined, (message) => engine.readAll(message), "after")) {
    for (const fact of events as unknown as RecordedFact[]) {
      if (fact.type === "$truncated" && fact.data.before <= revision) continue;
      const { position } = await positionOf(engine, stream, revision, fact.position - 1);
      if (position !== undefined) return position;
    }
  }
  return undefined;
}

/** The log as of a position; as it is now, where that has not come yet. */
async function pastOf(engine: Engine, position: number): Promise<{ asOf: number }> {
  // Another tab may have written what this one has not seen.
  return { asOf: position <= engine.position ? position : Math.min(position, await headOf(engine)) };
}

/** The last position of the log. */
async function headOf(engine: Engine): Promise<number> {
  return (await engine.readAll({ ...FORWARDS, after: Number.MAX_SAFE_INTEGER, query: EVERYTHING, limit: 1, asOf: undefined })).asOf;
}

/** The log before the first event or fact that is later than a time; as it is now where there is none. */
async function boundsBefore(engine: Engine, time: number): Promise<Bounds> {
  let bounds: Bounds = {};
  for (;;) {
    const first = await firstAfter(engine, time, bounds.asOf);
    if (first === undefined) return bounds;
    // As of before it, what was hidden from there on is seen again, and may be later than the time as well.
    bounds = { asOf: first - 1 };
  }
}

/** The position of the first event or fact that is later than a time, in the log as of a position. */
async function firstAfter(engine: Engine, time: number, asOf: number | undefined): Promise<number | undefined> {
  let request = { ...FORWARDS, after: 0, since: time + 1, query: WHATEVER, limit: 1, asOf };
  for (;;) {
    const page = await engine.readAll(request);
    if (0 < page.numbers.length) return page.numbers[0];
    if (page.next === undefined) return undefined;
    request = { ...request, after: page.next, asOf: page.asOf };
  }
}
