import { BOUNDLESS } from "./boundless.js";
import type { Folded } from "./document-check.js";
import { checkGrammar, checkKeyGrammar } from "./document-check.js";
import type { AnyEvents, EventRegistry, FactType, TypeOf } from "./events.js";
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

/** A projection as a document: by type of event or fact one step, or several that are applied in their order. */
export type DocumentSteps<Registry extends EventRegistry = AnyEvents> = {
  readonly [Type in TypeOf<Registry> | FactType | "*"]?: DocumentStep | readonly DocumentStep[];
};

/** One change of a document of a projection. What is written where there is none makes one, which is an object. */
export interface DocumentStep extends EvolveStep {
  /** Takes the document away. It stands in a step of its own, with `$if` and `$for` alone. */
  readonly $remove?: true;
}

/** Whether a reducer is a document, and not functions. */
export function isDocument(evolve: unknown): evolve is EvolveDocument {
  if (typeof evolve !== "object" || evolve === null) return false;
  const steps: unknown[] = Object.values(evolve);
  return 0 < steps.length && steps.every((step) => typeof step === "object");
}

/** A document as it is now, checked: that it is plain JSON, and what {@link checkGrammar} checks. */
export function checkDocument(document: EvolveDocument | DocumentSteps, path: string, into: Folded): EvolveDocument {
  const copy = plainCopy(document, path) as Record<string, unknown>;
  checkGrammar(copy, path, into);
  return frozenAlways(copy) as EvolveDocument;
}

/** What gives the keys of documents as it is now, checked. */
export function checkKey(key: unknown, path: string): Expression {
  const copy = plainCopy(key, path);
  checkKeyGrammar(copy, path);
  return frozenAlways(copy);
}

function plainCopy(value: unknown, path: string): Json {
  return JSON.parse(jsonText(value, path, "", BOUNDLESS)) as Json;
}
