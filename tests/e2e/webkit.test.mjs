// What an application lives on, in WebKit: what is appended is read, by another window too, which hears of it, and after a reload. And the log judges every
// answer that two windows got.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { checkAcknowledged, checkLog, checkRefused } from "./borne-out.mjs";
import { begin, openContest, readLog } from "./contest.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";
import { openWebKit } from "./webkit.mjs";

const OPTIONS = { skip: process.platform === "linux" ? false : "GTK's WebKit is Linux's alone" };
const WINDOWS = 2;
const APPENDS = 100;
const TASK = { database: "contended", channel: "contenders", appends: APPENDS, streams: 5 };

let server;
let browser;
before(async () => {
  if (OPTIONS.skip) return;
  server = await serveTests();
  browser = await openWebKit();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test("WebKit: another window hears of what one appends, and a reload finds it again", OPTIONS, async () => {
  const [writer, listener] = [await browser.openPage(server.url + BARE_PAGE), await browser.openPage(server.url + BARE_PAGE)];
  await listener.run(listen, "shop");
  assert.deepEqual(await writer.run(append, ["shop", 1, 2]), [1, 2]);
  assert.deepEqual(await listener.run(heard, 2), [1, 2]);
  assert.deepEqual(await writer.run(append, ["shop", 3]), [1, 2, 3]);
  assert.deepEqual(await listener.run(heard, 3), [1, 2, 3]);
  // In the meantime the listener has the store open: it is not made anew.
  await writer.reload();
  assert.deepEqual(await writer.run(append, ["shop", 4]), [1, 2, 3, 4]);
  assert.deepEqual(await listener.run(heard, 4), [1, 2, 3, 4]);
  await Promise.all([writer.reload(), listener.reload()]);
  assert.deepEqual(await listener.run(append, ["shop"]), [1, 2, 3, 4]);
  assert.equal(await listener.run(isFound, "shop"), true);
});

test("WebKit: every answer that windows got is borne out by the log", OPTIONS, async () => {
  const { home, tabs } = await openContest({ browser, server, task: TASK, tabCount: WINDOWS, start: startInPage });
  await begin(home, TASK.channel, WINDOWS);
  const records = [];
  for (const page of tabs) records.push(...(await page.run(collect)));
  const attempts = records.flatMap(({ writer, attempts }) => attempts.map((attempt) => ({ writer, ...attempt })));
  const log = await home.run(readLog, TASK.database);
  checkLog(log);
  checkAcknowledged(attempts, WINDOWS * APPENDS, log);
  for (const { writer, attempts } of records) checkRefused(writer, attempts, log);
  assert.ok(attempts.some((attempt) => "actual" in attempt), "nobody was refused: the writers did not contend");
});

/** Appends what is given, and gives what the stream has then. */
async function append([database, ...numbers]) {
  globalThis.store ??= await everfold.EventStore.open(database);
  for (const number of numbers) await store.append("cart-1", { type: "Added", data: { number } });
  return (await store.read("cart-1").toArray()).map(({ data }) => data.number);
}

async function listen(database) {
  globalThis.store = await everfold.EventStore.open(database);
  globalThis.numbers = [];
  globalThis.look = () => {};
  const subscription = store.subscribe({ after: 0 }, ({ data }) => {
    numbers.push(data.number);
    look();
  });
  await subscription.caughtUp;
}

/** What was heard, as soon as it is so much. */
function heard(count) {
  return new Promise((resolve) => {
    globalThis.look = () => count <= numbers.length && resolve([...numbers]);
    look();
  });
}

/** Whether the browser has the database of a store. */
async function isFound(database) {
  return (await indexedDB.databases()).some(({ name }) => name === `everfold:${database}`);
}

async function startInPage(task) {
  const { contend } = await import("/pages/contender.js");
  // Collected later: the other writers are to start first.
  globalThis.contests = [contend(task)];
  globalThis.contests[0].catch(() => {});
}

async function collect() {
  return Promise.all(globalThis.contests);
}
