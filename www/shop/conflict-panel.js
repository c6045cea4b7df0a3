// Makes conflicts, and shows what becomes of them: an append that believes in the past, and the commands of all tabs at once.

import { isEverfoldError } from "../dist/index.js";
import { byId, element } from "../parts/element.js";
import { TAB } from "../parts/tab-name.js";
import { Cart, PRODUCTS, productOf } from "./domain.js";

/** So many commands each tab executes in a contest. */
const COMMANDS = 5;

/** A tab that does not answer within this time is not there. */
const ANSWER_MS = 1_500;

export class ConflictPanel {
  #store;
  #cart;
  #onError;
  #channel = new BroadcastChannel("demo-shop-contest");
  #steps = byId("conflict-steps");
  /** The contest that is shown; nothing where something else is. */
  #contest;
  /** By when another tab is to have answered. */
  #deadline;

  /** `cart` says what stream and revision the cart has. */
  constructor(store, cart, onError) {
    this.#store = store;
    this.#cart = cart;
    this.#onError = onError;
    byId("stale").addEventListener("click", () => this.#run(() => this.#appendStale()));
    byId("contest").addEventListener("click", () => this.#run(() => this.#call()));
    this.#channel.addEventListener("message", ({ data }) => this.#hear(data));
  }

  async #run(work) {
    try {
      await work();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Appends as a form would that was open while others changed the cart. */
  async #appendStale() {
    const { stream } = this.#cart;
    // At least two events: else there is no past to believe in.
    while ((this.#cart.revision ?? 0) < 1) {
      const { lastRevision } = await this.#store.execute(Cart, stream, { type: "Add", sku: "cup", quantity: 1 }, { metadata: { tab: TAB } });
      if (1 <= lastRevision) break;
    }
    const actual = (await this.#store.streamInfo(stream)).revision;
    const believed = actual - 1;
    const { sku, name, cents } = PRODUCTS[5];
    this.#begin("An append that believes in the past");
    this.#say(`Appending 1 × ${name} to ${stream}, expecting revision ${believed}.`);
    try {
      await this.#store.append(stream, { type: "ItemAdded", data: { sku, quantity: 1, cents } }, { expected: believed });
    } catch (error) {
      if (!isEverfoldError(error, "WRONG_EXPECTED_REVISION")) throw error;
      const [violation] = error.violations;
      this.#say(`Refused: expected revision ${violation.expected}, and the stream is at ${violation.actual}. Nothing was written.`, "refused");
      this.#say(`Another event came in between. If you still want to add 1 × ${name} to the cart as it is now:`);
      const resolve = element("button.small", { type: "button", id: "resolve", onclick: () => this.#run(() => this.#resolve(stream, sku, resolve)) }, "Load, decide again, append");
      this.#steps.append(element("li.plain-step", {}, resolve));
    }
  }

  async #resolve(stream, sku, button) {
    button.disabled = true;
    const { lastRevision, state } = await this.#store.execute(Cart, stream, { type: "Add", sku, quantity: 1 }, { metadata: { tab: TAB } });
    this.#say(`Stored as revision ${lastRevision}: decided on the newest state, which now has ${state.lines[sku].quantity} × ${productOf(sku).name}.`, "stored");
  }

  /** Calls all tabs to execute commands at once, this one among them. */
  async #call() {
    const contest = { id: crypto.randomUUID(), stream: this.#cart.stream };
    this.#channel.postMessage({ kind: "call", contest });
    const competed = this.#compete(contest);
    this.#deadline = setTimeout(() => this.#say("No other tab has answered: open the shop in a second tab, and press again.", "hint"), ANSWER_MS);
    await competed;
  }

  async #compete({ id, stream }) {
    this.#begin(`All tabs at once, on ${stream}`);
    this.#contest = id;
    this.#say(`Each tab executes ${COMMANDS} commands, as fast as it can.`);
    const answer = { kind: "answer", id, tab: TAB, revisions: [], attempts: 0 };
    for (let place = 0; place < COMMANDS; place += 1) {
      const { sku } = PRODUCTS[Math.floor(Math.random() * PRODUCTS.length)];
      const { attempts, lastRevision } = await this.#store.execute(Cart, stream, { type: "Add", sku, quantity: 1 }, { metadata: { tab: TAB }, retries: 20 });
      answer.revisions.push(lastRevision);
      answer.attempts += attempts;
    }
    this.#channel.postMessage(answer);
    this.#tell(answer);
  }

  #hear(message) {
    if (message.kind === "call") void this.#run(() => this.#compete(message.contest));
    else if (message.id === this.#contest) this.#tell(message);
  }

  #tell({ tab, revisions, attempts }) {
    const again = attempts - COMMANDS;
    const verdict = again === 0 ? "none had to be decided again" : `another tab was faster ${again} ${again === 1 ? "time" : "times"}, and it was decided again`;
    const who = tab === TAB ? "This tab" : `Tab ${tab}`;
    const step = this.#say(`${who}: revisions ${revisions.join(", ")}; ${verdict}.`, "stored");
    if (tab === TAB) return;
    step.classList.add("other-tab");
    clearTimeout(this.#deadline);
  }

  #begin(title) {
    clearTimeout(this.#deadline);
    this.#contest = undefined;
    byId("conflict-empty").hidden = true;
    byId("conflict-title").textContent = title;
    this.#steps.replaceChildren();
  }

  #say(text, kind = "done") {
    const step = element(`li.step-${kind}`, {}, text);
    this.#steps.append(step);
    return step;
  }
}
