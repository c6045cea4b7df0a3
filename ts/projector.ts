// Carries the build of a projection on, as long as this tab has the right to; watches who else does.
import { mayPass } from "./back-off.js";
import { isDocument } from "./declarative.js";
import type { Engine, QueryItemMessage } from "./engine.js";
import type { EverfoldError } from "./errors.js";
import { invalidArgument, isEverfoldError } from "./errors.js";
import { Feed } from "./feed.js";
import type { AnyRecorded } from "./page.js";
import { Breath } from "./pause.js";
import { CoreBatches } from "./projection-core.js";
import type { Projecting } from "./projection-fold.js";
import { ProjectionBatch } from "./projection-fold.js";
import type { ClaimMessage, ProjectionMessage, StandingMessage } from "./projection-messages.js";
import { keysOf } from "./document-keys.js";

/** So many events are folded before what they come to is written. */
const BATCH_EVENTS_MAX = 16_384;
/** So far beyond what is written it may be known that nothing has come. */
const UNWRITTEN_POSITIONS_MAX = 4_096;
/** How often it is looked how far another tab is that has something to do. */
const LOOK_MS = 20;
/** Nor longer than this, as long as there is more: who watches sees that it goes on. */
const BATCH_MS_MAX = 500;
/** After so long without progress another tab takes the work over. The longer, the more often that was in vain. */
const STALLED_MS = 2_000;
const STALLED_MS_MAX = 60_000;
/** How often it is looked whether other documents answer by now, and whether a definition that was replaced is the newest again. */
const REST_MS = 5_000;
/** The first pause after a failure that may pass, and the longest. */
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 5_000;

/** Hears that documents changed: their keys, or nothing where these are too many to be known. */
export type ChangeListener = (changedKeys: readonly string[] | undefined) => void;

/** What a projector works with. */
export interface ProjectorContext {
  readonly engine: Engine;
  readonly message: ProjectionMessage;
  readonly query: readonly QueryItemMessage[];
  readonly projecting: Projecting;
}

/** The work on one projection in one tab. */
export class Projector {
  /** Up to where the log is in the documents that answer, as far as is known. */
  position: number;
  /** Whether the documents that answer are of this definition. */
  isAnswering: boolean;
  /** Why it went no further. */
  failure: unknown;
  /** Why it goes no further for now, which it tries again: there is no room. */
  refusal: unknown;
  readonly context: ProjectorContext;
  readonly #listeners = new Set<ChangeListener>();
  #isStopped = false;
  /** Whether the build that is carried on is another one by now. */
  #isOver = false;
  #feed: Feed | undefined;
  /** The build that answers, as far as is known. */
  #build: number | undefined;
  #waking: () => void = () => {};
  #working: Promise<void> = Promise.resolve();

  constructor(context: ProjectorContext, standing: StandingMessage) {
    this.context = context;
    this.position = standing.answering ?? 0;
    this.isAnswering = standing.isAnswering;
    this.#build = standing.build;
  }

  /** Begins to work. */
  start(): void {
    this.failure = undefined;
    this.#working = this.#work();
  }

