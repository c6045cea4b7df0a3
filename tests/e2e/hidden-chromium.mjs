// Chromium by its developer tools alone. A driver keeps every tab in front, as it were; here all but one are hidden, and can be frozen as browsers freeze
// them.

import { spawn } from "node:child_process";

import { argumentText, callText, outcomeOf } from "./page-call.mjs";
import { findProgram, isGone } from "./program.mjs";

const ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe"];

/** Opens Chromium on the profile in a folder. */
export async function openHiddenChromium(profile) {
  const process = spawn(findProgram("chromium"), [...ARGUMENTS, `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const tools = new DeveloperTools(process.stdio[3], process.stdio[4]);
  return {
    /** Opens another tab. */
    async openPage(url) {
      const { targetId } = await tools.send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await tools.send("Target.attachToTarget", { targetId, flatten: true });
      await tools.send("Page.enable", {}, sessionId);
      const loaded = tools.come("Page.loadEventFired", sessionId);
      await tools.send("Page.navigate", { url }, sessionId);
      await loaded;
      return hiddenPage(tools, targetId, sessionId);
    },
    async close() {
      await tools.send("Browser.close");
      await isGone(process.pid);
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

  constructor(to, from) {
    this.#to = to;
    from.setEncoding("utf8");
    from.on("data", (text) => {
      const messages = (this.#rest + text).split("\0");
      this.#rest = messages.pop();
      for (const message of messages) this.#hear(JSON.parse(message));
    });
  }

  async send(method, params = {}, sessionId) {
    const id = (this.#lastId += 1);
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Resolves when something happens in a tab. */
  come(method, sessionId) {
    return new Promise((resolve) => this.#waiting.set(`${method} ${sessionId}`, resolve));
  }

  #hear(message) {
    const key = message.id ?? `${message.method} ${message.sessionId}`;
    this.#waiting.get(key)?.(message);
    this.#waiting.delete(key);
  }
}
