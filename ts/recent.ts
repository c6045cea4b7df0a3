import type { AnyAggregate } from "./aggregate.js";
import type { AppendQueue } from "./append-queue.js";
import type { Folded } from "./evolve.js";
import { frozenIfPlain } from "./frozen.js";
import type { Upcaster } from "./upcast.js";

/** Of so many streams the states are remembered, those of the last commands. */
const STREAMS_MAX = 256;
/** Of larger states none is remembered: to load them takes long, but so does it to keep them all. In bytes, about. */
const STATE_BYTES_MAX = 16_384;

/** A state that was decided on, or came of it. */
interface Remembered {
  readonly aggregate: AnyAggregate<unknown>;
  readonly upcaster: Upcaster | undefined;
  readonly folded: Folded<unknown>;
  readonly epoch: number;
}

/** What is known of a stream without a read. */
export interface Recollection<State> {
  readonly folded: Folded<State>;
  /** Whether this tab knows of nothing that came to the log since, but what it wrote itself to other streams. */
  readonly isNewest: boolean;
}

/**
 * The states to which the last commands of this tab came, so that the next ones need not load them.
 *
 * It is told of all that this tab appends. As long as positions follow on one another, nobody else wrote, and a state holds as
 * long as nothing was written to its stream; whether that is so, the append says in the end.
 */
export class Recent {
  /** By stream; the last one that was remembered comes last. */
  readonly #byStream = new Map<string, Remembered>();
  /** The last position that this tab wrote or found. */
  #position = 0;
  /** Grows with each gap in the positions: there, somebody else wrote. */
  #epoch = 0;

  /** A commit of this tab. What is remembered of its streams is past. */
  wrote(writes: readonly { readonly stream: string }[], firstPosition: number, lastPosition: number): void {
    if (firstPosition !== this.#position + 1) this.#epoch += 1;
    this.#position = Math.max(this.#position, lastPosition);
    for (const { stream } of writes) this.#byStream.delete(stream);
  }

  /** The state of a stream that was remembered last, for the same aggregate. `position` is the last one that this tab has seen. */
  of<State>(stream: string, aggregate: AnyAggregate<State>, upcaster: Upcaster | undefined, position: number): Recollection<State> | undefined {
    const found = this.#byStream.get(stream);
    if (found === undefined || found.aggregate !== aggregate || found.upcaster !== upcaster) return undefined;
    const folded = found.folded as Folded<State>;
    const isNewest = found.epoch === this.#epoch && position === this.#position;
    return { folded: isNewest ? { ...folded, asOf: position } : folded, isNewest };
  }

  /** Remembers a state, as of a position up to which nothing was hidden of its stream. Only plain data: nobody can change it any more. */
  remember<State>(stream: string, aggregate: AnyAggregate<State>, upcaster: Upcaster | undefined, folded: Folded<State>): void {
    this.#byStream.delete(stream);
    if (!frozenIfPlain(folded.state, STATE_BYTES_MAX)) return;
    this.#byStream.set(stream, { aggregate, upcaster, folded, epoch: this.#epoch });
    for (const oldest of this.#byStream.keys()) {
      if (this.#byStream.size <= STREAMS_MAX) break;
      this.#byStream.delete(oldest);
    }
  }
}

const known = new WeakMap<AppendQueue, Recent>();

/** The states to which commands came of all handles that append by this queue. */
export function recentOf(queue: AppendQueue): Recent {
  let recent = known.get(queue);
  if (recent === undefined) {
    const made = new Recent();
    known.set(queue, (recent = made));
    queue.onWritten = (writes, firstPosition, lastPosition) => made.wrote(writes, firstPosition, lastPosition);
  }
  return recent;
}
