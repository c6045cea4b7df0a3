import { bag, callback, list, name, option, unfit, whole } from "./arguments.js";
import type { DocumentSteps, Expression } from "./declarative.js";
import { checkDocument, checkKey, isDocument } from "./declarative.js";
import { invalidArgument } from "./errors.js";
import type { AnyEvents, EventRegistry, FactType, RecordedEvent, RecordedFact, TypeOf } from "./events.js";
import { checkRegistry } from "./events.js";
import { foreseen } from "./foreseen.js";
import type { Query } from "./query.js";

/** An event, or a fact where one is handled or asked for. */
export type Projected<Registry extends EventRegistry = AnyEvents> = RecordedEvent<Registry> | RecordedFact;

/**
 * What becomes of a document with an event: the next one, or `undefined` where there is to be none. It leaves the one that it was
 * given as it is. Must be pure and synchronous: it may be called again for the same event, and what it gives is all that is kept.
 */
export type Handler<Doc, Event> = (document: Doc | undefined, event: Event) => NoInfer<Doc> | undefined;

/** By type of event or fact, what becomes of a document; under `"*"`, with events that are not named. */
export type Handlers<Doc, Registry extends EventRegistry = AnyEvents> = {
  readonly [Type in TypeOf<Registry> | FactType | "*"]?: Handler<
    Doc,
    // Without a registry every text is a type, and no name tells an event from a fact: `defineEvents` does.
    string extends TypeOf<Registry>
      ? RecordedEvent<Registry>
      : "*" extends Type
        ? RecordedEvent<Registry>
        : Type extends FactType
          ? RecordedFact<Type>
          : RecordedEvent<Registry, Type & TypeOf<Registry>>
  >;
};

/** Of which type the documents of a declarative projection are: what {@link documentType} gives. */
export interface DocumentType<Doc> {
  /** There is no such property. */
  readonly document?: Doc;
}

/** What documents are found by: the value at a path such as `"customer.city"`, several values, or each item of an array. */
export type IndexDefinition = string | readonly string[] | { readonly path: string; readonly each: true };

/** Indexes by their names. */
export type Indexing = { readonly [index: string]: IndexDefinition };

/** How a projection is defined. */
export interface ProjectionDefinition<
  Doc,
  Registry extends EventRegistry = AnyEvents,
  Indexes extends Indexing = Record<never, never>,
> {
  /** What its documents are kept under: one set of documents for all tabs. At most 256 bytes of UTF-8. */
  readonly name: string;
  /** To be raised when something changes that its functions call: that cannot be seen. 1 where it is left out. */
  readonly version?: number | undefined;
  /** The events that it folds: its upcasters apply. As the store's where it is left out. */
  readonly events?: Registry | undefined;
  /** Which events it folds. All where it is left out. */
  readonly query?: Query<NoInfer<Registry>> | undefined;
  /**
   * Of which document an event is, or of which ones; `undefined` for none. That of its stream where it is left out. Must be pure.
   *
   * Where `on` is a document it is an expression of the event, such as `"$data.userId"` or `["$data.from", "$data.to"]`: a text, a number or a
   * boolean, or a list of such. What is missing, and `null`, is for no document.
   */
  readonly key?: ((event: Projected<NoInfer<Registry>>) => string | readonly string[] | undefined) | Expression | undefined;
  /**
   * What becomes of the documents. Handlers say of what type they are, each that looks at one, in its first parameter. A type that is not named leaves them as they are, but `$deleted` and `$tombstoned` where documents are kept by
   * stream: these take the document away. Facts are handed to a projection with a `key` where they are named.
   *
   * Or all of them are steps of a declarative reducer, which the core folds by itself: docs/reducers.md has the language. Of what type the documents
   * are then, `document` says.
   */
  readonly on: Handlers<Doc, Registry> | DocumentSteps<Registry>;
  /** Of which type the documents are, where `on` cannot say it: `documentType<Order>()`. */
  readonly document?: DocumentType<Doc> | undefined;
  /**
   * What documents are found by. Booleans, numbers, and texts of at most 1,024 characters are keys, in this order; a document whose
   * value is anything else, or of several values one, is not in the index.
   */
  readonly indexes?: Indexes | undefined;
}

/** A projection of whatever events. */
export interface AnyProjection<Doc> {
  readonly name: string;
  readonly version: number;
  readonly events: EventRegistry | undefined;
  readonly query: unknown;
  readonly key: unknown;
  readonly on: unknown;
  readonly indexes: Indexing;
  /** Of which type its documents are. There is no such property. */
  readonly document?: Doc;
}

/** A projection: what {@link defineProjection} gives. */
export interface Projection<
  Doc,
  Registry extends EventRegistry = AnyEvents,
  Indexes extends Indexing = Record<never, never>,
> extends AnyProjection<Doc> {
  readonly events: Registry | undefined;
  readonly indexes: Indexes;
}

/** The documents of a projection. */
export type DocumentOf<Of> = Of extends AnyProjection<infer Doc> ? Doc : never;

const PROPERTIES = ["name", "version", "events", "query", "key", "on", "document", "indexes"] as const;

