import type { AnyAggregate } from "./aggregate.js";
import { isDocument } from "./declarative.js";
import type { EventRegistry } from "./events.js";
import { plainText } from "./plain-json.js";
import type { AnyProjection } from "./projection.js";
import { sha1 } from "./sha1.js";
import type { FingerprintMessage } from "./snapshot-messages.js";

const encoder = new TextEncoder();
/** What stands in for the source of a function that has none: one of the platform's, or one that is bound. */
const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;
/** In place of a registry, where there is none. */
const NO_EVENTS = {};

/** Projections of which was said that their functions cannot be compared. */
const warned = new WeakSet<object>();

const known = new WeakMap<object, WeakMap<object, FingerprintMessage | undefined>>();

/**
 * What tells the reducer of an aggregate apart from all others, its own earlier ones included: a hash of its name and
 * version, of its initial state, of the source of `evolve` or its document, and of versions, former names and upcasters of
 * the events. Nothing where that cannot be told: the initial state is not plain JSON, or a function does not show its source.
 *
 * What these functions call or close over is not in it. A change there needs a new `version`.
 */
export function fingerprintOf(aggregate: AnyAggregate<unknown>, ofStore: EventRegistry | undefined): FingerprintMessage | undefined {
  const events = aggregate.events ?? ofStore ?? NO_EVENTS;
  const ofAggregate = known.get(aggregate) ?? new WeakMap<object, FingerprintMessage | undefined>();
  known.set(aggregate, ofAggregate);
  if (!ofAggregate.has(events)) ofAggregate.set(events, compute(aggregate, events as EventRegistry));
  return ofAggregate.get(events);
}

function compute(aggregate: AnyAggregate<unknown>, events: EventRegistry): FingerprintMessage | undefined {
  const { name, version, evolve } = aggregate;
  let text: string;
  try {
    text = JSON.stringify([name, version, plainText(aggregate.initial()), described(evolve), registryOf(events)]);
  } catch {
    return undefined;
  }
  return hashed(text);
}

/** The first 64 bits of the SHA-1 of a text. */
function hashed(text: string): FingerprintMessage {
  const digest = new DataView(sha1(encoder.encode(text)).buffer);
  return [digest.getUint32(0), digest.getUint32(4)];
}

/**
 * What tells the documents of a projection apart from others of its name: a hash of its version, of its query, of the source
 * of its functions or of its document, and of versions, former names and upcasters of the events. Of a function that does not show its source, none of
 * that is seen: where no `version` is said either, the console is told once.
 */
export function fingerprintOfProjection(projection: AnyProjection<unknown>, ofStore: EventRegistry | undefined): FingerprintMessage {
  const { version, query, key, on } = projection;
  const events = (projection.events ?? ofStore ?? NO_EVENTS) as EventRegistry;
  if (version === 1) warnOfHidden(projection, [key, on, registryOf(events, (value) => value)]);
  // Documents are plain JSON, and all that there is to them.
  if (isDocument(on)) return hashed(JSON.stringify(["document", version, query, key ?? null, on, registryOf(events, sourceOf)]));
  return hashed(JSON.stringify([version, query, sourceOf(key), sourceOf(on), registryOf(events, sourceOf)]));
}

/** Says once of a projection that it would not be seen if one of its functions changed. */
function warnOfHidden(projection: AnyProjection<unknown>, functions: unknown): void {
  if (warned.has(projection)) return;
  try {
    described(functions);
  } catch {
    warned.add(projection);
    console.warn(`a function of the projection ${projection.name} does not show its source, as one that is bound: its documents are made anew where \`version\` is raised, and not by themselves where it changes`);
  }
}

function registryOf(events: EventRegistry, describe: (value: unknown) => unknown = described): unknown {
  return Object.entries(events).map(([type, { version = 1, upcast, formerly }]) => [type, version, describe(upcast), formerly]);
}

/** A value, with its kind where that does not show in JSON, and each function in it by its source. Errors: where one does not show it. */
function described(value: unknown): unknown {
  if (typeof value === "function") {
    const source = Function.prototype.toString.call(value);
    if (NATIVE.test(source)) throw new Error("a function does not show its source");
    return ["function", source];
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return ["array", ...value.map(described)];
  return ["object", ...Object.entries(value).map(([key, part]) => [key, described(part)])];
}

/** A value, each function in it by its source, whatever that shows. */
function sourceOf(value: unknown): unknown {
  if (typeof value === "function") return Function.prototype.toString.call(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([key, part]) => [key, sourceOf(part)]);
}
