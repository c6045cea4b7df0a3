// Writers in several tabs that all begin at once, and the log that they leave.

import { BARE_PAGE } from "./server.mjs";

/**
 * Opens a page that hears which writers are ready, and tabs that each run `start` with the task and a name and a seed of
 * their own.
 */
export async function openContest({ browser, server, task, tabCount, start }) {
  const url = server.url + BARE_PAGE;
  const home = await browser.openPage(url);
  await home.run(countReady, task.channel);
  const tabs = [];
  for (let place = 0; place < tabCount; place += 1) {
    const tab = await browser.openPage(url);
    await tab.run(start, { ...task, writer: `tab-${place}`, seed: place + 1 });
    tabs.push(tab);
  }
  return { home, tabs };
}

/** Lets the writers begin, once so many are ready. */
export function begin(home, channel, writers) {
  return home.run(giveWord, { channel, writers });
}

/** Every event of a database, as far as its writers know it. */
export async function readLog(database) {
  const store = await everfold.EventStore.open(database);
  const events = await store.readAll().toArray();
  await store.close();
  return events.map(({ stream, revision, position, data }) => ({ stream, revision, position, data }));
}

async function countReady(channel) {
  globalThis.ready = new Set();
  new BroadcastChannel(channel).addEventListener("message", ({ data }) => globalThis.ready.add(data.ready));
}

async function giveWord({ channel, writers }) {
  const end = performance.now() + 20_000;
  while (globalThis.ready.size < writers) {
    if (end < performance.now()) throw new Error(`only ${[...globalThis.ready]} are ready`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  new BroadcastChannel(channel).postMessage("go");
}
