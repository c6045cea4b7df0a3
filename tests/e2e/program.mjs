// Finds the programs that the tests drive.

import { accessSync, constants, existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Each program: the variable that names it, its usual names, and what to do where it is not found. */
const PROGRAMS = {
  chromium: {
    variable: "CHROMIUM",
    names: ["chromium", "chromium-browser", "google-chrome"],
    advice: "install it, on Debian with `apt-get install chromium`",
  },
  firefox: {
    variable: "FIREFOX",
    names: ["firefox-esr", "firefox"],
    advice: "install it, on Debian with `apt-get install firefox-esr`",
  },
  geckodriver: {
    variable: "GECKODRIVER",
    names: ["geckodriver"],
    folders: [join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "everfold", "geckodriver-0.37.1", "bin")],
    advice: "install it, with `cargo install geckodriver --version 0.37.1 --locked`",
  },
  webkitdriver: {
    variable: "WEBKITDRIVER",
    names: ["WebKitWebDriver"],
    advice: "install it, on Debian with `apt-get install webkit2gtk-driver`",
  },
  xvfb: {
    variable: "XVFB",
    names: ["Xvfb"],
    advice: "install it, on Debian with `apt-get install xvfb`",
  },
};

/** The path of a program. */
export function findProgram(name) {
  const { variable, names, folders = [], advice } = PROGRAMS[name];
  const named = process.env[variable];
  if (named !== undefined) {
    if (existsSync(named)) return named;
    throw new Error(`${variable} is ${named}, and there is no such file`);
  }
  const places = [...(process.env.PATH ?? "").split(delimiter), ...folders];
  const found = names.flatMap((each) => places.map((place) => join(place, each))).find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(`${name} is not found: ${advice}, or say with ${variable} where it is`);
}

/** A folder for the profile of one browser, and how to get rid of it. */
export function makeProfile() {
  const path = mkdtempSync(join(tmpdir(), "everfold-profile-"));
  // A browser that was just killed may still be letting go.
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) };
}

/** Resolves when a process is gone. */
export async function isGone(processId, timeout_ms = 10_000) {
  const end = Date.now() + timeout_ms;
  while (isAlive(processId)) {
    if (end < Date.now()) throw new Error(`process ${processId} did not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
