import type { AllReadMessage, Engine, PageMessage, StreamReadMessage } from "./engine.js";
import { abortSignal, name, oneOf, option, options as optionBag, whole } from "./arguments.js";
import type { AnyEvents, EventRegistry } from "./events.js";
import type { AnyRecorded } from "./page.js";
import { eventsOf } from "./page.js";
import { Breath } from "./pause.js";
import type { Query, QueryContext } from "./query.js";
import { EVERYTHING, checkQuery } from "./query.js";
import type { TimeInput } from "./time.js";
import { unixMillis } from "./time.js";
import type { Upcaster } from "./upcast.js";

/** In which order events are read. It changes neither bound. */
export type Direction = "forwards" | "backwards";

/** What a read of one stream is asked. */
export interface ReadOptions {
  /** The first revision of interest. 0 where it is left out. */
  readonly from?: number | undefined;
  /** The first revision of no interest. The end, as it is when reading begins, where it is left out. */
  readonly before?: number | undefined;
  /** `"forwards"` where it is left out. */
  readonly direction?: Direction | undefined;
  /** Most events wanted. All where it is left out. */
  readonly limit?: number | undefined;
  /** Ends the reading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a read of the whole log is asked. */
export interface ReadAllOptions<Registry extends EventRegistry = AnyEvents, Wanted extends Query<Registry> = Query<Registry>> {
  /** The last position of no interest. 0 where it is left out. */
  readonly after?: number | undefined;
  /** The first position of no interest. The end, as it is when reading begins, where it is left out. */
  readonly before?: number | undefined;
  /** The first time of interest. */
  readonly since?: TimeInput | undefined;
  /** The first time of no interest. */
  readonly until?: TimeInput | undefined;
  /** `"forwards"` where it is left out. */
  readonly direction?: Direction | undefined;
  /** Most events wanted. All where it is left out. */
  readonly limit?: number | undefined;
  /** Which events are wanted. All where it is left out. */
  readonly query?: Wanted | undefined;
  /** Ends the reading: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Something that is read page by page: iterate over the items with `for await`, or over whole pages, which is faster.
 *
 * Nothing is read before the iteration begins, and nothing more after it ends, be it early. Each iteration
 * reads anew: a consistent prefix of what is there when it begins, without a gap, half a commit or a reordering.
 */
export class Reading<Item> implements AsyncIterable<Item> {
  readonly #pages: () => AsyncGenerator<Item[], void, undefined>;

  /** @internal Made by the store alone. */
  constructor(pages: () => AsyncGenerator<Item[], void, undefined>) {
    this.#pages = pages;
  }

  /** Iterates over the items. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.#pages()) yield* page;
  }

  /** Iterates over arrays of items, none of them empty: as they are stored together, of no fixed length. */
  pages(): AsyncGenerator<Item[], void, undefined> {
    return this.#pages();
  }

