// The measures of the store, side by side.

import { formatBytes, formatCount, formatDecimal } from "../parts/format.js";

const LABELS = {
  events: "Events",
  streams: "Streams",
  bytes: "Stored",
  bytesPerEvent: "Bytes per event",
  appendRate: "Appended",
  replayRate: "Replayed",
  durability: "Durability",
  storage: "Storage",
  quota: "Used of quota",
};

/** What is shown of a figure that is not known yet. */
const UNKNOWN = "–";

export class Figures {
  #values = new Map();

  constructor(list) {
    for (const [key, label] of Object.entries(LABELS)) {
      const figure = document.createElement("div");
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = label;
      value.textContent = UNKNOWN;
      value.dataset.figure = key;
      figure.append(term, value);
      list.append(figure);
      this.#values.set(key, value);
    }
  }

  /** Shows some figures, as texts by their keys; those without a text are left as they are. */
  show(texts) {
    for (const [key, text] of Object.entries(texts)) {
      if (text !== undefined) this.#values.get(key).textContent = text;
    }
  }

  /** Forgets what was measured: for a database that is new. */
  clear() {
    for (const value of this.#values.values()) value.textContent = UNKNOWN;
  }
}

/** Measures a store: what was found, as texts to show. */
export async function measure(store) {
  const { events, streams, bytes, bytesPerEvent, quota } = await store.stats();
  return {
    events: formatCount(events),
    streams: formatCount(streams),
    bytes: formatBytes(bytes),
    bytesPerEvent: events === 0 ? UNKNOWN : formatDecimal(bytesPerEvent),
    storage: store.storage === "indexeddb" ? "IndexedDB" : "memory",
    quota: quotaText(quota),
  };
}

function quotaText({ usage, quota }) {
  if (usage === undefined || quota === undefined) return UNKNOWN;
  return `${formatBytes(usage)} of ${formatBytes(quota)}`;
}
