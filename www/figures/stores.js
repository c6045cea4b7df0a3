// The stores of the demo, with what each takes.

import { EventStore } from "../dist/index.js";
import { element } from "../parts/element.js";
import { formatBytes, formatCount, formatDecimal } from "../parts/format.js";

/** The store in which this page measures. */
export const STORE = "demo-figures";

const STORES = [
  ["demo-session", "session.html", "Session"],
  ["demo-shop", "shop.html", "Shop and orders"],
  ["demo-log", "log.html", "Log"],
  ["demo-audit", "audit.html", "Audit"],
  [STORE, "figures.html", "Figures"],
];

/** Measures every store that there is, one after the other, and shows a row of each. */
export async function showStores(body) {
  const rows = [];
  for (const [name, address, label] of STORES) rows.push(await rowOf(name, address, label));
  body.replaceChildren(...rows);
}

async function rowOf(name, address, label) {
  const head = element("th", { scope: "row" }, element("a", { href: address }, label), element("code.store-name", {}, name));
  const cell = (text) => element("td.number", {}, text);
  // A store that nobody opened yet is not made by looking at it.
  if (!(await EventStore.exists(name))) return element("tr", { "data-store": name }, head, element("td.quiet", { colspan: 5 }, "not opened yet"));
  const store = await EventStore.open(name);
  try {
    const { events, streams, snapshots, bytes, bytesPerEvent } = await store.stats();
    return element(
      "tr",
      { "data-store": name },
      head,
      cell(formatCount(events)),
      cell(formatCount(streams)),
      cell(formatCount(snapshots)),
      cell(formatBytes(bytes)),
      cell(events === 0 ? "–" : formatDecimal(bytesPerEvent)),
    );
  } finally {
    await store.close();
  }
}
