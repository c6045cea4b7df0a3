import { onAbort } from "./abort.js";
import type { AppendResult, CommitResult, UncheckedWrite } from "./append.js";
import { inTermsOfCaller } from "./append.js";
import type { CommitParts } from "./append-message.js";
import { AppendMessageWriter } from "./append-message.js";
import type { CommitContext } from "./commit-check.js";
import { checkCommit, commitSignal } from "./commit-check.js";
import type { AppendOutcome, Durability, Engine } from "./engine.js";
import { DURABILITY, NONE } from "./engine.js";
import { internal, reviveError } from "./errors.js";
import { nextTask } from "./pause.js";
import type { StatusWatch } from "./status.js";

/** Length of the payloads, in UTF-16 units, at which a message is full and the next append begins another. */
const MESSAGE_TEXT_LENGTH = 8 * 1024 * 1024;

/** So many appends take a task long enough to be made that what the engine does with them is better done in another. */
const LARGE_COUNT = 1_024;

/** A message of so many numbers at most leaves its room to the next: memory that was not touched yet costs more than to write there. */
const SPARE_NUMBERS_MAX = 65_536;

/** An append that waits for its outcome: that of its one write, or of its commit. */
type Waiting = {
  readonly writes: readonly UncheckedWrite[];
  readonly reject: (reason: unknown) => void;
} & (
  | { readonly of: "write"; readonly resolve: (result: AppendResult) => void }
  | { readonly of: "commit"; readonly resolve: (result: CommitResult) => void }
);

/** Appends that cross together. */
interface Batch {
  readonly writer: AppendMessageWriter;
  readonly waiting: Waiting[];
  /** One that can be withdrawn crosses alone, so that its rejection need not wait for others. */
  readonly signal: AbortSignal | undefined;
}

/** By their codes, which begin at 1. */
const DURABILITY_NAMES = Object.keys(DURABILITY) as Durability[];

/**
 * Gathers the appends that are made until the next microtask, of all handles to one engine, and crosses with
 * them once; of a great many, only in the next task. They are encoded when they are made: what a caller changes afterwards does not count.
 */
export class AppendQueue {
  /** Hears of what was written: its streams, and where it stands in the log. */
  onWritten: ((writes: readonly AppendResult[], firstPosition: number, lastPosition: number) => void) | undefined;
  readonly #engine: Engine;
  readonly #status: StatusWatch;
  #batches: Batch[] = [];
  /** One whose message has crossed, for the next message. */
  #spare: AppendMessageWriter | undefined;
  /** Messages that have crossed and are not settled. */
  readonly #underWay = new Set<Promise<void>>();
  #scheduled = false;
  #nextTicket = 1;

  /** `status` is told of what was written, and of what could not be. */
  constructor(engine: Engine, status: StatusWatch) {
    this.#engine = engine;
    this.#status = status;
  }

