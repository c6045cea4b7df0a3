import type { ErrorMessage } from "./engine.js";
import type { PartName } from "./parts.js";
import type { SchemaIssue } from "./schema.js";
import type { SupplementName } from "./wasm-modules.js";

/** What a writer believed of a stream, where it did not hold. */
export interface Violation {
  /** The stream on which the expectation was placed. */
  readonly stream: string;
  /** What the writer believed. */
  readonly expected: "any" | "noStream" | "streamExists" | number;
  /** What was there: the revision of the last event, or why there is none. */
  readonly actual: "noStream" | "deleted" | number;
}

/** The event that made an append condition fail. */
export interface MatchedEvent {
  /** Its position in the log. */
  readonly position: number;
  /** Its stream. */
  readonly stream: string;
  /** Its type. */
  readonly type: string;
}

/** The codes of errors, each with the fields that belong to it. Codes are never renamed. */
export interface EverfoldErrorFields {
  /** Streams were not where the writer believed them to be. Read them again and decide anew. */
  WRONG_EXPECTED_REVISION: {
    /** All of them, not only the first. */
    readonly violations: readonly Violation[];
  };
  /** An event stands in the log that the condition of the append forbids. */
  APPEND_CONDITION_FAILED: {
    /** The first such event. */
    readonly matched: MatchedEvent;
  };
  /** Ids are in use, or stand twice in the commit, and this is not a repetition of the same events. */
  ID_CONFLICT: {
    /** The stream of the first of them. */
    readonly stream: string;
    /** The ids concerned. */
    readonly ids: readonly string[];
  };
  /** The stream was tombstoned: its name can never be written again. */
  STREAM_DELETED: {
    /** The first such stream of the commit. */
    readonly stream: string;
    /** All such streams of the commit. */
    readonly streams: readonly string[];
  };
  /** An argument is not what it should be. Nothing was done. */
  INVALID_ARGUMENT: {
    /** Where, as a path into the arguments of the call: `events[3].data.lines[0].price`. */
    readonly path: string;
    /** What is wrong with it, and what is allowed. */
    readonly problem: string;
  };
  /** A bound of the store was exceeded. Nothing was done. */
  LIMIT_EXCEEDED: {
    /** Which bound. */
    readonly limit: string;
    /** What was given. */
    readonly value: number;
    /** What is allowed. */
    readonly maximum: number;
    /** Where, as a path into the arguments of the call; empty for the call as a whole. */
    readonly path: string;
  };
  /** The browser has no more room for this origin. Nothing was written; reading goes on. */
  QUOTA_EXCEEDED: {
    /** Bytes in use by the origin, where the browser says so within a second. */
    readonly usage: number | undefined;
    /** Bytes allowed to the origin, where the browser says so within a second. */
    readonly quota: number | undefined;
  };
  /** The storage cannot be opened. `cause` is what the browser said. */
  STORAGE_UNAVAILABLE: { readonly cause: string };
  /** A storage operation failed. `cause` is what the browser said, or what was found. */
  STORAGE_FAILED: {
    readonly cause: string;
    /** Whether what was to be written may be there. */
    readonly outcome: "notWritten" | "unknown";
    /** The ids of the events concerned: appending them again with these ids is safe. */
    readonly ids: readonly string[];
  };
  /** The database was written by a newer everfold. It was not touched. */
  VERSION_TOO_NEW: {
    /** The format that the database asks for. */
    readonly version: number;
    /** The newest format that this everfold knows. */
    readonly supported: number;
  };
  /** The database was written before the format was settled, by an everfold that was never published. It was not touched. */
  VERSION_TOO_OLD: {
    /** The format of the database. */
    readonly version: number;
    /** The oldest format that this everfold knows. */
    readonly supported: number;
  };
  /** Stored bytes are not what was written. */
  CORRUPT_DATA: {
    /** The first position that cannot be read. */
    readonly position: number | undefined;
    /** The damaged record. */
    readonly segment: string;
    /** What was found. */
    readonly problem: string;
  };
  /** The data of a new event is not what the schema of its type asks for. Nothing was written. */
  SCHEMA_FAILED: {
    /** The type of the event. */
    readonly type: string;
    /** What is wrong, as the schema says it. */
    readonly issues: readonly SchemaIssue[];
  };
  /** An event was written under a newer version of its type than this tab knows. Reads give it as it is stored. */
  SCHEMA_TOO_NEW: {
    /** The type under which it is stored. */
    readonly type: string;
    /** The version under which it was written. */
    readonly version: number;
  };
  /** An event of an older version cannot be made one of today. */
  UPCASTER_FAILED: {
    /** The type under which it is stored. */
    readonly type: string;
    /** Its place in the log. */
    readonly position: number;
    /** What the upcaster threw, or what is wrong with it. */
    readonly cause: unknown;
  };
  /** An `evolve` threw or gave no state, or a document met what it cannot fold. What was to be written with it was not. */
  REDUCER_FAILED: {
    /** The name of the aggregate. */
    readonly aggregate: string;
    /** The stream of the event. */
    readonly stream: string;
    /** The revision of the event in it; of a new event, the one that it was to get. */
    readonly revision: number;
    /** The type of the event. */
    readonly type: string;
    /** What it threw. */
    readonly cause: unknown;
  };
  /** everfold's WebAssembly could not be loaded, so nothing was done. `cause` is what the browser said, and what to do. */
  WASM_UNAVAILABLE: { readonly cause: string };
  /** What a call needs of everfold's code could not be loaded. Nothing was done: make the call again when the file can be had. */
  SUPPLEMENT_UNAVAILABLE: {
    /** Which part of the code: `everfold_<supplement>.wasm` is its file, or it is a script, which a bundler may have called otherwise. */
    readonly supplement: SupplementName | PartName;
    /** What the browser said. */
    readonly cause: string;
  };
  /** A rule of an aggregate in Rust is against the command. Nothing was written. The message is the rule's. */
  COMMAND_REFUSED: {
    /** The name of the aggregate. */
    readonly aggregate: string;
    /** Its error, as serde writes it. */
    readonly cause: unknown;
  };
  /** A handler of a projection threw, or gave what cannot be kept. Its documents are as they were before the event, and answer. */
  PROJECTION_FAILED: {
    /** The name of the projection. */
    readonly projection: string;
    /** The stream of the event. */
    readonly stream: string;
    /** The revision of the event in it; of a fact there is none. */
    readonly revision: number | undefined;
    /** The type of the event. */
    readonly type: string;
    /** What was thrown, or what is wrong. */
    readonly cause: unknown;
  };
  /** The store is closed, or its database was destroyed. */
  CLOSED: Record<never, never>;
  /** The browser gives the wasm no more memory. What was acknowledged is stored: reload the page. */
  OUT_OF_MEMORY: Record<never, never>;
  /** A bug in everfold: reload the page, and report it. */
  INTERNAL: {
    /** What was found that cannot be. */
    readonly problem: string;
  };
}

