/** How far something long has come. */
export interface Progress {
  /** How much is done, in the unit of `total`. */
  readonly done: number;
  /** How much there is to do, as far as is known. */
  readonly total: number;
  /** What is being done. */
  readonly phase: string;
}

/** Is told how far something has come. */
export type ProgressListener = (progress: Progress) => void;

/**
 * Tells a listener, where there is one. What it throws is no failure of what it listens to: the platform reports it,
 * as it does for a listener to events.
 */
export function tell(listener: ProgressListener | undefined, progress: Progress): void {
  try {
    listener?.(progress);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
