// Firefox with a profile of its own, which outlives the browser.

import { Builder } from "selenium-webdriver";
import firefox from "selenium-webdriver/firefox.js";

import { findProgram, isGone } from "./program.mjs";
import { pagesOf } from "./webdriver-pages.mjs";

/** Opens Firefox on the profile in a folder. */
export async function openFirefox(profile) {
  const options = new firefox.Options();
  options.setBinary(findProgram("firefox"));
  // The driver copies a profile that is set otherwise.
  options.addArguments("-headless", "-profile", profile);
  options.setPreference("browser.shell.checkDefaultBrowser", false);
  options.setPreference("app.update.enabled", false);
  options.setPreference("datareporting.policy.dataSubmissionEnabled", false);
  options.setPreference("network.captive-portal-service.enabled", false);
  const driver = await new Builder()
    .forBrowser("firefox")
    .setFirefoxOptions(options)
    .setFirefoxService(new firefox.ServiceBuilder(findProgram("geckodriver")))
    .build();
  const processId = (await driver.getCapabilities()).get("moz:processID");
  return {
    /** Opens another tab. */
    openPage: await pagesOf(driver, "tab"),
    /** Ends the browser as a crash does. */
    async kill() {
      process.kill(processId, "SIGKILL");
      // Ends the driver, which has no browser to end any more, but to collect.
      await driver.quit().catch(() => {});
      await isGone(processId);
    },
    close: () => driver.quit(),
  };
}
