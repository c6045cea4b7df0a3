// Shows the log of the session: rows around the view are read out of the store when they are needed.

import { formatCount, formatTime } from "../parts/format.js";

/** As in the style sheet. */
const ROW_PX = 28;

/** Rows above and below the view that are ready when it is scrolled. */
const MARGIN_ROWS = 8;

/** Events that are read at once. */
const PAGE_EVENTS = 100;

/** Pages that are kept; the one that was read first goes first. */
const PAGES_KEPT = 50;

export class LogView {
  #box;
  #sheet = document.createElement("div");
  #window = document.createElement("div");
  #store;
  #recording;
  #count = 0;
  #selected = -1;
  #isDue = false;
  #isReading = false;
  /** Events by page, by its number. */
  #pages = new Map();
  #onSelect;
  #onError;

  /**
   * @param {HTMLElement} box
   * @param {object} listeners
   * @param {(revision: number) => void} listeners.onSelect
   * @param {(error: unknown) => void} listeners.onError
   */
  constructor(box, { onSelect, onError }) {
    this.#box = box;
    this.#onSelect = onSelect;
    this.#onError = onError;
    this.#sheet.className = "log-sheet";
    this.#window.className = "log-window";
    this.#sheet.append(this.#window);
    box.append(this.#sheet);
    box.addEventListener("scroll", () => this.#draw(), { passive: true });
    box.addEventListener("click", (event) => this.#click(event));
    box.addEventListener("keydown", (event) => this.#key(event));
    // What the document shows stays in view, as when a phone is turned.
    new ResizeObserver(() => (this.#selected < 0 ? this.#draw() : this.select(this.#selected))).observe(box);
  }

  /** Shows the log of another store, or of another recording in it. */
  open(store, recording) {
    this.#store = store;
    this.#recording = recording;
    // Types of whatever events are longer than that of edits.
    this.#box.parentElement.dataset.unit = recording.unit;
    this.#pages.clear();
    this.#count = 0;
    this.#selected = -1;
    this.#draw();
  }

  /** Says how many events there are. */
  grow(count) {
    // The last page may have been read when it was not full.
    if (count !== this.#count) this.#pages.delete(Math.floor(this.#count / PAGE_EVENTS));
    this.#count = count;
    this.#draw();
  }

  /** Marks the event of a revision and brings it into view; −1 marks none. */
  select(revision) {
    this.#selected = revision;
    const top = Math.max(0, revision) * ROW_PX;
    const { scrollTop, clientHeight } = this.#box;
    const isInView = scrollTop <= top && top + ROW_PX <= scrollTop + clientHeight;
    // Set before the sheet has its new height, a scroll position would be cut.
    this.#sheet.style.height = `${this.#count * ROW_PX}px`;
    if (!isInView) this.#box.scrollTop = top - clientHeight / 2;
    this.#draw();
  }

  #click(event) {
    const row = event.target.closest("[data-revision]");
    if (row !== null) this.#onSelect(Number(row.dataset.revision));
  }

  #key(event) {
    const rows = Math.max(1, Math.floor(this.#box.clientHeight / ROW_PX) - 1);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -rows, PageDown: rows, Home: -this.#count, End: this.#count };
    const step = steps[event.key];
    if (step === undefined || this.#count === 0) return;
    event.preventDefault();
    this.#onSelect(Math.min(this.#count - 1, Math.max(0, this.#selected + step)));
  }

  /** Draws once a frame, however often it is asked to. */
  #draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const [first, end] = this.#range();
    const rows = [];
    for (let revision = first; revision < end; revision += 1) rows.push(this.#row(revision));
    this.#sheet.style.height = `${this.#count * ROW_PX}px`;
    this.#window.style.transform = `translateY(${first * ROW_PX}px)`;
    this.#window.replaceChildren(...rows);
    const isDrawn = first <= this.#selected && this.#selected < end;
    if (isDrawn) this.#box.setAttribute("aria-activedescendant", rowId(this.#selected));
    else this.#box.removeAttribute("aria-activedescendant");
    void this.#readMissing();
  }

  /** The rows in view, and some around them. */
  #range() {
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - MARGIN_ROWS);
    const end = Math.min(this.#count, Math.ceil((scrollTop + clientHeight) / ROW_PX) + MARGIN_ROWS);
    return [first, end];
  }

  #row(revision) {
    const event = this.#pages.get(Math.floor(revision / PAGE_EVENTS))?.[revision % PAGE_EVENTS];
    const row = document.createElement("div");
    row.id = rowId(revision);
    row.className = "log-row";
    row.dataset.revision = String(revision);
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(revision === this.#selected));
    row.setAttribute("aria-posinset", String(revision + 1));
    row.setAttribute("aria-setsize", String(this.#count));
    const texts =
      event === undefined
        ? ["…", "", "", ""]
        : [formatCount(event.position), formatTime(event.time), event.type, this.#recording.summarise(event)];
    for (const text of texts) {
      const cell = document.createElement("span");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  }

  /** Reads one page that is in view and not there, then draws again: what was scrolled past meanwhile is never read. */
  async #readMissing() {
    if (this.#isReading || this.#store === undefined) return;
    const [first, end] = this.#range();
    const [store, recording] = [this.#store, this.#recording];
    for (let page = Math.floor(first / PAGE_EVENTS); page * PAGE_EVENTS < end; page += 1) {
      if (this.#pages.has(page)) continue;
      this.#isReading = true;
      try {
        const events = await store.read(recording.stream, { from: page * PAGE_EVENTS, limit: PAGE_EVENTS }).toArray();
        if (store === this.#store && recording === this.#recording) this.#keep(page, events);
      } catch (error) {
        // Not asked for again by itself: the next scroll does that.
        if (store === this.#store) this.#onError(error);
        return;
      } finally {
        this.#isReading = false;
      }
      this.#draw();
      return;
    }
  }

  #keep(page, events) {
    // Read before the log grew: it is read again.
    const isStale = page * PAGE_EVENTS + events.length < Math.min(this.#count, (page + 1) * PAGE_EVENTS);
    if (isStale) return;
    this.#pages.set(page, events);
    if (PAGES_KEPT < this.#pages.size) this.#pages.delete(this.#pages.keys().next().value);
  }
}

function rowId(revision) {
  return `event-${revision}`;
}
