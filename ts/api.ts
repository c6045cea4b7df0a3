export { defineAggregate } from "./aggregate.js";
export type {
  Aggregate,
  AggregateDefinition,
  AnyAggregate,
  CommandOf,
  Decide,
  DecideContext,
  Decided,
  Evolve,
  EvolveFunction,
  EvolveMap,
  RustEvolve,
  StateOf,
} from "./aggregate.js";
export type {
  AppendCondition,
  AppendOptions,
  AppendResult,
  Cause,
  CommitOptions,
  CommitResult,
  Expected,
  StreamWrite,
} from "./append.js";
export type { CompactOptions, CompactResult } from "./compact.js";
export type { Consumer, ConsumerInfo, ConsumerOptions, FailedAttempt, Handed, HandlingContext, ParkedEvent, RetryDecision } from "./consumer.js";
export type { CountBy, CountOptions } from "./count.js";
export type { Assignments, DocumentStep, DocumentSteps, EvolveDocument, EvolveStep, Expression } from "./declarative.js";
export type { Durability, StorageKind } from "./engine.js";
export { EverfoldError, isEverfoldError } from "./errors.js";
export type { EverfoldErrorCode, EverfoldErrorFields, EverfoldErrorOf, MatchedEvent, Violation } from "./errors.js";
export { defineEvents, eventType } from "./events.js";
export type {
  AnyEvents,
  DataOf,
  EventMetadata,
  EventRegistry,
  EventTypeDefinition,
  EventTypeOptions,
  FactData,
  FactType,
  NewEvent,
  NewEventOf,
  NewMetadata,
  RecordedEvent,
  RecordedEventOf,
  RecordedFact,
  TypeOf,
  UpcastContext,
  UpcastStep,
} from "./events.js";
export type { DecisionOptions, ExecuteOptions, ExecuteResult } from "./execute.js";
export type { OpenOptions } from "./handle.js";
export type { HistoryOptions, HistoryStep } from "./history.js";
export type { Stats, StreamInfo, StreamsOptions } from "./info.js";
export type { Json } from "./json.js";
export type { JsonPatch, JsonPatchOperation } from "./json-patch.js";
export type { Live, LiveState } from "./live.js";
export type { LoadOptions, LoadQueryOptions, Loaded, QuerySource } from "./load.js";
export type { LoadAllOptions } from "./load-all.js";
export type { MarkOptions, MarkResult } from "./mark.js";
export type { PartName } from "./parts.js";
export type { Progress, ProgressListener } from "./progress.js";
export { defineProjection, documentType } from "./projection.js";
export type { AnyProjection, DocumentOf, DocumentType, Handler, Handlers, IndexDefinition, Indexing, Projected, Projection, ProjectionDefinition } from "./projection.js";
export type { Matching, Query, QueryItem } from "./query.js";
export { ReadModel } from "./read-model.js";
export type { DocumentRange, FindOptions, IndexKey, Row, Rows } from "./read-model.js";
export { Reading } from "./reading.js";
export type { Direction, ReadAllOptions, ReadOptions } from "./reading.js";
export type { ReplayOptions, ReplayResult } from "./replay.js";
export type { SchemaIssue, SchemaVerdict, StandardIssue, StandardSchema } from "./schema.js";
export type { StorageOption } from "./shared-engine.js";
export type { Status, StoreState } from "./status.js";
export { EventStore } from "./store.js";
export type { EventSubscription, HandlerOptions, SubscribeOptions, Subscription } from "./subscription.js";
export type { TimeInput } from "./time.js";
export type { TransactDuplicate, TransactOptions, TransactResult, Transaction } from "./transact.js";