/** The stable name of a kind of error. */
export type EverfoldErrorCode = keyof EverfoldErrorFields;

/** An error with its code known, and so its fields: what {@link isEverfoldError} narrows to. */
export type EverfoldErrorOf<Code extends EverfoldErrorCode> = Code extends EverfoldErrorCode
  ? EverfoldError & { readonly code: Code } & EverfoldErrorFields[Code]
  : never;

/** Marks errors of every copy of this package, so that two copies in one page know each other's. */
const BRAND: unique symbol = Symbol.for("everfold.error") as never;

/**
 * Why an operation was refused or failed.
 *
 * The fields that belong to the code stand beside it; {@link isEverfoldError} tells TypeScript which.
 *
 * @example
 * try {
 *   await store.append("account-1", event, { expected: 4 });
 * } catch (error) {
 *   if (!isEverfoldError(error, "WRONG_EXPECTED_REVISION")) throw error;
 *   console.log("somebody was faster:", error.violations[0].actual);
 * }
 */
export class EverfoldError extends Error {
  /** The stable name of the kind of error. */
  readonly code: EverfoldErrorCode;
  /** Whether the same call may succeed when it is made again: on fresh facts for a conflict, later for the storage. */
  readonly retryable: boolean;

  /** @internal Made by the store alone. */
  constructor(message: string, details: ErrorDetails) {
    const { code, retryable = false, cause, ...fields } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    Object.assign(this, fields);
    Object.defineProperty(this, BRAND, { value: true });
  }
}
// On the prototype, as the errors of the language have it: an own property would clutter every printed error.
Object.defineProperty(EverfoldError.prototype, "name", { value: "EverfoldError", configurable: true, writable: true });

/** The fields of an error, before they are typed by their code. */
export interface ErrorDetails {
  readonly code: EverfoldErrorCode;
  /** `false` where it is left out. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  readonly [field: string]: unknown;
}

/**
 * Whether a value is an error of the store, of this code if one is given.
 *
 * Works for errors of another copy of this package too, where `instanceof` does not.
 *
 * @example
 * try {
 *   await store.append("account-1", event, { expected: 4 });
 * } catch (error) {
 *   if (!isEverfoldError(error, "WRONG_EXPECTED_REVISION")) throw error;
 *   console.log(error.violations[0]?.actual);
 * }
 */
export function isEverfoldError(error: unknown): error is EverfoldErrorOf<EverfoldErrorCode>;
export function isEverfoldError<Code extends EverfoldErrorCode>(
  error: unknown,
  code: Code,
): error is EverfoldErrorOf<Code>;
export function isEverfoldError(error: unknown, code?: EverfoldErrorCode): boolean {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as unknown as EverfoldError).code === code;
}

/** What somebody's code threw, as a message shows it: never a second error, as of an object that has no text. */
export function textOfThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "something that has no text";
  }
}

/** An argument at `path` that is not what it should be. */
export function invalidArgument(path: string, problem: string): EverfoldError {
  return new EverfoldError(`${path}: ${problem}`, { code: "INVALID_ARGUMENT", path, problem });
}

/** A bound that was exceeded at `path`. */
export function limitExceeded(path: string, limit: string, value: number, maximum: number): EverfoldError {
  const message = `${path}: ${limit} is ${value}; at most ${maximum} is allowed`;
  return new EverfoldError(message, { code: "LIMIT_EXCEEDED", limit, value, maximum, path });
}

/** The store, or this handle to it, is closed. */
export function closed(): EverfoldError {
  return new EverfoldError("the store is closed", { code: "CLOSED" });
}

/** A bug. */
export function internal(problem: string, cause?: unknown): EverfoldError {
  const message = `a bug in everfold: ${problem}; reload the page, and report it`;
  return new EverfoldError(message, { code: "INTERNAL", problem, cause });
}

/** The end of an instance that needed more memory than there is. */
export function outOfMemory(cause: unknown): EverfoldError {
  return new EverfoldError("out of memory: reload the page; then append less at once, or compact()", { code: "OUT_OF_MEMORY", cause });
}

/** An error of the core, as it crossed the seam. */
export function reviveError(error: ErrorMessage): EverfoldError {
  const { message, ...details } = error;
  return new EverfoldError(message, details as ErrorDetails);
}
