// What is said to an engine of consumers, and what it answers.
import type { QueryItemMessage } from "./engine.js";

/** A consumer, and what it is to be handed. */
export interface ConsumerMessage {
  readonly name: string;
  /** Where it begins, if there is none of this name yet. */
  readonly after: number;
  readonly query: readonly QueryItemMessage[];
  /** How many events at once, at most. */
  readonly batch: number;
}

/** What there is to say of events that were handed out, and are not handled: they take their time; they failed; they are to be parked; they come back. */
export type ReportMessage =
  | { readonly kind: "pending" | "returned" }
  | { readonly kind: "failed"; readonly pause_ms: number }
  | { readonly kind: "parked"; readonly attempts: number; readonly reason: string };

/** What is to become of a consumer. */
export type ConsumerChangeMessage =
  | { readonly kind: "reset"; readonly after: number }
  | { readonly kind: "retry"; readonly id: string | undefined }
  | { readonly kind: "remove" };

/** A consumer, as it is stored. */
export interface ConsumerInfoMessage {
  readonly name: string;
  readonly position: number;
  readonly active: boolean;
  /** In the order of the streams. */
  readonly parked: readonly ParkedMessage[];
}

/** A stream that a consumer passes over. */
export interface ParkedMessage {
  readonly id: string;
  readonly stream: string;
  /** From here on its events are not handled. */
  readonly position: number;
  readonly attempts: number;
  readonly time: number;
  readonly retrying: boolean;
  readonly reason: string;
}
