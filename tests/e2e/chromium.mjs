// Chromium with a profile of its own, which outlives the browser.

import { readlinkSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { argumentText, callText, outcomeOf } from "./page-call.mjs";
import { findProgram, isGone } from "./program.mjs";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/**
 * Opens Chromium on the profile in a folder.
 *
 * @param {string} profile
 * @param {object} [options] of the context, as playwright knows them; its `args` come to those that are given anyway
 */
export async function openChromium(profile, { args = [], ...options } = {}) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findProgram("chromium"),
    headless: true,
    args: [...ARGUMENTS, ...args],
    ...options,
  });
  return {
    context,
    /** Opens another tab. */
    async openPage(url) {
      const page = await context.newPage();
      await page.goto(url);
      return chromiumPage(page);
    },
    /** Ends the browser as a crash does. */
    async kill() {
      // The lock names the browser's own process: `host-1234`.
      const processId = Number(readlinkSync(join(profile, "SingletonLock")).split("-").at(-1));
      const closed = new Promise((resolve) => context.once("close", resolve));
      process.kill(processId, "SIGKILL");
      await Promise.all([closed, isGone(processId)]);
    },
    close: () => context.close(),
  };
}

function chromiumPage(page) {
  return {
    /** Playwright's own. */
    page,
    /** Runs a function of one argument in the page; it sees nothing of the test but the argument. */
    run: async (run, argument) => {
      const text = JSON.stringify(argumentText(argument));
      return outcomeOf(await page.evaluate(`(${callText(run)})(${text})`));
    },
    close: () => page.close(),
  };
}
