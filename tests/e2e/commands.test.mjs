// Two tabs execute commands on one account at once: no update is lost, no rule is broken, and what is sent twice is done once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { begin, openContest } from "./contest.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { serveTests } from "./server.mjs";

const TABS = 2;
const COMMANDS = 200;

let server;
before(async () => (server = await serveTests()));
after(() => server.close());

for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
  for (const sendings of [1, 2]) {
    test(`${name}: commands of two tabs, sent ${sendings} times each, lose no update and break no rule`, async () => {
      const { records, account } = await contest(open, sendings);
      const sent = records.reduce((count, { done, refused, duplicates }) => count + done.length + refused + duplicates, 0);
      assert.equal(sent, TABS * COMMANDS * sendings);
      assert.ok(records.some(({ attempts }) => 1 < attempts), "no command was overtaken: the tabs did not contend");
      assert.ok(records.some(({ refused }) => 0 < refused), "no command was refused");
      const done = records.flatMap((record) => record.done);
      const amounts = account.events.map(({ amount }) => amount);
      assert.deepEqual(amounts.toSorted((one, other) => one - other), done.toSorted((one, other) => one - other));
      assert.equal(account.state, amounts.reduce((sum, amount) => sum + amount, 0));
      assert.equal(account.revision, amounts.length - 1);
      let balance = 0;
      for (const amount of amounts) {
        balance += amount;
        assert.ok(0 <= balance, "the account was overdrawn");
      }
      if (sendings === 1) return;
      assert.ok(records.every(({ duplicates }) => 0 < duplicates));
      assert.equal(new Set(account.events.map(({ commandId }) => commandId)).size, amounts.length);
    });
  }
}

/** Lets the tabs run, and gives what each recorded, and the account that they left. */
async function contest(openBrowser, sendings) {
  const profile = makeProfile();
  const browser = await openBrowser(profile.path);
  try {
    const task = { database: "commanded", channel: "commanders", commands: COMMANDS, sendings };
    const { home, tabs } = await openContest({ browser, server, task, tabCount: TABS, start: startInPage });
    await begin(home, task.channel, TABS);
    const records = [];
    for (const tab of tabs) records.push(await tab.run(collect));
    return { records, account: await home.run(inspectInPage, task.database) };
  } finally {
    await browser.close();
    profile.remove();
  }
}

async function startInPage(task) {
  const { command } = await import("/pages/commander.js");
  // Collected later: the other tab is to start first.
  globalThis.commanding = command(task);
  globalThis.commanding.catch(() => {});
}

async function collect() {
  return globalThis.commanding;
}

async function inspectInPage(database) {
  const { inspect } = await import("/pages/commander.js");
  return inspect(database);
}
