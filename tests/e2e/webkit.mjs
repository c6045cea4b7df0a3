// WebKit, in GTK's MiniBrowser, on a screen that nobody sees. It keeps nothing when it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

import { Builder, Capabilities } from "selenium-webdriver";

import { findProgram } from "./program.mjs";
import { pagesOf } from "./webdriver-pages.mjs";

const START_TIMEOUT_MS = 60_000;

/** A server that is asked answers within this, or is asked again. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Opens WebKit. */
export async function openWebKit() {
  const started = [];
  const end = () => started.reverse().forEach(({ program }) => program.kill());
  const start = (...command) => {
    const begun = begin(...command);
    started.push(begun);
    return begun;
  };
  try {
    const screen = start(findProgram("xvfb"), ["-displayfd", "1", "-nolisten", "tcp"], { stdio: ["ignore", "pipe", "ignore"] });
    const env = { ...process.env, DISPLAY: `:${await unlessEnded(screen, firstLine)}`, GDK_BACKEND: "x11" };
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await unlessEnded(start(findProgram("webkitdriver"), [`--port=${port}`], { env, stdio: "ignore" }), (_, signal) => answers(`${url}/status`, signal));
    const driver = await new Builder().usingServer(url).withCapabilities(new Capabilities({ browserName: "MiniBrowser" })).build();
    return {
      /** Opens another window: of the tabs of one, all but the first are hidden. */
      openPage: await pagesOf(driver, "window"),
      close: () => driver.quit().finally(end),
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** Starts a program; `ended` rejects when it ends or cannot be started. */
function begin(path, options, settings) {
  const program = spawn(path, options, settings);
  const ended = new Promise((_, reject) => {
    program.on("error", reject);
    program.on("exit", (code, signal) => reject(new Error(`${path} ended: ${signal ?? code}`)));
  });
  // Nobody may be waiting, as when it is killed.
  ended.catch(() => {});
  return { program, ended };
}

/** Waits for what a program does, and no longer than it runs or may take. */
async function unlessEnded({ program, ended }, wait) {
  const waiting = new AbortController();
  const late = new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${program.spawnfile} takes too long`)), START_TIMEOUT_MS);
    waiting.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  try {
    return await Promise.race([wait(program, waiting.signal), ended, late]);
  } finally {
    waiting.abort();
  }
}

/** What a program says first. */
async function firstLine(program, signal) {
  const [line] = await once(createInterface(program.stdout), "line", { signal });
  return line;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves when a server answers, or nobody waits any more. */
async function answers(url, signal) {
  const isOk = () => fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }).then(({ ok }) => ok, () => false);
  while (!signal.aborted && !(await isOk())) await new Promise((resolve) => setTimeout(resolve, 50));
}
