// Opens the log, and has its parts follow what is looked for.

import { byId, element } from "../parts/element.js";
import { formatCount, formatRate, formatSeconds, formatTime } from "../parts/format.js";
import { Notices } from "../parts/notice.js";
import { openStore } from "../parts/open-store.js";
import { offerStartOver } from "../parts/start-over.js";
import { VirtualList } from "../parts/virtual-list.js";
import { Counts } from "./counts.js";
import { showDetails } from "./details.js";
import { Filter } from "./filter.js";
import { Matches } from "./matches.js";
import { STORE, appendSample } from "./sample.js";

/** As in the style sheet. */
const ROW_PX = 32;

/** So many events are there when a page is opened for the first time. */
const FIRST_EVENTS = 2_000;

const notices = new Notices(byId("notices"));
const onError = (error) => notices.show(error);

class LogPage {
  #store;
  #matches;
  #selected;
  #list;
  #filter = new Filter(() => this.#look());
  #counts;

  constructor(store) {
    this.#store = store;
    this.#list = new VirtualList(byId("log"), {
      row_px: ROW_PX,
      makeRow: (index) => this.#row(index),
      onSelect: (index) => this.#select(index),
      onRange: (first, end) => void this.#read(first, end),
    });
    this.#counts = new Counts(store, { onTypes: (types) => this.#filter.offerTypes(types), onError });
    this.#look();
  }

  /** Looks for what is asked for now. */
  #look() {
    this.#matches?.stop();
    const filter = this.#filter.value;
    const matches = new Matches(this.#store, filter, onError);
    this.#matches = matches;
    this.#list.reset(matches.count);
    this.#choose(undefined);
    this.#counts.show(filter);
    void matches.follow(({ above, below }) => {
      if (matches !== this.#matches) return;
      this.#list.grow({ above, below });
      if (0 < above) this.#counts.grow();
      this.#drawCount();
    });
    this.#drawCount();
  }

  #drawCount() {
    const { count, isComplete } = this.#matches;
    const found = `${formatCount(count)} event${count === 1 ? "" : "s"}`;
    byId("log-count").setAttribute("aria-busy", String(!isComplete));
    byId("log-count").textContent = isComplete ? found : `${found} so far`;
    byId("log-empty").hidden = 0 < count || !isComplete;
  }

  #row(index) {
    const event = this.#matches.eventAt(index);
    const texts = event === undefined ? ["…", "", "", "", ""] : [formatCount(event.position), formatTime(event.time), event.type, event.stream, JSON.stringify(event.data)];
    return element(index % 2 === 0 ? "div.log-row" : "div.log-row.is-odd", {}, ...texts.map((text) => element("span", {}, text)));
  }

  async #read(first, end) {
    const matches = this.#matches;
    const hasMore = await matches.readMissing(first, Math.min(end, matches.count));
    if (!hasMore || matches !== this.#matches) return;
    this.#list.draw();
    if (this.#selected !== undefined) return;
    // What was chosen by keyboard before it was read, and at the beginning the newest.
    if (this.#list.selected < 0 && first === 0) this.#select(0);
    else this.#choose(matches.eventAt(this.#list.selected));
  }

  #select(index) {
    this.#list.select(index);
    this.#choose(this.#matches.eventAt(index));
  }

  #choose(event) {
    this.#selected = event;
    showDetails(event, (fields) => this.#filter.set(fields));
  }
}

/** Offers to append more, with its progress, until it is told to stop. */
function offerMore(store) {
  const [state, bar, stop] = [byId("more-state"), byId("more-progress"), byId("more-stop")];
  const buttons = [...document.querySelectorAll("[data-more]")];
  let run;
  stop.addEventListener("click", () => run?.abort());
  const append = async (total) => {
    run = new AbortController();
    buttons.forEach((button) => (button.disabled = true));
    stop.disabled = false;
    // Said when it is over, and not a hundred times before.
    state.setAttribute("aria-busy", "true");
    bar.max = total;
    const begun_ms = performance.now();
    const say = (done) => {
      const elapsed_ms = performance.now() - begun_ms;
      bar.value = done;
      state.textContent = `${formatCount(done)} of ${formatCount(total)} appended in ${formatSeconds(elapsed_ms)} · ${formatRate(done, elapsed_ms) ?? ""}`;
    };
    try {
      await appendSample(store, total, { now: Date.now(), signal: run.signal, onProgress: say });
    } catch (error) {
      onError(error);
    } finally {
      buttons.forEach((button) => (button.disabled = false));
      stop.disabled = true;
      state.setAttribute("aria-busy", "false");
    }
  };
  for (const button of buttons) button.addEventListener("click", () => void append(Number(button.dataset.more)));
  buttons.forEach((button) => (button.disabled = false));
}

async function open() {
  offerStartOver(byId("start-over"), { name: STORE }, onError);
  const store = await openStore(STORE, notices);
  if (store === undefined) return;
  if (store.position === 0) await appendSample(store, FIRST_EVENTS, { now: Date.now(), signal: new AbortController().signal, onProgress: () => {} });
  new LogPage(store);
  offerMore(store);
}

open().catch(onError);
