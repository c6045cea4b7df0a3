// One of several tabs that append to one store, and listen to what all of them append.

import { EventStore } from "/dist/index.js";
import { word } from "./contender.js";

/** The time on a clock that all tabs share. */
function now_ms() {
  return performance.timeOrigin + performance.now();
}

/** Waits. Timers of a page at which nobody looks come seconds late, those of a worker do not. */
function pauser() {
  const worker = new Worker(URL.createObjectURL(new Blob(["onmessage = ({ data }) => setTimeout(() => postMessage(0), data)"])));
  return (duration_ms) =>
    new Promise((resolve) => {
      worker.onmessage = resolve;
      worker.postMessage(duration_ms);
    });
}

/**
 * Waits for the word "go" on the channel, then appends, one at a time. Listens until it has handled all that the tabs append.
 *
 * @param {{ database: string, channel: string, writer: string, appends: number, eventsPerAppend: number, pause_ms: number, total: number }} task
 * @returns {Promise<{ positions: number[], heard: number[], delays_ms: number[], began_ms: number, ended_ms: number }>} the positions
 * that were handled and those that were heard, and how long after the call of their append events of other tabs were handled
 */
export async function observe({ database, channel, writer, appends, eventsPerAppend, pause_ms, total }) {
  const store = await EventStore.open(database);
  const pause = pauser();
  const record = { positions: [], heard: [], delays_ms: [], began_ms: 0, ended_ms: 0 };
  store.on("Noted", ({ position }) => void record.heard.push(position));
  const subscription = store.subscribe({}, ({ position, data }) => {
    record.positions.push(position);
    if (data.writer !== writer) record.delays_ms.push(now_ms() - data.called_ms);
  });
  await subscription.caughtUp;
  await word(channel, "go", writer);
  record.began_ms = now_ms();
  for (let number = 0; number < appends; number += 1) {
    const called_ms = now_ms();
    await store.append(`notes-${writer}`, Array.from({ length: eventsPerAppend }, () => ({ type: "Noted", data: { writer, called_ms } })));
    if (0 < pause_ms) await pause(pause_ms);
  }
  const deadline_ms = now_ms() + 60_000;
  while (record.positions.length < total || record.heard.length < total) {
    if (deadline_ms < now_ms()) throw new Error(`${writer} handled ${record.positions.length} and heard ${record.heard.length} of ${total}`);
    await pause(5);
  }
  record.ended_ms = now_ms();
  await store.close();
  return record;
}
