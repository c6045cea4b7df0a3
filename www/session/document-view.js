// Shows the document: only the lines in view are in the page, so that a long text costs no more than a short one.

/** As in the style sheet. */
const LINE_PX = 20;

/** Lines above and below the view that are ready when it is scrolled. */
const MARGIN_LINES = 10;

export class DocumentView {
  /** Whether the view moves to what was changed. */
  follows = true;
  #box;
  #sheet = document.createElement("div");
  #window = document.createElement("div");
  #lines = [""];
  /** Where each line begins in the text. */
  #starts = [0];
  #change;
  #isDue = false;

  constructor(box) {
    this.#box = box;
    this.#sheet.className = "document-sheet";
    this.#window.className = "document-window";
    this.#sheet.append(this.#window);
    box.append(this.#sheet);
    box.addEventListener("scroll", () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  /** Shows a document, and marks what was changed in it. */
  show(document, change) {
    this.#lines = document.text.split("\n");
    this.#starts = startsOf(this.#lines);
    this.#change = change;
    this.#sheet.style.height = `${this.#lines.length * LINE_PX}px`;
    if (this.follows && this.#change !== undefined) this.#reveal(this.#lineAt(this.#change.start));
    this.#draw();
  }

  #reveal(line) {
    const top = line * LINE_PX;
    const { scrollTop, clientHeight } = this.#box;
    const isInView = scrollTop + LINE_PX <= top && top + 2 * LINE_PX <= scrollTop + clientHeight;
    if (!isInView) this.#box.scrollTop = top - clientHeight / 3;
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
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / LINE_PX) - MARGIN_LINES);
    const end = Math.min(this.#lines.length, Math.ceil((scrollTop + clientHeight) / LINE_PX) + MARGIN_LINES);
    const rows = [];
    for (let line = first; line < end; line += 1) rows.push(this.#row(line));
    this.#window.style.transform = `translateY(${first * LINE_PX}px)`;
    this.#window.replaceChildren(...rows);
  }

  #row(line) {
    const row = document.createElement("div");
    row.className = "document-line";
    // Drawn by the style sheet, so that it is not copied with the text.
    row.dataset.line = String(line + 1);
    const text = this.#lines[line];
    const [start, end] = this.#changeWithin(line);
    if (start === undefined) {
      row.textContent = text;
      return row;
    }
    row.classList.add("is-changed");
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, end);
    row.append(text.slice(0, start), mark, text.slice(end));
    return row;
  }

  /** Which part of a line the change covers; an empty part is where something was deleted. */
  #changeWithin(line) {
    if (this.#change === undefined) return [];
    const begin = this.#starts[line];
    const length = this.#lines[line].length;
    const { start, end } = this.#change;
    if (end < begin || begin + length < start) return [];
    return [Math.max(0, start - begin), Math.min(length, end - begin)];
  }

  #lineAt(index) {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle] <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function startsOf(lines) {
  const starts = new Array(lines.length);
  let start = 0;
  lines.forEach((line, place) => {
    starts[place] = start;
    start += line.length + 1;
  });
  return starts;
}
