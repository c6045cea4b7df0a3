// Compaction in real browsers: while tabs write and read, and when the browser is killed in the middle of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { checkAcknowledged, checkLog, checkRefused } from "./borne-out.mjs";
import { openChromium } from "./chromium.mjs";
import { begin, openContest, readLog } from "./contest.mjs";
import { openFirefox } from "./firefox.mjs";
import { openHalt } from "./halt.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const TABS = 2;
const APPENDS = 400;
const TASK = { database: "compacted", channel: "contenders", appends: APPENDS, streams: 10 };

/** What the killed browser had acknowledged before it began to compact: so many commits, of so many events each. */
const COMMITS = 300;
const COMMIT_EVENTS = 40;
/** The moments of a compaction at which the browser is killed. */
const MOMENTS = ["as it begins", "with blocks staged", "amid a swap"];

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${name}: two tabs that append, read and compact at once are told the truth`, async () => {
    const profile = makeProfile();
    const browser = await open(profile.path);
    try {
      const { home, tabs } = await openContest({ browser, server, task: TASK, tabCount: TABS, start });
      await begin(home, TASK.channel, TABS);
      const results = [];
      for (const tab of tabs) results.push(await tab.run(() => globalThis.result));
      const attempts = results.flatMap(({ record }) => record.attempts.map((attempt) => ({ writer: record.writer, ...attempt })));
      const done = results.map(({ meanwhile: { compactions, reads } }) => `${compactions} compactions and ${reads} reads`);
      console.log(`  ${attempts.length} attempts, ${done.join(", ")}`);
      const log = await home.run(readLog, TASK.database);
      checkLog(log);
      checkAcknowledged(attempts, TABS * APPENDS, log);
      for (const { record } of results) checkRefused(record.writer, record.attempts, log);
      await home.run(compact, TASK.database);
      assert.deepEqual(await home.run(readLog, TASK.database), log);
      assert.deepEqual(await home.run(remains, TASK.database), { log: 0, orphans: [] });
    } finally {
      await browser.close();
      profile.remove();
    }
  });
}

for (const moment of MOMENTS) {
  test(`Chromium, killed in a compaction ${moment}, has everything that it acknowledged, once`, async () => {
    const profile = makeProfile();
    try {
      const acknowledged = await killAmidCompaction(profile.path, moment);
      const browser = await openChromium(profile.path);
      try {
        const page = await browser.openPage(server.url + BARE_PAGE);
        const left = await page.run(remains, "killed");
        assert.equal(left.orphans.length, moment === "as it begins" ? 0 : 1);
        const commits = await page.run(readCommits, "killed");
        checkCommits(commits, acknowledged);
        await page.run(compact, "killed");
        assert.deepEqual(await page.run(readCommits, "killed"), commits);
        assert.deepEqual(await page.run(remains, "killed"), { log: 0, orphans: [] });
      } finally {
        await browser.close();
      }
    } finally {
      profile.remove();
    }
  });
}

/** Fills a store, and kills the browser amid its compaction. Gives the commits that were acknowledged. */
async function killAmidCompaction(profile, moment) {
  const halt = await openHalt();
  const browser = await openChromium(profile);
  try {
    const page = await browser.openPage(server.url + BARE_PAGE);
    const acknowledged = [];
    await page.page.exposeFunction("acknowledge", (commit) => void acknowledged.push(commit));
    await page.run(fill, { name: "killed", commits: COMMITS, events: COMMIT_EVENTS });
    const compacting = page.run(compactAndAppend, { first: COMMITS, moment, url: halt.url });
    await Promise.race([halt.reached, compacting.then(() => assert.fail("the compaction was over"))]);
    await browser.kill();
    return acknowledged;
  } finally {
    await browser.close();
    await halt.close();
  }
}

/** Every commit is whole, once; those that were acknowledged are all there. */
function checkCommits(commits, acknowledged) {
  const parts = JSON.stringify(Array.from({ length: COMMIT_EVENTS }, (_, part) => part));
  for (const [commit, found] of Object.entries(commits)) assert.equal(JSON.stringify(found), parts, `commit ${commit}`);
  for (const commit of acknowledged) assert.ok(commit in commits, `commit ${commit} was acknowledged, and is not there`);
}

async function start(task) {
  const { contend } = await import("/pages/contender.js");
  const { compactMeanwhile } = await import("/pages/compactor.js");
  const work = contend(task);
  const meanwhile = compactMeanwhile({ database: task.database, work });
  // Collected later: the other writer is to start first.
  globalThis.result = Promise.all([work, meanwhile]).then(([record, meanwhile]) => ({ record, meanwhile }));
  globalThis.result.catch(() => {});
}

async function compact(database) {
  const store = await everfold.EventStore.open(database);
  await store.compact();
  await store.close();
}

/** The parts of each commit, in the order of the log. */
async function readCommits(database) {
  const store = await everfold.EventStore.open(database);
  const commits = {};
  for await (const { data } of store.readAll()) (commits[data.commit] ??= []).push(data.part);
  await store.close();
  return commits;
}

/** How many records the log has beside its units, and the numbers under which something stands that does not live. */
async function remains(database) {
  const request = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const open = await request(indexedDB.open(`everfold:${database}`));
  const transaction = open.transaction(["log", "units", "index"]);
  const keysOf = (area) => request(transaction.objectStore(area).getAllKeys());
  const [log, units, index] = await Promise.all(["log", "units", "index"].map(keysOf));
  open.close();
  // A unit lives by its header, a run by its index: see FORMAT.md.
  const hexOf = (key) => Array.from(new Uint8Array(key), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const unitKeys = units.map(hexOf).map((hex) => ({ number: hex.slice(0, 16), lives: hex.slice(16, 18) === "00" }));
  const runKeys = index
    .map(hexOf)
    .filter((hex) => hex.startsWith("64") && hex.length === 26)
    .map((hex) => ({ number: hex.slice(2, 18), lives: hex.endsWith("ffffffff") }));
  const orphansOf = (keys) => {
    const living = new Set(keys.filter(({ lives }) => lives).map(({ number }) => number));
    return keys.map(({ number }) => number).filter((number) => !living.has(number));
  };
  return { log: log.length, orphans: [...new Set([...orphansOf(unitKeys), ...orphansOf(runKeys)])] };
}

async function fill({ name, commits, events }) {
  globalThis.store = await everfold.EventStore.open(name);
  globalThis.commit = async (number) => {
    const filling = Array.from(crypto.getRandomValues(new Uint32Array(20))).join("-");
    const batch = Array.from({ length: events }, (_, part) => ({ type: "Noted", data: { commit: number, part, filling } }));
    await store.append(`stream-${number % 31}`, batch);
    await acknowledge(number);
  };
  await Promise.all(Array.from({ length: commits }, (_, number) => commit(number)));
}

/** Compacts and appends at once. At a moment of a compaction the page stands still, and the test knows. */
async function compactAndAppend({ first, moment, url }) {
  const CLAIM_BYTES = 8;
  await commit(first);
  const stop = () => {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.send();
  };
  // The store compacts of its own accord too, and may be in the midst of it: so what is asked of the storage tells the
  // moment. A claim is put where the index of a run will be; a unit has blocks before it has the header by which it lives.
  const isClaim = (area, hex, value) => area === "index" && hex.length === 26 && hex.endsWith("ffffffff") && value.byteLength === CLAIM_BYTES;
  const isBlock = (area, hex) => area === "units" && hex.slice(16, 18) === "01";
  const isAwaited = { "as it begins": isClaim, "with blocks staged": isBlock, "amid a swap": () => false }[moment];
  const awaited = new WeakSet();
  const { transaction: begin } = IDBDatabase.prototype;
  const { put, delete: remove } = IDBObjectStore.prototype;
  IDBDatabase.prototype.transaction = function (...values) {
    const transaction = begin.apply(this, values);
    // Before the store can listen, and ask for more.
    transaction.addEventListener("complete", () => awaited.has(transaction) && stop());
    return transaction;
  };
  IDBObjectStore.prototype.put = function (value, key) {
    if (ArrayBuffer.isView(key)) {
      const hex = Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");
      if (isAwaited(this.name, hex, value)) awaited.add(this.transaction);
    }
    return put.call(this, value, key);
  };
  IDBObjectStore.prototype.delete = function (...values) {
    const request = remove.apply(this, values);
    if (moment === "amid a swap" && this.name === "log") stop();
    return request;
  };
  const appendForEver = async () => {
    for (let number = first + 1; ; number += 1) await commit(number);
  };
  void appendForEver();
  await store.compact();
}
