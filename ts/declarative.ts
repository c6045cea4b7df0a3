import { BOUNDLESS } from "./boundless.js";
import { checkGrammar } from "./document-check.js";
import type { AnyEvents, EventRegistry, TypeOf } from "./events.js";
import { frozenAlways } from "./frozen.js";
import type { Json } from "./json.js";
import { jsonText } from "./payload.js";

/** A reducer as a document: by type of event one step, or several that are applied in their order. */
export type EvolveDocument<Registry extends EventRegistry = AnyEvents> = {
  readonly [Type in TypeOf<Registry> | "*"]?: EvolveStep | readonly EvolveStep[];
};

/**
 * A value that is worked out from the event and the state: a literal, a reference such as `"$data.amount"`, or an
 * operator with its operands, as in the aggregation of MongoDB.
 */
export type Expression = Json;

/** Expressions by the paths of the state to which their values go. */
export interface Assignments {
  readonly [path: string]: Expression;
}

/** One change of the state. */
export interface EvolveStep {
  /** By the name of a variable, a list: the step is applied once for each of its items. */
  readonly $for?: { readonly [variable: string]: Expression };
  /** Whether the step is applied at all. */
  readonly $if?: Expression;
  /** Puts a value in the place of what is there. */
  readonly $set?: Assignments;
  /** Takes fields away. */
  readonly $unset?: string | readonly string[];
  /** Adds a number to what is there, or to 0. */
  readonly $inc?: Assignments;
  /** Puts the smaller value there. */
  readonly $min?: Assignments;
  /** Puts the larger value there. */
  readonly $max?: Assignments;
  /** Adds a value to the end of a list. */
  readonly $push?: Assignments;
  /** Takes all that equal a value out of a list. */
  readonly $pull?: Assignments;
  /** Adds a value to a list that does not have it. */
  readonly $addToSet?: Assignments;
}

/** Whether a reducer is a document, and not functions. */
export function isDocument(evolve: unknown): evolve is EvolveDocument {
  if (typeof evolve !== "object" || evolve === null) return false;
  const steps: unknown[] = Object.values(evolve);
  return 0 < steps.length && steps.every((step) => typeof step === "object");
}

/** A document as it is now, checked: that it is plain JSON, and what {@link checkGrammar} checks. */
export function checkDocument(document: EvolveDocument, path: string): EvolveDocument {
  const copy = JSON.parse(jsonText(document, path, "", BOUNDLESS)) as Record<string, unknown>;
  checkGrammar(copy, path);
  return frozenAlways(copy) as EvolveDocument;
}
