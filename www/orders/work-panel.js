// Shows the work: who leads each task, how far it is, what is tried again and what is parked; and what becomes of it when a worker is killed.

import { byId, element } from "../parts/element.js";
import { formatCount, formatMillis, formatSeconds } from "../parts/format.js";
import { Crew, FREEZE_MS } from "./crew.js";
import { ATTEMPTS_MAX } from "./saga.js";

const TASKS = {
  fulfilment: "decides what follows, and what is undone",
  bank: "takes the money of each order, or gets none",
  carrier: "ships what is paid, or fails to",
};

/** How often it is shown how the work stands where nothing is heard. */
const LOOK_MS = 500;

/** Where nobody has taken over by then, nobody will. */
const LIMIT_MS = FREEZE_MS;

/** Other tabs say within this time that they are there. */
const ALONE_MS = 1_000;

export class WorkPanel {
  #store;
  #tab;
  #crew;
  #cards;
  #kill = byId("kill");
  #freeze = byId("freeze");
  #restart = byId("restart");
  #outcome = byId("takeover");
  /** What was done to a worker, and who has taken over which task after how long. */
  #fate;

  /**
   * @param {import("../dist/index.js").EventStore} store
   * @param {string} tab the name of this tab
   * @param {(error: unknown) => void} onError
   */
  constructor(store, tab, onError) {
    this.#store = store;
    this.#tab = tab;
    this.#crew = new Crew(tab, { onChange: () => this.#draw(), onFate: (fate) => this.#watch(fate), onError });
    this.#cards = Object.entries(TASKS).map(([name, what]) => new TaskCard(name, what, (id) => this.#crew.retry(name, id)));
    byId("tasks").replaceChildren(...this.#cards.map(({ box }) => box));
    this.#kill.addEventListener("click", () => this.#order("kill"));
    this.#freeze.addEventListener("click", () => this.#order("freeze"));
    this.#restart.addEventListener("click", () => this.#crew.start());
    const isKept = store.storage === "indexeddb";
    if (isKept) this.#crew.start();
    else this.#crew.startHere(store);
    this.#restart.dataset.offered = String(isKept);
    setInterval(() => this.#draw(), LOOK_MS);
    this.#draw();
  }

  #order(kind) {
    const leader = this.#crew.leader();
    if (leader !== undefined) this.#crew.order(kind, leader);
  }

  #watch({ tab, kind, tasks }) {
    if (0 < tasks.length) this.#fate = { tab, kind, tasks, begun_ms: performance.now(), successors: new Map() };
  }

  #draw() {
    const tasks = this.#crew.tasks();
    // A worker may have handled what this tab has not heard of yet.
    const end = Math.max(this.#store.position, ...[...tasks.values()].map(({ standing }) => standing.position));
    for (const card of this.#cards) card.draw(tasks.get(card.name), { tab: this.#tab, end });
    const canOrder = this.#crew.leader() !== undefined && this.#store.storage === "indexeddb";
    this.#kill.disabled = !canOrder;
    this.#freeze.disabled = !canOrder;
    this.#restart.hidden = this.#crew.isAtWork || this.#restart.dataset.offered !== "true";
    if (this.#fate !== undefined) this.#drawFate(tasks);
  }

  #drawFate(tasks) {
    const { tab, kind, tasks: led, begun_ms, successors } = this.#fate;
    const elapsed_ms = performance.now() - begun_ms;
    for (const name of led) {
      const task = tasks.get(name);
      const isTaken = task?.standing.active === true && task.tab !== tab && begun_ms < task.at_ms;
      if (isTaken && !successors.has(name)) successors.set(name, { tab: task.tab, after_ms: task.at_ms - begun_ms });
    }
    const what = `The worker of ${this.#nameOf(tab)} was ${kind === "killed" ? "killed" : `frozen for ${FREEZE_MS / 1_000} s`}`;
    const isOver = successors.size === led.length || LIMIT_MS < elapsed_ms;
    const isAlone = kind === "killed" && ALONE_MS < elapsed_ms && this.#crew.count() === 0;
    const taken = [...successors].map(([name, { tab: by, after_ms }]) => `${name} by ${this.#nameOf(by)} after ${after_ms < 1_000 ? formatMillis(after_ms) : formatSeconds(after_ms)}`);
    if (isAlone) this.#say(`${what}, and no other tab is there to take over. Open a second tab, or start this tab's work again: it goes on where it was.`);
    else if (0 < taken.length) this.#say(`${what}. Taken over: ${taken.join(", ")}.`);
    else if (isOver) this.#say(`${what}, and nobody has taken over: there was nothing to do, or no other tab is there.`);
    else if (kind === "frozen" && this.#isIdle(led, tasks)) this.#say(`${what}. It has nothing to do, so nobody takes over: place an order.`);
    else this.#say(`${what}…`);
    if (isOver) this.#fate = undefined;
  }

  #isIdle(led, tasks) {
    return led.every((name) => this.#store.position <= (tasks.get(name)?.standing.position ?? 0));
  }

  #nameOf(tab) {
    return tab === this.#tab ? "this tab" : `tab ${tab}`;
  }

  #say(text) {
    setText(this.#outcome, text);
  }
}

/** A task: what it is, who leads it, and how it stands. */
class TaskCard {
  #lead = element("span.chip", {}, "…");
  #lag = element("span.task-lag.number");
  #state = element("p.task-state");
  #position = element("p.quiet.number");
  #parkedList = element("ul.parked");
  #parkedText = "";
  #onRetry;

