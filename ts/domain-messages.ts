// What is said to a core of the aggregates in Rust that it brings along, and what it answers.

/** The aggregates in Rust that a core brings along. All that they do is computed at once, of what is given. */
export interface Domain {
  /** The aggregate of a name. Errors: `INVALID_ARGUMENT` where there is none. */
  aggregate(name: string): ExportedAggregate;
  /** Decides a command. Errors: `INVALID_ARGUMENT` with the path `command` or `state` where a text is none of the aggregate's. */
  decide(message: DecideMessage): DecisionMessage;
}

/** What a wasm says of its aggregates in Rust. */
export interface ExportsMessage {
  /** The version of the crate everfold that is in it. */
  readonly everfold: string;
  readonly aggregates: readonly ExportedAggregate[];
}

/** An aggregate in Rust. */
export interface ExportedAggregate {
  readonly name: string;
  readonly version: number;
  /** The state that a fold begins with. */
  readonly initial: unknown;
}

/** A command is to be decided. */
export interface DecideMessage {
  readonly aggregate: string;
  /** The JSON text of the state. */
  readonly state: string;
  /** The JSON text of the command. */
  readonly command: string;
  readonly now: number;
  readonly revision: number | undefined;
}

/** What a command came to: events, or why a rule is against it. */
export type DecisionMessage =
  | { readonly events: readonly { readonly type: string; readonly data?: unknown }[] }
  | { readonly refused: { readonly message: string; readonly error: unknown } };