  /** Reads everything into one array. */
  async toArray(): Promise<Item[]> {
    const pages: Item[][] = [];
    for await (const page of this.#pages()) pages.push(page);
    return pages.length === 1 ? (pages[0] as Item[]) : pages.flat();
  }
}

/** A page as it was read: its events, and how far it reached. */
export interface EventPage {
  readonly events: AnyRecorded[];
  /** Where the next page begins; nothing when this was the last. */
  readonly next: number | undefined;
  readonly asOf: number;
}

/** A request for a page, which the next page continues. */
interface PageRequest {
  readonly direction: Direction;
  readonly limit: number | undefined;
  readonly asOf: number | undefined;
}

/** Reads page after page: `request` is asked for first. Where it reads forwards, its bound `first` moves on. */
export async function* eventPages<Request extends PageRequest>(
  request: Request,
  signal: AbortSignal | undefined,
  read: (request: Request) => Promise<PageMessage>,
  first: keyof Request & ("from" | "after"),
  upcaster?: Upcaster,
): AsyncGenerator<EventPage, void, undefined> {
  const breath = new Breath();
  let current = request;
  for (;;) {
    signal?.throwIfAborted();
    const page = await read(current);
    const stored = eventsOf(page);
    const events = upcaster?.current(stored, "asStored") ?? stored;
    const limit = current.limit === undefined ? undefined : current.limit - events.length;
    // Where upcasters have dropped some, the core has stopped at the limit, and its caller not.
    const next = page.next ?? (events.length < stored.length && stored.length === current.limit ? edgeOf(stored, first, current) : undefined);
    yield { events, next, asOf: page.asOf };
    if (next === undefined || limit === 0) return;
    const bound = current.direction === "forwards" ? first : "before";
    current = { ...current, [bound]: next, limit, asOf: page.asOf };
    await breath.take();
  }
}

/** Reads page after page in the order in which the log is stored: of each stream the events come in their order, some perhaps twice. */
export async function* storedPages(
  engine: Engine,
  category: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventPage, void, undefined> {
  const breath = new Breath();
  let place: Float64Array | undefined;
  let asOf: number | undefined;
  do {
    signal?.throwIfAborted();
    const page = await engine.readStored({ category, place, asOf });
    ({ place, asOf } = page);
    yield { events: eventsOf(page), next: page.next, asOf };
    await breath.take();
  } while (place !== undefined);
}

/** The pages that have events, typed as the caller's registry has them. Where the limit is 0 nothing is read. */
export async function* filledPages<Event>(pages: AsyncIterable<EventPage>, limit: number | undefined): AsyncGenerator<Event[], void, undefined> {
  if (limit === 0) return;
  for await (const { events } of pages) {
    if (0 < events.length) yield events as unknown as Event[];
  }
}

/** The same pages, of which the next is already being read while one is looked at: for those who want them all. */
export async function* ahead<Page>(pages: AsyncGenerator<Page, void, undefined>): AsyncGenerator<Page, void, undefined> {
  let reading = pages.next();
  for (;;) {
    const { value, done } = await reading;
    if (done === true) return;
    reading = pages.next();
    // Who leaves early does not hear of it.
    reading.catch(() => {});
    yield value;
  }
}

/** Where a page begins that follows the last of these events. */
function edgeOf(stored: readonly AnyRecorded[], first: "from" | "after", { direction }: PageRequest): number | undefined {
  const last = stored.at(-1);
  if (last?.revision === undefined || first === "after") return last?.position;
  return direction === "forwards" ? last.revision + 1 : last.revision;
}

/** Checks the arguments of a read of one stream. */
export function streamRead(stream: unknown, options: unknown): { request: StreamReadMessage; signal: AbortSignal | undefined } {
  const bag = optionBag(options, ["from", "before", "direction", "limit", "signal"]);
  return {
    request: {
      stream: name(stream, "stream"),
      from: option(bag, "from", whole) ?? 0,
      before: option(bag, "before", whole),
      direction: directionOption(bag),
      limit: option(bag, "limit", whole),
      asOf: undefined,
    },
    signal: option(bag, "signal", abortSignal),
  };
}

/** The options of a read of the log. */
export const READ_ALL_OPTIONS = ["after", "before", "since", "until", "direction", "limit", "query", "signal"] as const;

/** Checks the arguments of a read of the log. */
export function allRead(bag: Record<string, unknown>, context: QueryContext): { request: AllReadMessage; signal: AbortSignal | undefined } {
  return {
    request: {
      after: option(bag, "after", whole) ?? 0,
      before: option(bag, "before", whole),
      since: option(bag, "since", unixMillis),
      until: option(bag, "until", unixMillis),
      direction: directionOption(bag),
      query: option(bag, "query", (query, path) => checkQuery(query, path, context)) ?? EVERYTHING,
      limit: option(bag, "limit", whole),
      asOf: undefined,
    },
    signal: option(bag, "signal", abortSignal),
  };
}

function directionOption(bag: Record<string, unknown>): Direction {
  return option(bag, "direction", (value, path) => oneOf(value, ["forwards", "backwards"], path)) ?? "forwards";
}
