import type { AppendQueue } from "./append-queue.js";
import type { RunningConsumer } from "./consuming.js";
import type { CommitContext } from "./commit-check.js";
import type { Engine } from "./engine.js";
import type { Projections } from "./projections.js";
import type { Recent } from "./recent.js";
import type { Snapshots } from "./snapshot.js";
import type { Turns } from "./turns.js";

/** What an open store works with. */
export interface Session extends CommitContext {
  readonly engine: Engine;
  readonly queue: AppendQueue;
  readonly turns: Turns;
  readonly recent: Recent;
  readonly snapshots: Snapshots;
  /** What ends each of those who wait for events to come. */
  readonly listening: Set<() => void>;
  /** The consumers that run. */
  readonly consuming: Set<RunningConsumer>;
  readonly projections: Projections;
}
