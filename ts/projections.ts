import { DocumentIndex } from "./document-index.js";
import { closed } from "./errors.js";
import { fingerprintOfProjection } from "./fingerprint.js";
import type { AnyProjection } from "./projection.js";
import { checkProjection } from "./projection.js";
import type { ProjectionMessage } from "./projection-messages.js";
import { ProjectedDocuments } from "./projected-documents.js";
import { Projector } from "./projector.js";
import { EVERYTHING, FACT_TYPES, checkQuery } from "./query.js";
import type { QueryItemMessage } from "./engine.js";
import type { FactType } from "./events.js";
import type { ReadModel } from "./read-model.js";
import type { Session } from "./session.js";
import { upcasterOf } from "./upcast.js";
import "./store.js";

const known = new WeakMap<Session, Projections>();

/** The read model of a projection, which is carried on from now on. Errors: `CLOSED`. */
export async function openProjection(session: Session, definition: unknown): Promise<ReadModel<never, never>> {
  if (session.isClosed()) throw closed();
  let projections = known.get(session);
  if (projections === undefined) {
    known.set(session, (projections = new Projections(session)));
    session.finishing.add(projections.close);
  }
  return projections.open(definition);
}

/** The read models of an open store: one for each definition, however often that is written. */
export class Projections {
  readonly #session: Session;
  /** By what their definitions are: one that is written where it is used is another object each time. */
  readonly #models = new Map<string, Promise<ReadModel<never, never>>>();
  readonly #projectors = new Set<Projector>();
  #isClosed = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The read model of a projection, which is carried on from now on. */
  open(definition: unknown): Promise<ReadModel<never, never>> {
    const projection = checkProjection<unknown>(definition, "projection");
    const indexes = Object.entries(projection.indexes).map(([name, of]) => new DocumentIndex(name, of));
    const message: ProjectionMessage = {
      name: projection.name,
      version: projection.version,
      fingerprint: fingerprintOfProjection(projection, this.#session.events),
      indexes: indexes.map(({ text, valueCount }) => ({ text, valueCount })),
    };
    const identity = JSON.stringify(message);
    const known = this.#models.get(identity);
    if (known !== undefined) return known;
    const opening = this.#open(projection, message, indexes);
    this.#models.set(identity, opening);
    // What could not be opened may be later.
    opening.catch(() => this.#models.delete(identity));
    return opening;
  }

  async #open(projection: AnyProjection<unknown>, message: ProjectionMessage, indexes: readonly DocumentIndex[]): Promise<ReadModel<never, never>> {
    const { engine, limits } = this.#session;
    const upcaster = upcasterOf(projection) ?? this.#session.upcaster;
    const query = projection.query === undefined ? EVERYTHING : checkQuery(projection.query, "projection.query", { limits, upcaster });
    const standing = await engine.project(message, "ifNew");
    const wanted = withFacts(query, projection);
    const projector = new Projector({ engine, message, query: wanted, projecting: { projection, upcaster, indexes, limits } }, standing);
    this.#projectors.add(projector);
    if (this.#isClosed) await projector.stop();
    else projector.start();
    return new ProjectedDocuments(engine, projector, indexes, this.#session.listening);
  }

  /** Ends the work of all, after what is being written. */
  readonly close = async (): Promise<void> => {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#projectors, (projector) => projector.stop()));
  };
}

/** A query that also lets the facts through which a projection is handed: it sees no fact of its own accord. */
function withFacts(query: readonly QueryItemMessage[], { key, on }: AnyProjection<unknown>): readonly QueryItemMessage[] {
  const types = FACT_TYPES.filter((type) => Object.hasOwn(on as object, type) || (key === undefined && takesAway(type)));
  if (types.length === 0) return query;
  // Facts have no tags, and may be of any stream whose events have some.
  const items = query.map(({ streams, categories }) => ({ types, ...(streams && { streams }), ...(categories && { categories }) }));
  return [...query, ...items];
}

function takesAway(type: FactType): boolean {
  return type !== "$truncated";
}
