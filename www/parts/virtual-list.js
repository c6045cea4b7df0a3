// A list of which only the rows in view are in the page, so that a hundred thousand cost no more than ten.

/** Rows above and below the view that are ready when it is scrolled. */
const MARGIN_ROWS = 10;

/** Browsers draw nothing that is further down than some ten million pixels. */
const HEIGHT_PX_MAX = 8_000_000;

export class VirtualList {
  #box;
  #row_px;
  #sheet = document.createElement("div");
  #window = document.createElement("div");
  #count = 0;
  #selected = -1;
  #isDue = false;
  /** The height of the view before it is resized. */
  #height_px = 0;
  #makeRow;
  #onSelect;
  #onRange;

  /**
   * @param {HTMLElement} box scrolls, and is a `listbox`
   * @param {object} list
   * @param {number} list.row_px the height of a row
   * @param {(index: number) => HTMLElement} list.makeRow the list says of it what screen readers need
   * @param {(index: number) => void} list.onSelect by pointer or keyboard
   * @param {(first: number, end: number) => void} list.onRange is told which rows were drawn
   */
  constructor(box, { row_px, makeRow, onSelect, onRange }) {
    this.#box = box;
    this.#row_px = row_px;
    this.#makeRow = makeRow;
    this.#onSelect = onSelect;
    this.#onRange = onRange;
    this.#sheet.className = "list-sheet";
    this.#window.className = "list-window";
    this.#sheet.setAttribute("role", "presentation");
    this.#window.setAttribute("role", "presentation");
    this.#sheet.append(this.#window);
    box.append(this.#sheet);
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("click", (event) => this.#click(event));
    box.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resized()).observe(box);
  }

  get selected() {
    return this.#selected;
  }

  /** Says how many rows there are, and begins at the top. */
  reset(count) {
    this.#count = count;
    this.#selected = -1;
    this.#box.scrollTop = 0;
    this.draw();
  }

  /** More rows have come, some of them above all others: what is looked at stays where it is. */
  grow({ above, below }) {
    const { scrollTop } = this.#box;
    this.#count += above + below;
    if (0 <= this.#selected) this.#selected += above;
    this.#setHeight();
    if (0 < above && 0 < scrollTop) this.#box.scrollTop = scrollTop + above * this.#step();
    this.draw();
  }

  /** Marks a row and brings it into view; −1 marks none. */
  select(index) {
    this.#selected = index;
    const step = this.#step();
    const top = Math.max(0, index) * step;
    const { scrollTop, clientHeight } = this.#box;
    if (top < scrollTop) this.#box.scrollTop = top;
    else if (scrollTop + clientHeight < top + this.#row_px) this.#box.scrollTop = top + this.#row_px - clientHeight;
    this.draw();
  }

  /** What is marked and was in view stays in view, as when a phone is turned. */
  #resized() {
    const top = this.#selected * this.#step() - this.#box.scrollTop;
    const wasInView = 0 <= this.#selected && 0 <= top && top + this.#row_px <= this.#height_px;
    this.#height_px = this.#box.clientHeight;
    if (wasInView) this.select(this.#selected);
    else this.draw();
  }

  /** Draws once a frame, however often it is asked to. */
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const step = this.#setHeight();
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / step) - MARGIN_ROWS);
    const end = Math.min(this.#count, Math.ceil((scrollTop / step) + clientHeight / this.#row_px) + MARGIN_ROWS);
    const rows = [];
    for (let index = first; index < end; index += 1) rows.push(this.#row(index));
    const top = scrollTop - (scrollTop / step - first) * this.#row_px;
    this.#window.style.transform = `translateY(${Math.max(0, top)}px)`;
    this.#window.replaceChildren(...rows);
    const isDrawn = first <= this.#selected && this.#selected < end;
    if (isDrawn) this.#box.setAttribute("aria-activedescendant", this.#rowId(this.#selected));
    else this.#box.removeAttribute("aria-activedescendant");
    this.#onRange(first, end);
  }

  #row(index) {
    const row = this.#makeRow(index);
    row.id = this.#rowId(index);
    row.dataset.index = String(index);
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(index === this.#selected));
    row.setAttribute("aria-posinset", String(index + 1));
    row.setAttribute("aria-setsize", String(this.#count));
    return row;
  }

  #rowId(index) {
    return `${this.#box.id}-${index}`;
  }

  #setHeight() {
    const step = this.#step();
    this.#sheet.style.height = `${Math.ceil(this.#count * step)}px`;
    return step;
  }

  /** By how much the scroll bar moves for a row: less than its height where a list is too long for browsers. */
  #step() {
    return Math.min(this.#row_px, HEIGHT_PX_MAX / Math.max(1, this.#count));
  }

  #click(event) {
    const row = event.target.closest("[data-index]");
    if (row !== null) this.#onSelect(Number(row.dataset.index));
  }

  #key(event) {
    const rows = Math.max(1, Math.floor(this.#box.clientHeight / this.#row_px) - 1);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -rows, PageDown: rows, Home: -this.#count, End: this.#count };
    const step = steps[event.key];
    if (step === undefined || this.#count === 0) return;
    event.preventDefault();
    this.#onSelect(Math.min(this.#count - 1, Math.max(0, this.#selected + step)));
  }
}