/** Marks what {@link defineProjection} made, in every copy of this package. */
const BRAND: unique symbol = Symbol.for("everfold.projection") as never;

/**
 * Defines a projection: documents that follow from the events of the log, kept and found by keys and indexes.
 *
 * Documents are plain JSON of at most 1 MiB. They are never changed in place: unless in production they are frozen, as states of aggregates are.
 * What a handler gives is kept as JSON keeps it: properties that are undefined are dropped.
 *
 * Errors: `INVALID_ARGUMENT`.
 *
 * @example
 * const Orders = defineProjection({
 *   name: "orders",
 *   events: shop,
 *   query: { categories: ["order"] },
 *   on: {
 *     OrderPlaced: (_: Order | undefined, event) => ({ status: "open", total: event.data.total }),
 *     OrderCancelled: () => undefined,
 *   },
 *   indexes: { byStatus: ["status", "total"] },
 * });
 *
 * @example
 * // As a document, which the core folds by itself.
 * const Balances = defineProjection({
 *   name: "balances",
 *   events: bank,
 *   document: documentType<{ owner: string; balance: number }>(),
 *   on: {
 *     AccountOpened: { $set: { owner: "$data.owner", balance: 0 } },
 *     MoneyDeposited: { $if: "$state", $inc: { balance: "$data.amount" } },
 *     AccountClosed: { $remove: true },
 *   },
 *   indexes: { byBalance: "balance" },
 * });
 * const balances = await store.project(Balances);
 * await balances.waitFor(store.position);
 * const { rows } = await balances.find({ index: "byBalance", from: 50 });
 */
export function defineProjection<
  Doc,
  Registry extends EventRegistry = AnyEvents,
  const Indexes extends Indexing = Record<never, never>,
>(definition: ProjectionDefinition<Doc, Registry, Indexes>): Projection<Doc, Registry, Indexes> {
  const checked = bag(definition, PROPERTIES, "definition");
  const defined = <Value>(key: string, check: (value: unknown, path: string) => Value) =>
    option({ [key]: checked[key] }, key, (value) => check(value, `definition.${key}`));
  defined("events", checkRegistry);
  const isDeclarative = isDocument(checked.on);
  const key = defined("key", (value, path) => (isDeclarative ? checkExpression(value, path) : callback(value, path)));
  const projection = {
    name: name(checked.name, "definition.name"),
    version: defined("version", whole) ?? 1,
    events: definition.events,
    query: definition.query,
    key,
    on: isDeclarative ? checkDocument(checked.on as DocumentSteps, "definition.on", "document") : checkHandlers(checked.on),
    indexes: (defined("indexes", checkIndexes) ?? {}) as Indexes,
  };
  foreseen.add("projections");
  if (isDeclarative) foreseen.add("folding");
  return Object.freeze(Object.defineProperty(projection, BRAND, { value: true }));
}

/** Says of which type documents are, as {@link defineProjection} takes it. There is nothing in it. */
export function documentType<Doc>(): DocumentType<Doc> {
  return {};
}

/** Refuses what is no projection. */
export function checkProjection<Doc>(value: unknown, path: string): AnyProjection<Doc> {
  if (typeof value === "object" && value !== null && BRAND in value) return value as unknown as AnyProjection<Doc>;
  throw unfit(value, path, "what defineProjection() gave");
}

function checkExpression(value: unknown, path: string): unknown {
  if (typeof value === "function") throw unfit(value, path, 'an expression such as "$data.userId", where `on` has steps and no functions,');
  return checkKey(value, path);
}

/** Handlers as they are now: what becomes of the object afterwards changes nothing. */
function checkHandlers(value: unknown): unknown {
  if (typeof value !== "object" || value === null) throw unfit(value, "definition.on", "an object of functions or of steps by type");
  for (const [type, handler] of Object.entries(value)) callback(handler, `definition.on.${type}`);
  return Object.freeze({ ...value });
}

function checkIndexes(value: unknown, path: string): Indexing {
  if (typeof value !== "object" || value === null) throw unfit(value, path, "an object of indexes by name");
  const indexes = Object.entries(value).map(([index, definition]) => [name(index, path), checkIndex(definition, `${path}.${index}`)]);
  return Object.freeze(Object.fromEntries(indexes) as Record<string, IndexDefinition>);
}

function checkIndex(value: unknown, path: string): IndexDefinition {
  if (typeof value === "string") return checkPath(value, path);
  if (!Array.isArray(value)) {
    const { path: of, each } = bag(value, ["path", "each"], path);
    if (each !== true) throw unfit(each, `${path}.each`, "true");
    return Object.freeze({ path: checkPath(of, `${path}.path`), each });
  }
  if (value.length === 0) throw invalidArgument(path, "is an empty list; at least one path is needed");
  return Object.freeze(list(value, path).map((of, index) => checkPath(of, `${path}[${index}]`)));
}

function checkPath(value: unknown, path: string): string {
  const checked = name(value, path);
  if (checked.split(".").includes("")) throw unfit(value, path, 'the names of properties with "." between them');
  return checked;
}
