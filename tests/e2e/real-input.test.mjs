// Real data, appended through the package, outlives a browser that is killed as soon as the last append was acknowledged.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { EMPTY, fold } from "../../www/session/document.js";
import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const PROJECT = new URL("../../", import.meta.url);
const RECEIPTS = fileURLToPath(new URL("../shared/data/receipt-events.ndjson.gz", PROJECT));
const TRACE = fileURLToPath(new URL("www/data/editing-trace-rustcode.json.gz", PROJECT));

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

/** Opens a browser, writes, kills it, opens it again on the same profile, and reads. */
async function writeKillRead(openBrowser, { write, argument, read }) {
  const profile = makeProfile();
  try {
    const first = await openBrowser(profile.path);
    try {
      const page = await first.openPage(server.url + BARE_PAGE);
      const written = await page.run(write, argument);
      console.log(`  ${written.events} events appended in ${Math.round(written.elapsed_ms)} ms`);
    } finally {
      await first.kill();
    }
    const second = await openBrowser(profile.path);
    try {
      const page = await second.openPage(server.url + BARE_PAGE);
      return await page.run(read);
    } finally {
      await second.close();
    }
  } finally {
    profile.remove();
  }
}

async function appendTransactions(transactions) {
  const store = await everfold.EventStore.open("trace");
  const begun = performance.now();
  for (let from = 0; from < transactions.length; from += 500) {
    const batch = transactions.slice(from, from + 500).map(({ time, patches }) => ({ type: "Edited", time, data: { patches } }));
    await store.append("document-rustcode", batch, { expected: from === 0 ? "noStream" : from - 1 });
  }
  return { events: transactions.length, elapsed_ms: performance.now() - begun };
}

async function readTransactions() {
  const store = await everfold.EventStore.open("trace");
  const events = await store.read("document-rustcode").toArray();
  return events.map(({ revision, position, type, time, data }) => ({ revision, position, type, time, data }));
}

async function appendReceipts(events) {
  const store = await everfold.EventStore.open("receipts");
  const begun = performance.now();
  const revisions = new Map();
  const append = ({ stream, ...event }) => {
    const expected = revisions.get(stream) ?? "noStream";
    revisions.set(stream, expected === "noStream" ? 0 : expected + 1);
    return store.append(stream, event, { expected });
  };
  // In the order of the calls; so many at once, for no page has thousands of appends under way.
  for (let from = 0; from < events.length; from += 500) await Promise.all(events.slice(from, from + 500).map(append));
  return { events: events.length, elapsed_ms: performance.now() - begun };
}

async function readReceipts() {
  const store = await everfold.EventStore.open("receipts");
  const plain = ({ stream, type, time, data, metadata }) => ({ stream, type, time, data, metadata });
  const log = await store.readAll().toArray();
  const streams = {};
  for await (const { stream } of store.streams()) {
    const events = await store.read(stream).toArray();
    streams[stream] = events.map(plain);
  }
  return { log: log.map(plain), positions: log.map((event) => event.position), streams };
}

async function checkTransactions(openBrowser) {
  const { txns, endContent } = JSON.parse(gunzipSync(readFileSync(TRACE)));
  const events = await writeKillRead(openBrowser, { write: appendTransactions, argument: txns, read: readTransactions });
  assert.equal(events.length, txns.length);
  const expected = txns.map(({ time, patches }, revision) => ({
    revision,
    position: revision + 1,
    type: "Edited",
    time: Date.parse(time),
    data: { patches },
  }));
  assert.deepEqual(events, expected);
  assert.equal(fold(EMPTY, events).text, endContent);
}

async function checkReceipts(openBrowser) {
  const lines = gunzipSync(readFileSync(RECEIPTS)).toString().trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line));
  const { log, positions, streams } = await writeKillRead(openBrowser, { write: appendReceipts, argument: events, read: readReceipts });
  const expected = events.map(({ time, ...event }) => ({ ...event, time: Date.parse(time) }));
  assert.deepEqual(log, expected);
  assert.deepEqual(positions, expected.map((_, index) => index + 1));
  const expectedStreams = groupByStream(expected);
  assert.equal(Object.keys(streams).length, 1_434);
  assert.deepEqual(streams, expectedStreams);
}

function groupByStream(events) {
  const streams = {};
  for (const event of events) (streams[event.stream] ??= []).push(event);
  return streams;
}

const receiptsMissing = existsSync(RECEIPTS) ? false : "../shared/data/receipt-events.ndjson.gz is not there";

for (const [browser, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${browser}: 36,981 edits outlive a kill, and fold to the text that they led to`, () => checkTransactions(open));

  test(`${browser}: 8,577 events of 1,434 streams outlive a kill, each stream and the log in order`, { skip: receiptsMissing }, () =>
    checkReceipts(open));
}
