// What becomes of tabs: they are closed, killed, or frozen, each in browsers that can do it to one of several.

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { openHiddenChromium } from "./hidden-chromium.mjs";

/** A killed tab takes its process along, which no other tab may share. */
const OWN_PROCESSES = "--process-per-tab";

/** What may become of a tab, and how it is brought about, with another tab at hand and the database that they share. */
export const FATES = {
  closed: (tab) => tab.close(),
  killed: (tab) => tab.kill(),
  frozen: freezeBetweenTransactions,
};

/**
 * Freezes a tab when no transaction of it is under way. By itself a browser freezes no tab that others wait for. Developer tools do, and then the others
 * wait for the minute after which Chromium ends a transaction in which nothing happens.
 */
async function freezeBetweenTransactions(tab, other, database) {
  for (;;) {
    await other.run(listenForFreeze);
    await tab.run(tellOfFreeze);
    await tab.freeze();
    // Developer tools answer before the page hears of it, and until then it may begin a transaction.
    await other.run(() => globalThis.heardOfFreeze);
    if (await other.run(canWrite, database)) return;
    await tab.thaw();
  }
}

function listenForFreeze() {
  const channel = (globalThis.freezeChannel ??= new BroadcastChannel("freeze"));
  globalThis.heardOfFreeze = new Promise((resolve) => (channel.onmessage = () => resolve(true)));
}

function tellOfFreeze() {
  const channel = (globalThis.freezeChannel ??= new BroadcastChannel("freeze"));
  document.addEventListener("freeze", () => channel.postMessage("frozen"), { once: true });
}

/** Whether a transaction on everything in a database has its turn, in half a second. */
async function canWrite(database) {
  const request = indexedDB.open(`everfold:${database}`);
  const connection = await new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
  const transaction = connection.transaction([...connection.objectStoreNames], "readwrite");
  const hasTurn = await new Promise((resolve) => {
    transaction.objectStore(connection.objectStoreNames[0]).count().onsuccess = () => resolve(true);
    setTimeout(() => resolve(false), 500);
  });
  if (!hasTurn) transaction.abort();
  connection.close();
  return hasTurn;
}

const openTab = (browser, url) => browser.openPage(url);

/** A tab that can be killed. */
async function openMortalTab(browser, url) {
  const tab = await openTab(browser, url);
  const developerTools = await tab.page.context().newCDPSession(tab.page);
  const kill = async () => {
    const crashed = new Promise((resolve) => tab.page.once("crash", resolve));
    // It is not answered: who would answer is gone.
    developerTools.send("Page.crash").catch(() => {});
    await crashed;
  };
  return { ...tab, kill };
}

const openKillable = (profile) => openChromium(profile, { args: [OWN_PROCESSES, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });

/** Browsers, and with each fate the number of tabs of which one has it. */
export const BROWSERS = [
  { name: "Chromium", openBrowser: openKillable, open: openMortalTab, fates: [["closed", 2], ["killed", 4]] },
  { name: "Chromium, hidden", openBrowser: openHiddenChromium, open: openTab, fates: [["frozen", 2], ["frozen", 4]] },
  { name: "Firefox", openBrowser: openFirefox, open: openTab, fates: [["closed", 3]] },
];
