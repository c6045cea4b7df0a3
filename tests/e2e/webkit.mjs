// WebKit, in GTK's MiniBrowser, on a screen that nobody sees. It keeps nothing when it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

import { Builder, Capabilities } from "selenium-webdriver";

import { findProgram } from "./program.mjs";
import { pagesOf } from "./webdriver-pages.mjs";

const START_TIMEOUT_MS = 60_000;

/** Opens WebKit. */
export async function openWebKit() {
  const started = [];
  const end = () => started.reverse().forEach((program) => program.kill());
  try {
    const screen = spawn(findProgram("xvfb"), ["-displayfd", "1", "-nolisten", "tcp"], { stdio: ["ignore", "pipe", "ignore"] });
    started.push(screen);
    const env = { ...process.env, DISPLAY: `:${await firstLine(screen)}`, GDK_BACKEND: "x11" };
    const port = await freePort();
    started.push(spawn(findProgram("webkitdriver"), [`--port=${port}`], { env, stdio: "ignore" }));
    const url = `http://127.0.0.1:${port}`;
    await answers(`${url}/status`);
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

/** What a program says first. */
async function firstLine(program) {
  const lines = createInterface(program.stdout);
  const [line] = await Promise.race([once(lines, "line"), once(lines, "close")]);
  if (line === undefined) throw new Error("the X server ended without a screen");
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

/** Resolves when a server answers. */
async function answers(url) {
  const end = Date.now() + START_TIMEOUT_MS;
  while (!(await fetch(url).then(({ ok }) => ok, () => false))) {
    if (end < Date.now()) throw new Error(`${url} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
