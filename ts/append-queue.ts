import type { AppendResult, CommitContext, CommitResult, UncheckedWrite } from "./append.js";
import { checkCommit, commitSignal, inTermsOfCaller } from "./append.js";
import { AppendMessageWriter } from "./append-message.js";
import type { AppendOutcome, Durability, Engine } from "./engine.js";
import { DURABILITY, NONE } from "./engine.js";
import { internal, reviveError } from "./errors.js";

/** Length of the payloads, in UTF-16 units, at which a message is full and the next append begins another. */
const MESSAGE_TEXT_LENGTH = 8 * 1024 * 1024;

/** An append that waits for its outcome. */
interface Waiting {
  readonly writes: readonly UncheckedWrite[];
  readonly streams: readonly string[];
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Appends that cross together. */
interface Batch {
  readonly writer: AppendMessageWriter;
  readonly waiting: Waiting[];
  /** One that can be withdrawn crosses alone, so that its rejection need not wait for others. */
  readonly signal: AbortSignal | undefined;
}

const DURABILITY_NAMES = new Map<number, Durability>(
  (Object.keys(DURABILITY) as Durability[]).map((durability) => [DURABILITY[durability], durability]),
);

/**
 * Gathers the appends that are made until the next microtask, of all handles to one engine, and crosses with
 * them once. They are encoded when they are made: what a caller changes afterwards does not count.
 */
export class AppendQueue {
  readonly #engine: Engine;
  #batches: Batch[] = [];
  #scheduled = false;
  #nextTicket = 1;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Checks and queues a commit. Rejects with what is wrong with it, or with why it was refused. */
  async add(writes: readonly UncheckedWrite[], options: object | undefined, context: CommitContext): Promise<CommitResult> {
    const signal = commitSignal(options);
    // Code of the caller runs here, and may append: so the batch is chosen and written only afterwards.
    const commit = checkCommit(writes, options, context);
    const batch = this.#batchFor(signal);
    batch.writer.append(commit);
    const streams = commit.writes.map(({ stream }) => stream);
    if (batch.waiting.length === 0) this.#batches.push(batch);
    this.#schedule();
    return new Promise((resolve, reject) => {
      batch.waiting.push({ writes, streams, resolve, reject });
    });
  }

  /** Hands over what was gathered at once, so that what is asked next comes behind it. */
  flush(): void {
    const batches = this.#batches;
    this.#batches = [];
    for (const batch of batches) void this.#cross(batch);
  }

  #batchFor(signal: AbortSignal | undefined): Batch {
    const last = this.#batches.at(-1);
    if (
      last !== undefined &&
      last.signal === undefined &&
      signal === undefined &&
      last.writer.textLength < MESSAGE_TEXT_LENGTH
    ) {
      return last;
    }
    return { writer: new AppendMessageWriter(), waiting: [], signal };
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  async #cross({ writer, waiting, signal }: Batch): Promise<void> {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const abort = () => this.#engine.abort(ticket);
    try {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", abort);
      settle(waiting, await this.#engine.append(writer.finish(ticket)), signal);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** Settles each append with its part of the outcome. The layout is described at {@link AppendOutcome}. */
function settle(waiting: readonly Waiting[], outcome: AppendOutcome, signal: AbortSignal | undefined): void {
  const { numbers, errors } = outcome;
  let place = 0;
  let errorCount = 0;
  for (const { writes: asked, streams, resolve, reject } of waiting) {
    if (numbers[place] !== 1) {
      place += 1;
      const error = errors[errorCount];
      errorCount += 1;
      if (error?.code === "ABORTED") reject(signal?.reason);
      else reject(error === undefined ? internal("an append has no outcome") : reviveError(inTermsOfCaller(error, asked)));
      continue;
    }
    const [durabilityCode = NONE, duplicate, lastPosition = NONE] = numbers.subarray(place + 1, place + 4);
    place += 4;
    const common = { durability: DURABILITY_NAMES.get(durabilityCode) ?? "memory", duplicate: duplicate === 1 };
    const writes = streams.map((stream, index): AppendResult => {
      const at = place + 4 * index;
      return {
        stream,
        firstRevision: some(numbers[at]),
        lastRevision: some(numbers[at + 1]),
        firstPosition: some(numbers[at + 2]),
        lastPosition: numbers[at + 3] ?? NONE,
        ...common,
      };
    });
    place += 4 * streams.length;
    resolve({ writes, lastPosition, ...common });
  }
}

function some(value: number | undefined): number | undefined {
  return value === NONE ? undefined : value;
}