  /** Ends the work, after what is being written. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#working;
  }

  /** Whether the store is closed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether what is done has to end. */
  get #isEnded(): boolean {
    return this.#isStopped || this.#isOver;
  }

  /** Begins a new build, and works on it. Errors: `INVALID_ARGUMENT` where the documents are another definition's by now. */
  async rebuild(): Promise<void> {
    const { engine, message } = this.context;
    const { answering, own } = await this.look();
    if (answering !== undefined && own === undefined) throw replaced("projection");
    await engine.project(message, "anew");
    this.isAnswering = false;
    if (this.failure !== undefined) this.start();
    else this.#goOver();
  }

  /** Has whoever carries on the build that is there begin with the new one: the right to the old one is of no use any more. */
  #goOver(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Tries again at once what was refused. */
  hurry(): void {
    if (this.refusal !== undefined) this.#waking();
  }

  /** Listens, until the function that this gives is called. */
  listen(listener: ChangeListener): () => void {
    // A function of its own for each: the same listener may listen twice.
    const own: ChangeListener = (keys) => listener(keys);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Looks anew how far the documents are that answer. */
  async look(): Promise<StandingMessage> {
    const { engine, message } = this.context;
    const after = this.position;
    const standing = await engine.standing(message, after);
    if (standing.build === undefined) {
      // It was damaged, or is gone.
      await engine.project(message, "ifNew");
      this.#goOver();
    }
    // Of what was learnt meanwhile, those who listen have heard.
    if (standing.build === this.#build && after < this.position && this.position < (standing.answering ?? 0)) return this.look();
    this.#learn(standing, standing.keys === undefined ? undefined : keysOf(standing.keys, standing.keyLengths as Uint32Array));
    return standing;
  }

  async #work(): Promise<void> {
    let [pause_ms, stalled_ms] = [PAUSE_MS, STALLED_MS];
    const onDone = () => {
      [pause_ms, stalled_ms] = [PAUSE_MS, STALLED_MS];
      this.refusal = undefined;
    };
    while (!this.#isStopped) {
      try {
        this.#isOver = false;
        const claim = await this.context.engine.claim(this.context.message);
        // What this tab was refused is nobody's concern where another one goes on.
        if (claim === undefined) this.refusal = undefined;
        // It may have been ended while it claimed.
        if (claim !== undefined && !this.#isEnded) await this.#carryOn(claim, onDone);
        if (this.failure !== undefined) break;
        if (!this.#isOver) await this.#watch(stalled_ms);
        stalled_ms = Math.min(2 * stalled_ms, STALLED_MS_MAX);
      } catch (error) {
        if (isEverfoldError(error, "CLOSED")) {
          this.#isStopped = true;
          break;
        }
        if (!mayPass(error)) {
          this.failure = error;
          break;
        }
        if (isEverfoldError(error, "QUOTA_EXCEEDED")) {
          this.refusal = error;
          this.#tell([]);
        }
        await this.#pause(pause_ms);
        pause_ms = Math.min(2 * pause_ms, PAUSE_MS_MAX);
      }
    }
    // Who waits for what will not come hears why.
    if (this.failure !== undefined || this.#isStopped) this.#tell([]);
  }

  /** Folds what comes, until the right to do so is lost, or something fails. */
  async #carryOn(claim: ClaimMessage, onDone: () => void): Promise<void> {
    const { engine, message, projecting } = this.context;
    const { name } = message;
    const read = async (keys: readonly string[]) => {
      const text = await engine.documents(name, claim, keys);
      return text === undefined ? undefined : (JSON.parse(text) as readonly unknown[]);
    };
    const feed = this.#listenTo(claim.position);
    if (isDocument(projecting.projection.on)) return this.#carryOnInCore(feed, claim, onDone);
    let { position, isAnswering } = claim;
    const breath = new Breath();
    for (;;) {
      const batch = new ProjectionBatch(projecting, position);
      let end_ms = Infinity;
      let page;
      do {
        page = await this.#looking(() => feed.next());
        if (page === undefined || !(await batch.fold(page.events as AnyRecorded[], page.end, read, breath))) return;
        end_ms = Math.min(end_ms, performance.now() + BATCH_MS_MAX);
        await breath.take();
      } while (!page.isLast && batch.failure === undefined && batch.eventCount < BATCH_EVENTS_MAX && performance.now() < end_ms);
      const isReady = page.isLast && batch.failure === undefined;
      // That nothing has come is worth no write, unless it would take long to find out again.
      if (0 < batch.eventCount || (isReady && !isAnswering) || position + UNWRITTEN_POSITIONS_MAX < batch.position) {
        const documents = await batch.changes(breath);
        const isDone = await engine.advance({ projection: message, claim, position: batch.position, isReady, documents });
        if (!isDone) return;
        onDone();
        ({ position } = batch);
        if (isAnswering) this.#reach(position, documents.map(({ key }) => key));
        else if (isReady) {
          const reached = await this.#takeOver(claim, position);
          if (reached !== undefined) [position, isAnswering] = [reached, true];
        }
      } else if (isReady) {
        onDone();
      }
      this.failure = batch.failure;
      if (this.failure !== undefined) return;
    }
  }

  /** The same, where the core folds and writes. */
  async #carryOnInCore(feed: Feed, claim: ClaimMessage, onDone: () => void): Promise<void> {
    const batches = new CoreBatches(this.context, feed, claim);
    let { isAnswering } = claim;
    for (;;) {
      const batch = await this.#looking(() => batches.next());
      if (batch === undefined) return;
      if (batch.isWritten) {
        onDone();
        if (isAnswering) this.#reach(batch.position, batch.changed);
        else if (batch.isReady) isAnswering = (await this.#takeOver(claim, batch.position)) !== undefined;
      } else {
        onDone();
      }
      this.failure = batch.failure;
      if (this.failure !== undefined) return;
    }
  }

  /**
   * Whether a build that is folded answers by now, and up to where it is. What answers may be further: then it takes the place of that
   * as soon as there is nothing of interest in between.
   */
  async #takeOver(claim: ClaimMessage, folded: number): Promise<number | undefined> {
    const { engine, message, query } = this.context;
    for (let position = folded; ; ) {
      const { answering = 0, isAnswering } = await this.look();
      if (isAnswering) return position;
      // What is in between comes, and then it is tried again.
      if (answering <= position || !(await isNothingBetween(engine, query, position, answering))) return undefined;
      position = answering;
      if (!(await engine.advance({ projection: message, claim, position, isReady: true, documents: [] }))) return undefined;
    }
  }

  /** Looks what another tab makes of the build, until it is stuck. */
  async #watch(stalled_ms: number): Promise<void> {
    const { engine, query } = this.context;
    let target = engine.position;
    const feed = this.#listenTo(target);
    for (;;) {
      let [own, since_ms] = [-1, performance.now()];
      for (;;) {
        if (this.#isEnded) return;
        const standing = await this.look();
        // Another definition is that of the documents by now: there is nothing to carry on.
        if (standing.own === undefined) return await this.#rest();
        // Whoever has folded all and not had it answer may have been killed in between.
        if (standing.isAnswering && (target <= standing.own || (await isNothingBetween(engine, query, standing.own, target)))) break;
        if (standing.own !== own) [own, since_ms] = [standing.own, performance.now()];
        else if (stalled_ms <= performance.now() - since_ms) return;
        await this.#pause(LOOK_MS);
      }
      const page = await this.#looking(() => feed.next());
      if (page === undefined) return;
      target = page.end;
    }
  }

  /** Looks at the documents of another definition, as long as they answer. */
  async #rest(): Promise<void> {
    while (!this.#isEnded) {
      await this.#pause(REST_MS);
      if (!this.#isStopped && (await this.look()).own !== undefined) return;
    }
  }

  /** Waits for what comes. That another tab has other documents answer is in no page: meanwhile that is looked for, for those who listen. */
  async #looking<Coming>(wait: () => Promise<Coming>): Promise<Coming> {
    const looking: unknown = setInterval(() => {
      // What keeps it from being read shows where somebody asks.
      if (0 < this.#listeners.size) this.look().catch(() => {});
    }, REST_MS);
    // That it looks keeps no process of Node's alive.
    (looking as { unref?(): void }).unref?.();
    try {
      return await wait();
    } finally {
      clearInterval(looking as number);
    }
  }

  #learn({ build, answering = 0, own, isAnswering }: StandingMessage, changed: readonly string[] | undefined): void {
    const isOther = build !== this.#build;
    // They are damaged, and made anew.
    if (this.isAnswering && !isAnswering && own !== undefined) this.#goOver();
    this.#build = build;
    this.isAnswering = isAnswering;
    if (!isOther) return this.#reach(answering, changed);
    this.position = answering;
    this.#tell(undefined);
  }

  /** Takes note of how far the documents are. Whoever folds and whoever looks learns it: it is told once. */
  #reach(position: number, changed: readonly string[] | undefined): void {
    if (position <= this.position) return;
    this.position = position;
    this.#tell(changed);
  }

  #tell(changed: readonly string[] | undefined): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(changed);
      } catch (error) {
        // What a listener throws is no failure of what it listens to.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** The events that come after a position, until the work has to end. */
  #listenTo(after: number): Feed {
    const { engine, query } = this.context;
    this.#feed?.stop();
    this.#feed = new Feed(engine, { after, query });
    return this.#feed;
  }

  /** Has whatever waits see that the work has to end. */
  #wake(): void {
    this.#feed?.stop();
    this.#waking();
  }

  /** Waits, and no longer than until it is woken. */
  #pause(duration_ms: number): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer as number);
        resolve();
      };
      const timer: unknown = setTimeout(wake, duration_ms);
      // That it waits keeps no process of Node's alive.
      (timer as { unref?(): void }).unref?.();
      this.#waking = wake;
    });
  }
}

/** That something is asked which only documents of this definition could answer, where another one has replaced it. */
export function replaced(path: string): EverfoldError {
  return invalidArgument(path, "is of a definition that another one has replaced, whose documents answer now: reload the page");
}

/** Whether no event that is wanted stands between two positions, of which the second one counts. */
export async function isNothingBetween(engine: Engine, query: readonly QueryItemMessage[], after: number, last: number): Promise<boolean> {
  let request = { after, before: last < Number.MAX_SAFE_INTEGER ? last + 1 : undefined, since: undefined, until: undefined, direction: "forwards", query, limit: 1, asOf: undefined } as const;
  for (;;) {
    const page = await engine.readAll(request);
    if (0 < page.numbers.length || page.asOf < last) return false;
    if (page.next === undefined) return true;
    request = { ...request, after: page.next };
  }
}
