// Chromium by its developer tools alone. A driver keeps every tab in front, as it were; here all but one are hidden, and can be frozen as browsers freeze
// them.

import { spawn } from "node:child_process";

import { argumentText, callText, outcomeOf } from "./page-call.mjs";
import { findProgram, isGone } from "./program.mjs";

const ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe"];

/** So long a browser may take to close, with a tab of it frozen. */
const CLOSE_MS_MAX = 5_000;

/** Between two looks at whether a page is loaded. */
const LOOK_MS = 10;

const isLoaded = (url) => location.href === url && document.readyState === "complete";

/** Opens Chromium on the profile in a folder. */
export async function openHiddenChromium(profile) {
  const process = spawn(findProgram("chromium"), [...ARGUMENTS, `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const tools = new DeveloperTools(process.stdio[3], process.stdio[4]);
  process.once("exit", () => tools.end());
  return {
    /** Opens another tab. */
    async openPage(url) {
      const { targetId } = await tools.send("Target.createTarget", { url });
      const { sessionId } = await tools.send("Target.attachToTarget", { targetId, flatten: true });
      const page = hiddenPage(tools, targetId, sessionId);
      // What is asked of the document before is not answered, or with an error.
      while (!(await page.run(isLoaded, url).catch(() => false))) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      return page;
    },
    async close() {
      // It is gone before it answers, or does not answer.
      tools.send("Browser.close").catch(() => {});
      await isGone(process.pid, CLOSE_MS_MAX).catch(() => process.kill("SIGKILL"));
    },
  };
}

function hiddenPage(tools, targetId, sessionId) {
  const setState = (state) => tools.send("Page.setWebLifecycleState", { state }, sessionId);
  return {
    /** Runs a function of one argument in the page; it sees nothing of the test but the argument. */
    async run(run, argument) {
      const expression = `(${callText(run)})(${JSON.stringify(argumentText(argument))})`;
      const { result } = await tools.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
      return outcomeOf(result.value);
    },
    freeze: () => setState("frozen"),
    thaw: () => setState("active"),
    close: () => tools.send("Target.closeTarget", { targetId }),
  };
}

/** Messages end with a zero byte, in both directions. */
class DeveloperTools {
  #to;
  #lastId = 0;
  #rest = "";
  #waiting = new Map();
  #hasEnded = false;

  constructor(to, from) {
    this.#to = to;
    to.on("error", () => this.end());
    from.setEncoding("utf8");
    from.on("data", (text) => {
      const messages = (this.#rest + text).split("\0");
      this.#rest = messages.pop();
      for (const message of messages) this.#hear(JSON.parse(message));
    });
  }

  async send(method, params = {}, sessionId) {
    const id = (this.#lastId += 1);
    if (this.#hasEnded) throw new Error(`${method}: the browser is gone`);
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Nothing is answered any more. */
  end() {
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(new Error("the browser is gone"));
    this.#waiting.clear();
  }

  #hear(message) {
    this.#waiting.get(message.id)?.resolve(message);
    this.#waiting.delete(message.id);
  }
}
