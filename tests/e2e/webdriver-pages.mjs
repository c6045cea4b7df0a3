// The tabs of a browser that selenium drives.

import { argumentText, callText, outcomeOf } from "./page-call.mjs";

/** A page that is to be loaded again is another one by then. */
const RELOAD_TIMEOUT_MS = 20_000;

/** Long enough for everything that a test does in one call. */
const SCRIPT_TIMEOUT_MS = 120_000;

/** Gives what opens another tab or window, as `kind` says, each with the functions that tests have of a page. */
export async function pagesOf(driver, kind) {
  await driver.manage().setTimeouts({ script: SCRIPT_TIMEOUT_MS });
  const queue = new CommandQueue();
  return (url) =>
    queue.run(async () => {
      await driver.switchTo().newWindow(kind);
      await driver.get(url);
      await hasLoaded(driver);
      return pageOf(driver, queue, await driver.getWindowHandle());
    });
}

function pageOf(driver, queue, handle) {
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
    /** Loads the page again, and waits until it is another one: a driver may come back while the old one still stands. */
    reload: () =>
      inTab(async () => {
        await driver.executeScript("window.isOld = true;");
        await driver.navigate().refresh();
        const isAnother = () => driver.executeScript('return window.isOld === undefined && document.readyState === "complete";');
        await driver.wait(isAnother, RELOAD_TIMEOUT_MS, "the page is still the old one");
      }),
    close: () => inTab(() => driver.close()),
  };
}

/** Waits for the page's own scripts: WebKit's driver comes back before they have run. */
function hasLoaded(driver) {
  const text = `if (document.readyState === "complete") arguments[0](); else addEventListener("load", () => arguments[0]());`;
  return driver.executeAsyncScript(text);
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