  /** Checks and queues a commit. Rejects with what is wrong with it, or with why it was refused. */
  add(writes: readonly UncheckedWrite[], options: object | undefined, context: CommitContext): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const signal = commitSignal(options);
      this.#add({ of: "commit", writes, resolve, reject }, checkCommit(writes, options, context), signal);
    });
  }

  /** As {@link AppendQueue.add}, a commit of one write, with what that did. */
  addWrite(write: UncheckedWrite, options: object | undefined, context: CommitContext): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const signal = commitSignal(options);
      const writes = [write];
      this.#add({ of: "write", writes, resolve, reject }, checkCommit(writes, options, context), signal);
    });
  }

  /** Queues a commit that was checked before. `writes` are what its caller wrote, for the paths of errors. */
  addChecked(commit: CommitParts, writes: readonly UncheckedWrite[], signal: AbortSignal | undefined): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#add({ of: "commit", writes, resolve, reject }, commit, signal);
    });
  }

  /** Hands over what was gathered, and waits until all that was handed over is settled. */
  async settled(): Promise<void> {
    this.flush();
    await Promise.all(this.#underWay);
  }

  /** Hands over what was gathered at once, so that what is asked next comes behind it. */
  flush(): void {
    const batches = this.#batches;
    this.#batches = [];
    for (const batch of batches) {
      const crossing = this.#cross(batch);
      this.#underWay.add(crossing);
      void crossing.then(() => this.#underWay.delete(crossing));
    }
  }

  /** No code of a caller runs here any more: it could append, in the middle of a batch. */
  #add(waiting: Waiting, commit: CommitParts, signal: AbortSignal | undefined): void {
    const batch = this.#batchFor(signal);
    batch.writer.append(commit);
    if (batch.waiting.length === 0) this.#batches.push(batch);
    batch.waiting.push(waiting);
    this.#schedule();
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
    const writer = this.#spare ?? new AppendMessageWriter();
    this.#spare = undefined;
    return { writer, waiting: [], signal };
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => void this.#flushInTime());
  }

  /** Hands over what was gathered; where that took its task a while, in the next one. */
  async #flushInTime(): Promise<void> {
    const count = this.#batches.reduce((sum, { waiting }) => sum + waiting.length, 0);
    if (LARGE_COUNT < count) await nextTask();
    this.#scheduled = false;
    this.flush();
  }

  async #cross({ writer, waiting, signal }: Batch): Promise<void> {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    let forget = () => {};
    try {
      forget = onAbort(signal, () => this.#engine.abort(ticket));
      signal?.throwIfAborted();
      const outcome = this.#engine.append(writer.finish(ticket));
      if (writer.room <= SPARE_NUMBERS_MAX) this.#spare = writer.clear();
      this.#settle(waiting, await outcome, signal);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      forget();
    }
  }

  /** Settles each append with its part of the outcome. The layout is described at {@link AppendOutcome}. */
  #settle(appends: readonly Waiting[], { numbers, errors }: AppendOutcome, signal: AbortSignal | undefined): void {
    let place = 0;
    let errorCount = 0;
    for (const waiting of appends) {
      if (numbers[place] !== 1) {
        place += 1;
        const error = errors[errorCount];
        errorCount += 1;
        if (error?.code === "ABORTED") waiting.reject(signal?.reason);
        else {
          const revived = error === undefined ? internal("an append has no outcome") : reviveError(inTermsOfCaller(error, waiting.writes));
          // First, so that who hears of the refusal finds the status that comes of it.
          this.#status.failed(revived);
          waiting.reject(revived);
        }
        continue;
      }
      const start = place;
      place += 4;
      const writes = waiting.writes.map((write, index) => resultOf(write, numbers, start, place + 4 * index));
      place += 4 * writes.length;
      const { lastPosition, durability, duplicate } = resultOf(undefined, numbers, start, start);
      const first = writes.find(({ firstPosition }) => firstPosition !== undefined);
      if (first?.firstPosition !== undefined && !duplicate) {
        this.onWritten?.(writes, first.firstPosition, lastPosition);
        this.#status.wrote();
      }
      if (waiting.of === "write") waiting.resolve(writes[0] as AppendResult);
      else waiting.resolve({ writes, lastPosition, durability, duplicate });
    }
  }
}

/** What an append did to one stream: the append begins at `start`, and what it did to the stream at `place`. */
function resultOf(write: UncheckedWrite | undefined, numbers: Float64Array, start: number, place: number): AppendResult {
  return {
    stream: write?.stream as string,
    firstRevision: some(numbers[place]),
    lastRevision: some(numbers[place + 1]),
    firstPosition: some(numbers[place + 2]),
    lastPosition: numbers[place + 3] ?? NONE,
    durability: DURABILITY_NAMES[(numbers[start + 1] ?? NONE) - 1] ?? "memory",
    duplicate: numbers[start + 2] === 1,
  };
}

function some(value: number | undefined): number | undefined {
  return value === NONE ? undefined : value;
}
