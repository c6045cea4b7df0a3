// What becomes of tabs: they are closed, killed, or frozen, each in browsers that can do it to one of several.

import { openChromium } from "./chromium.mjs";
import { openFirefox } from "./firefox.mjs";
import { openHiddenChromium } from "./hidden-chromium.mjs";

/** A killed tab takes its process along, which no other tab may share. */
const OWN_PROCESSES = "--process-per-tab";

/** What may become of a tab, and how it is brought about. */
export const FATES = {
  closed: (tab) => tab.close(),
  killed: (tab) => tab.kill(),
  frozen: (tab) => tab.freeze(),
};

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
