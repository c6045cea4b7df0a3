import { unfit } from "./arguments.js";
import { EverfoldError, invalidArgument } from "./errors.js";

/**
 * A schema as validation libraries share them: Standard Schema, version 1 (standardschema.dev). Zod, Valibot, ArkType and
 * others make such schemas.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What every such schema has, whichever library made it. */
  readonly "~standard": {
    /** Of the specification. */
    readonly version: 1;
    /** The library. */
    readonly vendor: string;
    /** Judges a value. */
    readonly validate: (value: unknown) => SchemaVerdict<Output> | Promise<SchemaVerdict<Output>>;
    /** Carries types for the compiler. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: what it made of it, or what is wrong with it. */
export type SchemaVerdict<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** What a schema finds wrong, as the specification has it. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema finds wrong with the data of an event. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where in the data: the keys that lead there. */
  readonly path: readonly PropertyKey[];
}

/** A schema, of whatever library: in some of them schemas are functions. */
export function checkIsSchema(value: unknown, path: string): StandardSchema {
  const isHolder = (typeof value === "object" && value !== null) || typeof value === "function";
  const standard = isHolder ? (value as Partial<StandardSchema>)["~standard"] : undefined;
  if (standard?.version === 1 && typeof standard.validate === "function") return value as StandardSchema;
  throw unfit(value, path, "a Standard Schema, version 1 (standardschema.dev),");
}

/** Holds the data of an event of this type to its schema: `data` is as a read will give it. */
export function checkData(schema: StandardSchema, data: unknown, type: string, place: string): void {
  const verdict = schema["~standard"].validate(data);
  if (isThenable(verdict)) {
    // Nobody waits for it, so what it rejects with is nobody's failure.
    Promise.resolve(verdict).catch(() => {});
    throw invalidArgument(`${place}.data`, `has a schema that gives a promise; the schema of ${type} must judge at once`);
  }
  if (verdict.issues === undefined) return;
  const issues = verdict.issues.map(({ message, path = [] }): SchemaIssue => ({ message, path: path.map(keyOf) }));
  const [first] = issues;
  const where = first === undefined ? "" : `${first.path.map((key) => `.${String(key)}`).join("")}: ${first.message}`;
  throw new EverfoldError(`${place}.data${where} (schema of ${type})`, { code: "SCHEMA_FAILED", type, issues });
}

/** Whether somebody has to wait for a value. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey {
  return typeof segment === "object" ? segment.key : segment;
}
