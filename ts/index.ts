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
export type { CountBy, CountOptions } from "./count.js";
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
} from "./events.js";
export type { CompactOptions, CompactResult, MarkResult, Stats, StreamInfo, StreamsOptions } from "./info.js";
export type { Json } from "./json.js";
export type { Progress, ProgressListener } from "./progress.js";
export type { Matching, Query, QueryItem } from "./query.js";
export { Reading } from "./reading.js";
export type { Direction, ReadAllOptions, ReadOptions } from "./reading.js";
export type { ReplayOptions, ReplayResult } from "./replay.js";
export type { StorageOption } from "./shared-engine.js";
export { EventStore } from "./store.js";
export type { MarkOptions, OpenOptions } from "./store.js";
export type { TimeInput } from "./time.js";
