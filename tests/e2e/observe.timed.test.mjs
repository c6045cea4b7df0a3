// What is appended in one tab is handled in all: soon, in order, once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { begin, openContest } from "./contest.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

/** Of the delays in another tab, from the call of an append on, 95 of 100 are at most so long. */
const DELAY_MS_MAX = 50;
/** So many events a second are handled in another tab while they are appended in batches. */
const EVENTS_PER_SECOND_MIN = 20_000;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

/** How the tabs append. Those without appends only listen. */
const COURSES = [
  { course: "two tabs append now and then", tabs: 2, writers: 2, appends: 100, eventsPerAppend: 1, pause_ms: 20, judge: judgeDelay },
  { course: "one tab of four appends as fast as it can", tabs: 4, writers: 1, appends: 500, eventsPerAppend: 1, pause_ms: 0, judge: judgeDelay },
  { course: "four tabs append now and then", tabs: 4, writers: 4, appends: 50, eventsPerAppend: 2, pause_ms: 20, judge: judgeDelay },
  { course: "one tab appends batches", tabs: 2, writers: 1, appends: 100, eventsPerAppend: 1_000, pause_ms: 0, judge: judgeSpeed },
];

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  for (const { course, judge, ...task } of COURSES) {
    test(`${name}: ${course}, and every tab handles every event in order, once, in time`, async () => {
      const total = task.writers * task.appends * task.eventsPerAppend;
      const records = await run(open, { ...task, total });
      const all = Array.from({ length: total }, (_, index) => index + 1);
      for (const { positions, heard } of records) {
        assert.deepEqual(positions, all);
        assert.deepEqual(heard, all);
      }
      judge(records, total);
    });
  }
}

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  test(`${name}: a store that is destroyed in one tab ends the subscriptions of another at once`, async () => {
    const profile = makeProfile();
    const browser = await open(profile.path);
    try {
      const [listener, destroyer] = [await browser.openPage(server.url + BARE_PAGE), await browser.openPage(server.url + BARE_PAGE)];
      await listener.run(async (database) => {
        const store = await everfold.EventStore.open(database);
        globalThis.ended = new Promise((resolve) => (globalThis.end = resolve));
        await store.subscribe({ onError: (error) => globalThis.end({ code: error.code, at_ms: Date.now() }) }, () => {}).caughtUp;
      }, "doomed");
      const destroyed_ms = await destroyer.run(async (database) => {
        await everfold.EventStore.destroy(database);
        return Date.now();
      }, "doomed");
      const { code, at_ms } = await listener.run(async () => globalThis.ended);
      assert.equal(code, "CLOSED");
      // Well before it would have looked by itself.
      assert.ok(at_ms - destroyed_ms < 2_000, `it took ${at_ms - destroyed_ms} ms`);
    } finally {
      await browser.close();
      profile.remove();
    }
  });
}

function judgeDelay(records) {
  const delays = records.flatMap(({ delays_ms }) => delays_ms).sort((one, other) => one - other);
  const [median, most, longest] = [0.5, 0.95, 1].map((share) => delays[Math.ceil(share * delays.length) - 1]);
  console.log(`  of ${delays.length} events: median ${median.toFixed(1)} ms, p95 ${most.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`);
  assert.ok(most <= DELAY_MS_MAX, `95 of 100 events were handled within ${most} ms`);
}

function judgeSpeed(records, total) {
  const listener = records.at(-1);
  const eventsPerSecond = (1_000 * total) / (listener.ended_ms - records[0].began_ms);
  console.log(`  ${Math.round(eventsPerSecond)} events a second`);
  assert.ok(EVENTS_PER_SECOND_MIN <= eventsPerSecond, `${eventsPerSecond} events a second`);
}

/** Lets the tabs run, and gives what each recorded. */
async function run(openBrowser, { tabs: tabCount, writers, appends, ...task }) {
  const profile = makeProfile();
  const browser = await openBrowser(profile.path);
  try {
    const common = { ...task, database: "observed", channel: "observers", appends, writers };
    const { home, tabs } = await openContest({ browser, server, task: common, tabCount, start: startInPage });
    await begin(home, common.channel, tabCount);
    const records = [];
    for (const tab of tabs) records.push(await tab.run(collect));
    return records;
  } finally {
    await browser.close();
    profile.remove();
  }
}

async function startInPage({ seed, writers, appends, ...task }) {
  const { observe } = await import("/pages/observer.js");
  // Collected later: the other tabs are to start first.
  globalThis.observing = observe({ ...task, appends: seed <= writers ? appends : 0 });
  globalThis.observing.catch(() => {});
}

async function collect() {
  return globalThis.observing;
}
