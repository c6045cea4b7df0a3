import type { AppendQueue } from "./append-queue.js";
import type { CommitContext } from "./commit-check.js";
import type { StoppableConsumer } from "./consumer.js";
import type { Engine } from "./engine.js";

/** What an open store works with. */
export interface Session extends CommitContext {
  readonly engine: Engine;
  readonly queue: AppendQueue;
  /** What ends each of those who wait for events to come. */
  readonly listening: Set<() => void>;
  /** The consumers that run. */
  readonly consuming: Set<StoppableConsumer>;
  /** What ends each work in the background: closing waits for what they give. */
  readonly finishing: Set<() => Promise<void>>;
  /** Whether the store is closed, or being closed. */
  readonly isClosed: () => boolean;
}
