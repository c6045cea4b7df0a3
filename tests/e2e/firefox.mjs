// Firefox with a profile of its own, which outlives the browser.

import { Builder } from "selenium-webdriver";
import firefox from "selenium-webdriver/firefox.js";

import { argumentText, callText, outcomeOf } from "./page-call.mjs";
import { findProgram, isGone } from "./program.mjs";

/** Long enough for everything that a test does in one call. */
const SCRIPT_TIMEOUT_MS = 120_000;

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
  await driver.manage().setTimeouts({ script: SCRIPT_TIMEOUT_MS });
  const processId = (await driver.getCapabilities()).get("moz:processID");
  const queue = new CommandQueue();
  return {
    /** Opens another tab. */
    openPage: (url) =>
      queue.run(async () => {
        await driver.switchTo().newWindow("tab");
        await driver.get(url);
        return firefoxPage(driver, queue, await driver.getWindowHandle());
      }),
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

function firefoxPage(driver, queue, handle) {
  const inTab = (command) =>
    queue.run(async () => {
      await driver.switchTo().window(handle);
      return command();
    });
  return {
    /** Runs a function of one argument in the page; it sees nothing of the test but the argument. */
    run: (run, argument) =>
      inTab(async () => {
        // Evaluated by the page: what a driver evaluates itself has other prototypes than the page's own.
        const text = `window.eval(arguments[0])(arguments[1]).then(arguments[2]);`;
        return outcomeOf(await driver.executeAsyncScript(text, `(${callText(run)})`, argumentText(argument)));
      }),
    close: () => inTab(() => driver.close()),
  };
}

/** A driver has one tab at a time: commands wait for each other. */
class CommandQueue {
  #last = Promise.resolve();

  run(command) {
    const result = this.#last.then(command);
    this.#last = result.catch(() => {});
    return result;
  }
}
