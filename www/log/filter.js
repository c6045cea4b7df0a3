// What is looked for in the log: as people type it, and as a query says it.

import { byId, element } from "../parts/element.js";
import { formatCount } from "../parts/format.js";

/** Typing is over when nothing was typed for so long. */
const TYPED_MS = 300;

export class Filter {
  #form = byId("filter");
  #onChange;
  #timer;
  #text = "";

  /** `onChange` is told after each change. */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#changed(), TYPED_MS);
    });
    byId("filter-clear").addEventListener("click", () => this.set({}));
  }

  /** What is asked for, as the store takes it. */
  get value() {
    const { stream, type, tag, since, until } = this.#fields();
    const query = {};
    // A name that ends with a star stands for a category.
    if (stream.endsWith("-*")) query.categories = [stream.slice(0, -2)];
    else if (stream !== "") query.streams = [stream];
    if (type !== "") query.types = [type];
    if (tag !== "") query.tags = tag.split(",").map((part) => part.trim()).filter((part) => part !== "");
    if (query.tags?.length === 0) delete query.tags;
    const times = { since: dayOf(since), until: dayOf(until, 1) };
    const isEverything = Object.keys(query).length === 0 && times.since === undefined && times.until === undefined;
    return { query, ...times, isEverything };
  }

  /** Asks for something else: fields that are not named are emptied. */
  set(fields) {
    for (const [name, value] of Object.entries({ stream: "", type: "", tag: "", since: "", until: "", ...fields })) this.#form.elements[name].value = value;
    this.#changed();
  }

  /** Says which types there are. */
  offerTypes(counts) {
    const select = this.#form.elements.type;
    const chosen = select.value;
    const types = Object.entries(counts).map(([type, count]) => element("option", { value: type }, `${type} (${formatCount(count)})`));
    // The chosen one stays to be chosen, whatever is counted.
    if (chosen !== "" && counts[chosen] === undefined) types.push(element("option", { value: chosen }, chosen));
    select.replaceChildren(element("option", { value: "" }, "any"), ...types);
    select.value = chosen;
  }

  #fields() {
    return Object.fromEntries(["stream", "type", "tag", "since", "until"].map((name) => [name, this.#form.elements[name].value.trim()]));
  }

  #changed() {
    clearTimeout(this.#timer);
    const text = JSON.stringify(this.#fields());
    if (text === this.#text) return;
    this.#text = text;
    this.#onChange();
  }
}

/** The beginning of a day, UTC, or of one that many days later; nothing where none is named. */
function dayOf(text, daysLater = 0) {
  if (text === "") return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) ? undefined : time + daysLater * 86_400_000;
}
