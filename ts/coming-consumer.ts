import { onAbort } from "./abort.js";
import { BackOff } from "./back-off.js";
import type { Callbacks, Consumer, ParkedEvent, StoppableConsumer } from "./consumer.js";
import type { ConsumerMessage } from "./consumer-messages.js";
import { CONSUMING } from "./parts.js";
import type { Session } from "./session.js";

/** A consumer whose code is being loaded: that is tried again and again. Until it is there, it waits for its turn. */
export class ComingConsumer implements StoppableConsumer {
  readonly name: string;
  readonly #session: Session;
  readonly #request: ConsumerMessage;
  readonly #backOff = new BackOff();
  #isStopped = false;
  #running: StoppableConsumer | undefined;
  readonly #beginning: Promise<void>;

  constructor(session: Session, request: ConsumerMessage, callbacks: Callbacks) {
    this.name = request.name;
    this.#session = session;
    this.#request = request;
    session.consuming.add(this);
    const forgetSignal = onAbort(callbacks.signal, () => void this.stop());
    if (callbacks.signal?.aborted === true) this.#isStopped = true;
    this.#beginning = this.#begin(callbacks).finally(() => {
      forgetSignal();
      session.consuming.delete(this);
    });
  }

  get active(): boolean {
    return this.#running?.active ?? false;
  }

  get position(): number {
    return this.#running?.position ?? 0;
  }

  get lag(): number {
    return this.#running?.lag ?? this.#session.engine.position;
  }

  get failure(): Consumer["failure"] {
    return this.#running?.failure;
  }

  get isHandling(): boolean {
    return this.#running?.isHandling ?? false;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#backOff.end();
    if (this.#running === undefined) await this.#beginning;
    await this.#running?.stop();
  }

  async reset(to: { readonly after: number | "end" }): Promise<void> {
    await this.#beginning;
    if (this.#running !== undefined) return this.#running.reset(to);
    return CONSUMING.use(({ resetConsumer }) => resetConsumer(this.#session, this.name, to));
  }

  parked(): Promise<readonly ParkedEvent[]> {
    return CONSUMING.use(({ parkedEvents }) => parkedEvents(this.#session, this.name, this.#request.query));
  }

  retryParked(id?: string): Promise<boolean> {
    return CONSUMING.use(({ retryParked }) => retryParked(this.#session, this.name, id));
  }

  async #begin(callbacks: Callbacks): Promise<void> {
    while (!this.#isStopped) {
      try {
        const { startConsumer } = await CONSUMING.load();
        if (!this.#isStopped) this.#running = startConsumer(this.#session, this.#request, callbacks);
        return;
      } catch {
        await this.#backOff.pause();
      }
    }
  }
}
