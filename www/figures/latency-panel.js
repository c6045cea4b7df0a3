// Offers to measure appends, and shows what was measured: as a chart, and beside earlier runs.

import { drawBars } from "../parts/chart.js";
import { byId, element } from "../parts/element.js";
import { formatCount, formatMillis, formatRate } from "../parts/format.js";
import { histogramOf, measureAppends, percentile } from "./latency.js";

/** So many runs are kept to be compared. */
const RUNS_MAX = 8;

export class LatencyPanel {
  #store;
  #onDone;
  #onError;
  #form = byId("measure");
  #bars = [];
  #run;

  /** `onDone` is told after each run. */
  constructor(store, { onDone, onError }) {
    this.#store = store;
    this.#onDone = onDone;
    this.#onError = onError;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#run === undefined) void this.measure();
      else this.#run.abort();
    });
    new ResizeObserver(() => this.#draw()).observe(byId("histogram"));
  }

  /** Measures as the form says. */
  async measure() {
    const { appends, events, durability } = Object.fromEntries(new FormData(this.#form));
    const run = new AbortController();
    const bar = byId("measure-progress");
    this.#run = run;
    this.#setRunning("Stop");
    bar.max = Number(appends);
    try {
      const measured = await measureAppends(this.#store, {
        appends: Number(appends),
        events: Number(events),
        durability,
        signal: run.signal,
        onProgress: (done) => (bar.value = done),
      });
      if (0 < measured.latencies_ms.length) this.#show(measured, Number(events));
    } catch (error) {
      this.#onError(error);
    }
    this.#run = undefined;
    this.#setRunning("Measure");
    this.#onDone();
  }

  #setRunning(label) {
    byId("measure-button").textContent = label;
    byId("measure-button").disabled = false;
  }

  #show({ latencies_ms, elapsed_ms, durability }, events) {
    this.#bars = histogramOf(latencies_ms);
    this.#draw();
    const [half, most, nearlyAll] = [0.5, 0.95, 0.99].map((share) => percentile(latencies_ms, share));
    byId("latency-state").textContent = `Half of them took at most ${formatMillis(half)}, 95 of 100 at most ${formatMillis(most)}.`;
    const cells = [
      durability,
      formatCount(latencies_ms.length),
      formatCount(events),
      formatMillis(half),
      formatMillis(most),
      formatMillis(nearlyAll),
      formatMillis(Math.max(...latencies_ms)),
      formatRate(latencies_ms.length * events, elapsed_ms),
    ];
    const [first, ...others] = cells;
    const row = element("tr", {}, element("th", { scope: "row" }, first), ...others.map((text) => element("td.number", {}, text)));
    byId("runs").prepend(row);
    while (RUNS_MAX < byId("runs").childElementCount) byId("runs").lastElementChild.remove();
  }

  #draw() {
    const short = (label) => label.replace(/^[\d.]+ to /, "< ").replace(/ ms or more$/, " ms +");
    drawBars(byId("histogram"), { title: "Appends by how long they took", of: "It took", counted: "appends", bars: this.#bars, short, empty: "Measuring…" });
  }
}
