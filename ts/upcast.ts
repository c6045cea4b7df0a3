import { show } from "./arguments.js";
import { EverfoldError, textOfThrown } from "./errors.js";
import type { EventRegistry, UpcastStep } from "./events.js";
import type { AnyRecorded } from "./page.js";
import { NotPlain, plainText } from "./plain-json.js";
import { isUnawaited } from "./schema.js";

/** What a stored type is today. */
interface Today {
  readonly type: string;
  readonly version: number;
  readonly upcast: { readonly [version: number]: UpcastStep } | undefined;
}

/** What becomes of an event of which the version is not known: a read gives it as it is stored, a fold cannot know what it means. */
export type NewerEvents = "asStored" | "refused";

/**
 * Reads stored events as those of today: what `version`, `upcast` and `formerly` of a registry come to. Stored bytes
 * never change; this runs on whatever was read.
 */
export class Upcaster {
  /** By the types under which events are stored. */
  readonly #types = new Map<string, Today>();
  /** The former names of types that have some. */
  readonly #formerly = new Map<string, readonly string[]>();

  constructor(registry: EventRegistry) {
    for (const [type, { version = 1, upcast, formerly = [] }] of Object.entries(registry)) {
      for (const name of [type, ...formerly]) this.#types.set(name, { type, version, upcast });
      if (0 < formerly.length) this.#formerly.set(type, formerly);
    }
  }

  /** The versions of stored types, by the types under which they are stored: 0 where the type is another one today. */
  get versions(): (readonly [type: string, version: number])[] {
    return Array.from(this.#types, ([stored, { type, version }]) => [stored, stored === type ? version : 0]);
  }

  /** The types under which events of these types are stored. */
  storedTypes(types: readonly string[]): readonly string[] {
    if (this.#formerly.size === 0) return types;
    return [...new Set(types.flatMap((type) => [type, ...(this.#formerly.get(type) ?? [])]))];
  }

  /** What events that are stored under a type are called today. */
  currentType(type: string): string {
    return this.#types.get(type)?.type ?? type;
  }

  /** The events of today that these are; those that upcasters drop are left out. */
  current(events: AnyRecorded[], newer: NewerEvents): AnyRecorded[] {
    let changed: AnyRecorded[] | undefined;
    for (let index = 0; index < events.length; index += 1) {
      const stored = events[index] as AnyRecorded;
      const event = this.#currentOne(stored, newer);
      // Nearly always nothing is to be done, and then nothing is copied.
      if (event !== stored) changed ??= events.slice(0, index);
      if (event !== undefined) changed?.push(event);
    }
    return changed ?? events;
  }

  #currentOne(event: AnyRecorded, newer: NewerEvents): AnyRecorded | undefined {
    const today = this.#types.get(event.type);
    if (today === undefined) return event;
    const { type, version } = today;
    const { schemaVersion: stored = 1 } = event.metadata;
    if (stored === version && event.type === type) return event;
    // Whoever imports a log, or writes one in Rust, may have written anything there.
    if (!Number.isSafeInteger(stored) || stored < 1) {
      if (newer === "asStored") return event;
      throw upcasterFailed(event, `its schemaVersion, ${show(stored)}, is no version of ${type}`);
    }
    if (version < stored) {
      if (newer === "asStored") return event;
      throw schemaTooNew(event, stored, version);
    }
    let { data } = event as { data: unknown };
    for (let from = stored; from < version; from += 1) {
      data = upcastOnce(event, today, from, data);
      if (data === null) return undefined;
    }
    if (stored < version) refuseNoJson(event, today, data);
    return { ...event, type, data } as AnyRecorded;
  }
}

function upcastOnce(event: AnyRecorded, today: Today, from: number, data: unknown): unknown {
  const step = today.upcast?.[from];
  if (step === undefined) throw upcasterFailed(event, `there is no upcaster from version ${from} of ${today.type}`);
  let result: unknown;
  try {
    result = step(data, { metadata: event.metadata, type: event.type });
  } catch (error) {
    throw upcasterFailed(event, `the upcaster from version ${from} of ${today.type} threw: ${textOfThrown(error)}`, error);
  }
  if (isUnawaited(result)) throw upcasterFailed(event, `the upcaster from version ${from} of ${today.type} gave a promise; it must be synchronous`);
  // One that changes what it is given, and returns nothing, would take the data away from every event without a word.
  if (result !== undefined || data === undefined) return result;
  throw upcasterFailed(event, `the upcaster from version ${from} of ${today.type} gave undefined; data is needed, or null to drop the event`);
}

/** Refuses what a reducer in the core, or the next release, could not be handed as it is. */
function refuseNoJson(event: AnyRecorded, { type, version }: Today, data: unknown): void {
  if (data === undefined) return;
  try {
    plainText(data, "data", "dropped");
  } catch (error) {
    const problem = error instanceof NotPlain ? `${error.path} ${error.message}` : textOfThrown(error);
    throw upcasterFailed(event, `the upcaster from version ${version - 1} of ${type} gave what JSON does not keep: ${problem}`);
  }
}

function schemaTooNew({ type, position }: AnyRecorded, version: number, known: number): EverfoldError {
  const message = `position ${position}: ${type} was written at version ${version}; this tab knows version ${known}: reload the page`;
  return new EverfoldError(message, { code: "SCHEMA_TOO_NEW", type, version });
}

function upcasterFailed({ type, position }: AnyRecorded, problem: string, cause: unknown = problem): EverfoldError {
  return new EverfoldError(`position ${position}: ${problem}`, { code: "UPCASTER_FAILED", type, position, cause });
}

const upcasters = new WeakMap<EventRegistry, Upcaster>();

/** The upcasters of an aggregate or a projection, where it has events of its own. */
export function upcasterOf({ events }: { readonly events: EventRegistry | undefined }): Upcaster | undefined {
  if (events === undefined) return undefined;
  const known = upcasters.get(events) ?? new Upcaster(events);
  upcasters.set(events, known);
  return known;
}
