// What one tab shows follows what another appends, hides and destroys: soon, and to the state that a load gives.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

/** Of the delays in another tab, from the call of an append to the state that has it, 95 of 100 are at most so long. */
const DELAY_MS_MAX = 50;
const STREAMS = 100;
const APPENDS = 200;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${name}: a hundred live values of one tab follow another tab, until the store is destroyed`, async () => {
    const profile = makeProfile();
    const browser = await open(profile.path);
    try {
      const [shower, writer] = [await browser.openPage(server.url + BARE_PAGE), await browser.openPage(server.url + BARE_PAGE)];
      await shower.run(show, { database: "shown", streams: STREAMS });
      const expected = await writer.run(append, { database: "shown", streams: STREAMS, appends: APPENDS });
      const { delays_ms, shown } = await shower.run(collect, expected);
      assert.deepEqual(shown, expected);
      const sorted = delays_ms.sort((one, other) => one - other);
      const [median, most] = [0.5, 0.95].map((share) => sorted[Math.ceil(share * sorted.length) - 1]);
      console.log(`  of ${sorted.length} states: median ${median} ms, p95 ${most} ms, longest ${sorted.at(-1)} ms`);
      assert.ok(most <= DELAY_MS_MAX, `95 of 100 states were shown within ${most} ms`);
      const destroyed_ms = await writer.run(destroy, "shown");
      const { codes, ended_ms } = await shower.run(ending);
      assert.deepEqual(codes, ["CLOSED"]);
      assert.ok(ended_ms - destroyed_ms < 2_000, `it took ${ended_ms - destroyed_ms} ms`);
    } finally {
      await browser.close();
      profile.remove();
    }
  });
}

/** Shows the state of each stream, of all together, of a document and of some rows. */
async function show({ database, streams }) {
  const { EventStore, defineAggregate, defineProjection } = everfold;
  const evolve = (state, { data }) => ({ count: state.count + 1, at_ms: data.at_ms });
  const Count = defineAggregate({ name: "count", initial: () => ({ count: 0, at_ms: 0 }), evolve });
  const Documented = defineAggregate({ name: "documented", initial: () => ({ count: 0 }), evolve: { Noted: { $inc: { count: 1 } } } });
  const Counts = defineProjection({ name: "counts", on: { Noted: (document) => ({ count: (document?.count ?? 0) + 1 }) }, indexes: { byCount: "count" } });
  const store = await EventStore.open(database);
  const model = await store.project(Counts);
  const names = Array.from({ length: streams }, (_, index) => `stream-${index}`);
  const delays_ms = [];
  const lives = names.map((stream) => {
    const live = store.live(Count, stream);
    live.subscribe(() => {
      const { status, value } = live.get();
      if (status === "ready" && 0 < value.state.at_ms) delays_ms.push(Date.now() - value.state.at_ms);
    });
    return live;
  });
  const others = [store.live(Documented, { query: { types: ["Noted"] } }), model.live("stream-1"), model.live({ index: "byCount", from: 2 })];
  for (const live of others) live.subscribe(() => {});
  const all = [...lives, ...others];
  while (all.some((live) => live.get().status !== "ready")) await new Promise((resolve) => setTimeout(resolve, 5));
  globalThis.shown = { lives, others, delays_ms };
}

/** Appends, and gives what is to be shown in the end. */
async function append({ database, streams, appends }) {
  const store = await everfold.EventStore.open(database);
  const noted = () => ({ type: "Noted", data: { at_ms: Date.now() } });
  for (let index = 0; index < appends; index += 1) {
    await store.append(`stream-${index % streams}`, noted());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await store.truncate("stream-0", { before: 1 });
  await store.delete("stream-1");
  await store.delete("stream-2");
  await store.append("stream-2", noted());
  const counts = Array.from({ length: streams }, () => appends / streams);
  counts.splice(0, 3, 1, 0, 1);
  const total = counts.reduce((sum, count) => sum + count);
  // Of a projection what is hidden stays as it was folded, but for a document that a deletion takes away.
  return { counts, total, document: undefined, rows: streams - 2 };
}

/** Waits until that is shown, for as long as anybody would. */
async function collect({ counts, total, rows }) {
  const { lives, others, delays_ms } = globalThis.shown;
  const now = () => {
    const [query, document, found] = others.map((live) => live.get().value);
    return { counts: lives.map((live) => live.get().value.state.count), total: query.state.count, document, rows: found.rows.length };
  };
  const wanted = JSON.stringify({ counts, total, rows });
  const end = performance.now() + 10_000;
  while (JSON.stringify(now()) !== wanted && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  return { delays_ms, shown: now() };
}

async function destroy(database) {
  await everfold.EventStore.destroy(database);
  return Date.now();
}

/** Waits until none of the values is any more. */
async function ending() {
  const all = [...globalThis.shown.lives, ...globalThis.shown.others];
  const end = performance.now() + 10_000;
  while (all.some((live) => live.get().status === "ready") && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  return { codes: [...new Set(all.map((live) => live.get().error?.code ?? live.get().status))], ended_ms: Date.now() };
}
