// What is said to an engine of snapshots, and what it answers.

/** What tells reducers apart: the upper and the lower 32 bits of a hash of all that a state follows from besides the events. */
export type FingerprintMessage = readonly [upper: number, lower: number];

/** The snapshot of a stream is asked for. */
export interface SnapshotMessage {
  /** The name of what folds the stream. */
  readonly aggregate: string;
  readonly stream: string;
  readonly fingerprint: FingerprintMessage;
  /** Of how many events a snapshot is kept: where fewer are seen, none is looked for. */
  readonly eventsMin: number;
  /** The first revision of no interest. */
  readonly before: number | undefined;
  readonly asOf: number | undefined;
}

export interface SnapshotAnswer {
  /** The state of the log in which reading is to go on, whether there is a snapshot or not. */
  readonly asOf: number;
  /** The JSON text of the state; nothing where there is no snapshot. */
  readonly state?: string;
  /** The revision of the last event in it. */
  readonly revision?: number;
  /** The position of that event. */
  readonly position?: number;
}

/** A snapshot is to be kept. */
export interface KeepSnapshotMessage {
  readonly aggregate: string;
  readonly stream: string;
  readonly fingerprint: FingerprintMessage;
  /** The revision of the last event in it. */
  readonly revision: number;
  /** The position of that event. */
  readonly position: number;
  /** The state of the log that was read. */
  readonly asOf: number;
  /** The state, as a JSON text. */
  readonly state: string;
}
