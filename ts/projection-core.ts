// Batches of a declarative projection: the core reads, folds and writes. What is left to do here is to make old events such of today.
import { keysOf } from "./document-keys.js";
import type { PageMessage } from "./engine.js";
import type { EverfoldError } from "./errors.js";
import type { Feed } from "./feed.js";
import type { AnyRecorded } from "./page.js";
import { eventsOf } from "./page.js";
import type { Projecting } from "./projection-fold.js";
import { currentUpTo, projectionFailed, tooLarge } from "./projection-fold.js";
import type { CarriedMessage, ClaimMessage, GivenEventMessage } from "./projection-messages.js";
import type { ProjectorContext } from "./projector.js";

/** What a batch has come to. */
export interface CoreBatch extends Pick<CarriedMessage, "position" | "isWritten" | "isReady"> {
  readonly changed: readonly string[];
  /** Why it goes no further. */
  readonly failure: unknown;
}

/** Carries a build on in the core, as long as a claim lasts. */
export class CoreBatches {
  readonly #context: ProjectorContext;
  readonly #feed: Feed;
  #claim: ClaimMessage;
  #reducer: number | undefined;
  /** The page that comes next, where it has events that are to be made such of today. */
  #older: PageMessage | undefined;

  constructor(context: ProjectorContext, feed: Feed, claim: ClaimMessage) {
    this.#context = context;
    this.#feed = feed;
    this.#claim = claim;
  }

  /** The next batch, once it is written; nothing where the right to write it is lost, or the feed was stopped. */
  async next(): Promise<CoreBatch | undefined> {
    const { engine, message: projection, projecting } = this.#context;
    this.#reducer ??= await engine.defineDocuments(definitionOf(projecting));
    const carryOn = { projection, claim: this.#claim, reducer: this.#reducer };
    const older = this.#older;
    let failure: unknown;
    let carried: CarriedMessage | undefined;
    if (older === undefined) {
      carried = await engine.carryOn(carryOn, await this.#feed.begin());
    } else {
      const { events, failed } = currentUpTo(projecting.upcaster, eventsOf(older));
      failure = failed?.error;
      const end = failed === undefined ? (older.next ?? older.asOf) : Math.max(this.#claim.position, failed.event.position - 1);
      carried = await engine.carryOnBy(carryOn, events.map(givenOf), end, failed === undefined && older.next === undefined);
    }
    if (carried === undefined) return undefined;
    const { position, isWritten, isReady, keys, keyLengths } = carried;
    this.#older = carried.older;
    if (isWritten) this.#claim = { ...this.#claim, position, isAnswering: this.#claim.isAnswering || isReady };
    return { position, isWritten, isReady, changed: keysOf(keys, keyLengths), failure: failureOf(carried, projecting) ?? failure };
  }
}

function definitionOf({ projection, upcaster, indexes }: Projecting): Parameters<ProjectorContext["engine"]["defineDocuments"]>[0] {
  const { on, key } = projection;
  const versions = upcaster?.versions ?? [];
  return { on: JSON.stringify(on), key: key === undefined ? undefined : JSON.stringify(key), indexes: indexes.map(({ paths }) => paths), versions };
}

function givenOf({ type, stream, data, metadata, revision, position, time }: AnyRecorded): GivenEventMessage {
  const texts = { data: data === undefined ? undefined : JSON.stringify(data), metadata: JSON.stringify(metadata) };
  return { type, stream, ...texts, revision, position, time };
}

function failureOf(carried: CarriedMessage, { projection, limits }: Projecting): EverfoldError | undefined {
  const { problem, failedStream, failedRevision, failedType, failedPosition, documentBytes } = carried;
  if (problem === undefined) return undefined;
  const event = { stream: failedStream, revision: failedRevision, type: failedType, position: failedPosition } as AnyRecorded;
  return projectionFailed(projection.name, event, documentBytes === undefined ? problem : tooLarge(documentBytes, limits.eventBytes));
}
