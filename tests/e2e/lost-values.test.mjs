// Values that the browser keeps in files of their own and that are lost with these: each is damage to one record, and
// takes nothing with it.

import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

let server;
let profile;

before(async () => {
  server = await serveTests();
  profile = makeProfile();
});

after(async () => {
  profile?.remove();
  await server?.close();
});

/** Does something in a page of a browser that is ended then. */
async function inChromium(run, argument) {
  const browser = await openChromium(profile.path);
  try {
    const page = await browser.openPage(server.url + BARE_PAGE);
    return await page.run(run, argument);
  } finally {
    await browser.close();
  }
}

/** Takes away the files in which Chromium keeps large values. */
function loseFiles() {
  const paths = readdirSync(profile.path, { recursive: true }).map((path) => join(profile.path, path));
  const files = paths.filter((path) => path.includes(".indexeddb.blob") && statSync(path).isFile());
  assert.notEqual(files.length, 0, "there are no files");
  for (const path of files) rmSync(path);
}

/** Appends four events, the second of which Chromium keeps in a file; of digits that nothing can pack. */
async function writeEvents({ name, isCompacted }) {
  const store = await everfold.EventStore.open(name);
  const digits = (count) => Array.from({ length: count }, () => Math.floor(Math.random() * 36).toString(36)).join("");
  for (const [stream, number, length] of [["a", 1, 10], ["b", 2, 300_000], ["a", 3, 10], ["b", 4, 10]]) {
    await store.append(stream, { type: "Noted", data: { number, digits: digits(length) } });
  }
  if (isCompacted) await store.compact();
  await store.close();
}

/** What can be read of a store, and what becomes of appends and of a compaction. */
async function tryEverything(name) {
  const refused = ({ code, position, segment, retryable }) => ({ code, position, segment, retryable });
  const answered = (promise) => promise.then((answer) => answer, refused);
  const store = await everfold.EventStore.open(name);
  const numbers = (reading) => answered(reading.toArray().then((events) => events.map((event) => event.data.number)));
  const append = (stream) => answered(store.append(stream, { type: "Noted", data: { number: 5 } }).then(({ lastRevision }) => lastRevision));
  const found = {
    whole: await numbers(store.readAll()),
    before: await numbers(store.readAll({ before: 2 })),
    after: await numbers(store.readAll({ after: 2 })),
    streams: [await numbers(store.read("a")), await numbers(store.read("b"))],
    end: await numbers(store.read("b", { from: 1 })),
    counted: (await store.stats()).events,
    appended: await append("c"),
    compacted: await answered(store.compact().then(() => "compacted")),
    // The store goes on: the same question again has the same answer.
    again: await numbers(store.read("a")),
  };
  await store.close();
  return found;
}

test("a record of the log whose file is lost is damaged, and all others can be read", async () => {
  await inChromium(writeEvents, { name: "tail", isCompacted: false });
  loseFiles();
  const damage = { code: "CORRUPT_DATA", position: 2, segment: "log/2", retryable: false };
  assert.deepEqual(await inChromium(tryEverything, "tail"), {
    whole: damage,
    before: [1],
    after: [3, 4],
    streams: [[1, 3], damage],
    end: [4],
    counted: 3,
    appended: damage,
    compacted: damage,
    again: [1, 3],
  });
});

test("a block whose file is lost is damaged, and all others can be read", async () => {
  await inChromium(writeEvents, { name: "unit", isCompacted: true });
  loseFiles();
  const damage = { code: "CORRUPT_DATA", position: 1, segment: "units/0/1", retryable: false };
  assert.deepEqual(await inChromium(tryEverything, "unit"), {
    whole: damage,
    before: [1],
    after: [3, 4],
    streams: [[1, 3], damage],
    end: [4],
    counted: 4,
    appended: 0,
    compacted: damage,
    again: [1, 3],
  });
});
