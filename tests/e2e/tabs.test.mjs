// Four tabs and two workers append to the same ten streams at once. Afterwards the log itself judges every answer
// that they were given: each acknowledged event is where it was said to be, and each refusal was right. So it is while another tab compacts whatever is there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { checkAcknowledged, checkLog, checkRefused } from "./borne-out.mjs";
import { openChromium } from "./chromium.mjs";
import { begin, openContest, readLog } from "./contest.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const TABS = 4;
const WORKERS = 2;
const APPENDS = 250;
const STREAMS = 10;
const TASK = { database: "contended", channel: "contenders", appends: APPENDS, streams: STREAMS };

/** The slowest writer may take so many times as long as the fastest, and one append at most this long. */
const RATIO_MAX = 8;
const APPEND_MS_MAX = 10_000;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

const BROWSERS = Object.entries({ Chromium: openChromium, Firefox: openFirefox });
/** What another tab does meanwhile: `end` ends it, and says how often it was done. */
const MEANWHILE = [
  { circumstance: "" },
  { circumstance: ", while another tab compacts all the time", start: startCompacting, end: endCompacting },
];

for (const [name, open, { circumstance, start, end }] of BROWSERS.flatMap((browser) => MEANWHILE.map((it) => [...browser, it]))) {
  test(`${name}: every answer that tabs and workers got is borne out by the log, and nobody starves${circumstance}`, async () => {
    const { records, log, compactions } = await contest(open, start, end);
    if (start !== undefined) assert.ok(3 < compactions, `only ${compactions} compactions`);
    const attempts = records.flatMap(({ writer, attempts }) => attempts.map((attempt) => ({ writer, ...attempt })));
    const refused = attempts.filter((attempt) => "actual" in attempt);
    const times = records.map(({ elapsed_ms }) => elapsed_ms);
    const slowestAppend_ms = Math.max(...records.map(({ slowest_ms }) => slowest_ms));
    console.log(
      `  ${attempts.length} attempts, ${refused.length} refused; writers took ${Math.min(...times).toFixed(0)} to ` +
        `${Math.max(...times).toFixed(0)} ms, the slowest append ${slowestAppend_ms.toFixed(0)} ms`,
    );
    checkLog(log);
    checkAcknowledged(attempts, (TABS + WORKERS) * APPENDS, log);
    for (const { writer, attempts } of records) checkRefused(writer, attempts, log);
    assert.ok(0 < refused.length, "nobody was refused: the writers did not contend");
    assert.ok(Math.max(...times) <= RATIO_MAX * Math.min(...times), `a writer starved: they took ${times.map(Math.round)} ms`);
    assert.ok(slowestAppend_ms <= APPEND_MS_MAX, `an append took ${Math.round(slowestAppend_ms)} ms`);
  });
}

/** Lets the writers run, and gives what each recorded, and the log that they left. */
async function contest(openBrowser, startMeanwhile, endMeanwhile) {
  const profile = makeProfile();
  const browser = await openBrowser(profile.path);
  try {
    // This page holds the workers, gives the word, and reads the log.
    const { home, tabs } = await openContest({ browser, server, task: TASK, tabCount: TABS, start: startInPage });
    for (let place = 0; place < WORKERS; place += 1) {
      await home.run(startInWorker, { ...TASK, writer: `worker-${place}`, seed: TABS + place + 1 });
    }
    const other = startMeanwhile && (await browser.openPage(server.url + BARE_PAGE));
    await other?.run(startMeanwhile, TASK.database);
    await begin(home, TASK.channel, TABS + WORKERS);
    const records = [];
    for (const page of [...tabs, home]) records.push(...(await page.run(collect)));
    const compactions = await other?.run(endMeanwhile);
    return { records, log: await home.run(readLog, TASK.database), compactions };
  } finally {
    await browser.close();
    profile.remove();
  }
}

async function startInPage(task) {
  const { contend } = await import("/pages/contender.js");
  // Collected later: the other writers are to start first.
  globalThis.contests = [contend(task)];
  globalThis.contests[0].catch(() => {});
}

async function startInWorker(task) {
  const worker = new Worker("/pages/contender-worker.js", { type: "module" });
  const contest = new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => ("value" in data ? resolve(data.value) : reject(new Error(data.error))));
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
  });
  contest.catch(() => {});
  (globalThis.contests ??= []).push(contest);
  worker.postMessage(task);
}

async function collect() {
  return Promise.all(globalThis.contests);
}

async function startCompacting(database) {
  const { compactMeanwhile } = await import("/pages/compactor.js");
  const work = new Promise((resolve) => (globalThis.endWork = resolve));
  globalThis.meanwhile = compactMeanwhile({ database, work });
  globalThis.meanwhile.catch(() => {});
}

async function endCompacting() {
  globalThis.endWork();
  const { compactions } = await globalThis.meanwhile;
  return compactions;
}
