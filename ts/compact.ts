import { abortSignal, callback, option, options as optionBag } from "./arguments.js";
import type { ProgressListener } from "./progress.js";
import { tell } from "./progress.js";
import type { Session } from "./session.js";

/** How a store is compacted. */
export interface CompactOptions {
  /** Ends it after the step under way: it rejects with the signal's reason, and what is done by then is done. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far it has come: bytes. */
  readonly onProgress?: ProgressListener | undefined;
}

/** What {@link EventStore.compact} did. */
export interface CompactResult {
  /** Bytes of the keys and values of everything that the store kept before. */
  readonly bytesBefore: number;
  /** The same afterwards. */
  readonly bytesAfter: number;
  /** How many events were hidden, and are no longer there. */
  readonly eventsErased: number;
  /** Of how many units the log consists now. */
  readonly units: number;
}

/** Compacts a store. */
export async function compact({ engine }: Session, options: unknown): Promise<CompactResult> {
  const bag = optionBag(options, ["signal", "onProgress"]);
  const signal = option(bag, "signal", abortSignal);
  const onProgress = option(bag, "onProgress", callback<ProgressListener>);
  signal?.throwIfAborted();
  const compacting = engine.compact((done, total) => {
    tell(onProgress, { done, total, phase: "compact" });
    return signal?.aborted !== true;
  });
  return compacting.catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
