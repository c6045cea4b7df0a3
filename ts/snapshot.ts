import type { AnyAggregate } from "./aggregate.js";
import type { Engine } from "./engine.js";
import { isEverfoldError } from "./errors.js";
import type { EventRegistry } from "./events.js";
import type { Folded, Reducer, Stretch } from "./evolve.js";
import { fingerprintOf } from "./fingerprint.js";
import { frozen } from "./frozen.js";
import type { Host } from "./host.js";
import { NotPlain, plainText } from "./plain-json.js";
import type { Session } from "./session.js";
import type { Source } from "./source.js";

/** So many snapshots may wait to be kept. What is due beyond that is due again at the next load. */
const WAITING_MAX = 64;

/** How long a snapshot waits before it is kept. */
const PAUSE_MS = 1;

/** Aggregates of which was said that no snapshots are kept of them. */
const warned = new WeakSet<object>();

const known = new WeakMap<Session, Snapshots>();

/** The snapshots of an open store. */
export function snapshotsOf(session: Session): Snapshots {
  let snapshots = known.get(session);
  if (snapshots === undefined) {
    known.set(session, (snapshots = new Snapshots(session.engine, session.host, session.events)));
    session.finishing.add(snapshots.settled);
  }
  return snapshots;
}

/** The snapshots of an open store: what folds of streams begin with, and what is kept of them in the background. */
export class Snapshots {
  readonly #engine: Engine;
  readonly #host: Host;
  /** The events of the store, which count where an aggregate has none of its own. */
  readonly #events: EventRegistry | undefined;
  /** What is being kept, by aggregate and stream. */
  readonly #waiting = new Set<string>();
  /** Settles when all is kept that waits, one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(engine: Engine, host: Host, events: EventRegistry | undefined) {
    this.#engine = engine;
    this.#host = host;
    this.#events = events;
  }

  /** Folds a source as far as a stretch goes, from its snapshot on where one holds. */
  async fold<State>(aggregate: AnyAggregate<State>, reducer: Reducer<State>, stretch: Stretch): Promise<Folded<State>> {
    const { source, signal, before, asOf } = stretch;
    const { name, snapshotEvery: eventsMin } = aggregate;
    // First, because it refuses an initial state that is none.
    const beginning = reducer.start();
    const fingerprint = "stream" in source ? this.#fingerprintOf(aggregate) : undefined;
    if (!("stream" in source) || eventsMin === false || fingerprint === undefined) {
      return reducer.foldStretch(this.#engine, beginning, stretch);
    }
    signal?.throwIfAborted();
    const found = await this.#engine.snapshot({ aggregate: name, stream: source.stream, fingerprint, eventsMin, before, asOf }).catch((error: unknown) => {
      // A load without its snapshot comes to the same.
      if (isEverfoldError(error, "SUPPLEMENT_UNAVAILABLE")) return undefined;
      throw error;
    });
    if (found === undefined) return reducer.foldStretch(this.#engine, beginning, stretch);
    const { state: text, revision, position: lastPosition = 0 } = found;
    const state = text === undefined ? undefined : parsed<State>(text);
    const start = state === undefined ? beginning : { state: frozen(state), count: 0, revision, lastPosition, asOf: found.asOf };
    return reducer.foldStretch(this.#engine, start, { ...stretch, asOf: found.asOf });
  }

  /**
   * Keeps a snapshot, where enough events were folded since the last one. In the background: nobody hears whether it could
   * be kept. `asOf` is the state of the log that was read for it. Says whether it is on its way.
   */
  keep<State>(aggregate: AnyAggregate<State>, source: Source, folded: Folded<State>, asOf: number = folded.asOf): boolean {
    const { name, snapshotEvery } = aggregate;
    const { revision, lastPosition: position } = folded;
    if (!("stream" in source) || revision === undefined || snapshotEvery === false || folded.count < snapshotEvery) return false;
    const { stream } = source;
    const key = JSON.stringify([name, stream]);
    if (WAITING_MAX <= this.#waiting.size || this.#waiting.has(key)) return false;
    // At once, because nothing keeps whoever gets the state from changing it.
    const state = textOf(aggregate, "state", folded.state);
    const fingerprint = this.#fingerprintOf(aggregate);
    if (fingerprint === undefined) textOf(aggregate, "initial()", aggregate.initial());
    // What the core would refuse need not cross.
    if (state === undefined || fingerprint === undefined || this.#engine.limits.eventBytes < state.length) return false;
    this.#waiting.add(key);
    const keep = async () => {
      // Whoever waited for the fold goes on first.
      await this.#host.pause(PAUSE_MS, undefined);
      await this.#engine.keepSnapshot({ aggregate: name, stream, fingerprint, revision, position, asOf, state });
    };
    this.#last = this.#last.then(keep).catch(() => {}).finally(() => this.#waiting.delete(key));
    return true;
  }

  /** Waits for what is being kept. */
  readonly settled = (): Promise<void> => this.#last;

  #fingerprintOf(aggregate: AnyAggregate<unknown>): ReturnType<typeof fingerprintOf> {
    return aggregate.snapshotEvery === false ? undefined : fingerprintOf(aggregate, this.#events);
  }
}

/** The state of a text; nothing where it is none, although it was kept as one. */
function parsed<State>(text: string): State | undefined {
  try {
    return JSON.parse(text) as State;
  } catch {
    return undefined;
  }
}

/** The text of a state, whichever it is. Where it is not plain JSON there is none, which is said once. */
function textOf(aggregate: AnyAggregate<unknown>, which: string, state: unknown): string | undefined {
  try {
    return plainText(state);
  } catch (error) {
    if (!(error instanceof NotPlain) || warned.has(aggregate)) return undefined;
    warned.add(aggregate);
    console.warn(`no snapshots are kept of the aggregate ${aggregate.name}: ${which}${error.path} ${error.message}; only plain JSON can be kept`);
    return undefined;
  }
}