  constructor(name, what, onRetry) {
    this.name = name;
    this.#onRetry = onRetry;
    const heading = element("h3", { id: `task-${name}` }, name);
    this.box = element(
      "li.task",
      { "data-task": name, "aria-labelledby": `task-${name}` },
      element("div.task-head", {}, heading, this.#lead),
      element("p.quiet", {}, what),
      element("p.task-figures", {}, this.#lag, " positions behind"),
      this.#state,
      this.#position,
      this.#parkedList,
    );
  }

  /** Shows a task as it was heard of. */
  draw(task, { tab, end }) {
    const { standing } = task ?? {};
    const isLed = standing?.active === true && !task.isSilent;
    const isHere = task?.tab === tab;
    this.box.dataset.lead = isLed ? task.tab : "";
    setText(this.#lead, isLed ? (isHere ? "this tab leads" : `tab ${task.tab} leads`) : "nobody leads");
    this.#lead.className = `chip ${isLed ? (isHere ? "here" : "other") : "danger"}`;
    const lag = standing === undefined ? undefined : Math.max(0, end - standing.position);
    setText(this.#lag, lag === undefined ? "–" : formatCount(lag));
    this.box.classList.toggle("is-behind", 0 < (lag ?? 0));
    setText(this.#position, standing === undefined ? "" : `position ${formatCount(standing.position)} of ${formatCount(end)}${isLed ? ` · ${formatCount(standing.handled)} handled` : ""}`);
    this.#drawState(standing, isLed, lag);
    if (standing?.parked !== undefined) this.#drawParked(standing.parked);
  }

  #drawState(standing, isLed, lag) {
    const { doing, failed } = standing ?? {};
    this.#state.classList.toggle("is-failing", isLed && failed !== undefined);
    if (!isLed) setText(this.#state, standing === undefined ? "not heard of yet" : "waits for a tab that does it");
    else if (failed !== undefined) setText(this.#state, `${failed.stream}: ${failed.error}. Attempt ${failed.attempt} of ${ATTEMPTS_MAX}${doing === undefined ? "" : " again"}`);
    else if (doing !== undefined) setText(this.#state, `${doing.stream}${doing.attempt === 1 ? "" : `, attempt ${doing.attempt}`}`);
    else if (lag !== 0) setText(this.#state, "…");
    else setText(this.#state, 0 < (standing.parked?.length ?? 0) ? "all else is done" : "all is done");
  }

  #drawParked(parked) {
    const text = JSON.stringify(parked);
    if (text === this.#parkedText) return;
    this.#parkedText = text;
    this.#parkedList.replaceChildren(
      ...parked.map(({ id, stream, attempts, error, behind, retrying }) => {
        const waiting = behind === 0 ? "" : `, ${behind} behind it`;
        const button = element("button.small", { type: "button", "aria-label": `Try again: ${stream}`, disabled: retrying, onclick: () => this.#onRetry(id) }, "Try again");
        return element("li", { "data-parked": stream }, element("span", {}, element("strong", {}, stream), ` is parked after ${attempts} attempts${waiting}: ${error}`), button);
      }),
    );
  }
}

/** Text that is the same is left alone: screen readers would say it again. */
function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
