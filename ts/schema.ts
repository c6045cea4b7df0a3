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
  const verdict: unknown = schema["~standard"].validate(data);
  if (isUnawaited(verdict)) throw invalidArgument(`${place}.data`, `has a schema that gives a promise; the schema of ${type} must judge at once`);
  const found = typeof verdict === "object" && verdict !== null ? (verdict as { readonly issues?: unknown }).issues : null;
  if (found === undefined) return;
  // What is no verdict must not pass for a good one.
  if (!Array.isArray(found)) throw invalidArgument(`${place}.data`, `has a schema that gives no verdict; the schema of ${type} must give a value or a list of issues`);
  const issues = found.map(issueOf);
  const [first] = issues;
  const where = first === undefined ? "" : `${first.path.map((key) => `.${String(key)}`).join("")}: ${first.message}`;
  throw new EverfoldError(`${place}.data${where} (schema of ${type})`, { code: "SCHEMA_FAILED", type, issues });
}

/** Whether a value has to be waited for. Nobody will, so what it rejects with is nobody's failure. */
export function isUnawaited(value: unknown): boolean {
  if (typeof value !== "object" || value === null || typeof (value as { then?: unknown }).then !== "function") return false;
  Promise.resolve(value).catch(() => {});
  return true;
}

/** An issue in our terms, whatever a library takes for one: that something is wrong counts more than what it says of it. */
function issueOf(issue: Partial<StandardIssue> | null | undefined): SchemaIssue {
  const path = Array.isArray(issue?.path) ? (issue.path as Exclude<StandardIssue["path"], undefined>) : [];
  return { message: String(issue?.message ?? "is not valid"), path: path.map(keyOf) };
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey } | null): PropertyKey {
  return typeof segment === "object" ? (segment?.key ?? "") : segment;
}
