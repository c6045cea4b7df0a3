// The commands of README.md for an app beside a checkout, run as they stand, and the app looked at in a browser. Only what
// reaches for the network, or builds what is built already, is told to use what is here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { serve } from "../../www/serve.mjs";
import { openChromium } from "../e2e/chromium.mjs";
import { makeProfile } from "../e2e/program.mjs";
import { run, toolPath } from "./app.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const ENV = { ...process.env, NO_COLOR: "1", npm_config_ignore_scripts: "true", npm_config_offline: "true" };
const README = await readFile(join(PROJECT, "README.md"), "utf8");

let folder;
let profile;
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "everfold-beside-"));
  await symlink(PROJECT, join(folder, "everfold"), "dir");
  profile = makeProfile();
  browser = await openChromium(profile.path);
});

after(async () => {
  await browser?.close();
  profile?.remove();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

/** The commands of a block that is marked so, and the last of them, which serves the app until it is ended. */
function commands(mark) {
  const [, block] = new RegExp(`^\`\`\`sh ${mark}\n(.*?)\n\`\`\`$`, "ms").exec(README) ?? [];
  assert.ok(block, `README.md has no block that is marked ${mark}`);
  const end = block.lastIndexOf("\n");
  return { preparing: block.slice(0, end), serving: block.slice(end + 1).replace(/ *#.*/, "") };
}

const prepare = (script) => run("bash", ["-ec", script], { cwd: folder, env: ENV });

/** The app appends an event each time that it is opened, and shows how many there are. */
async function checkKeepsEvents(url) {
  const page = await browser.openPage(url);
  for (const shown of ["1 events", "2 events"]) {
    await page.page.waitForFunction((shown) => document.body?.textContent === shown, shown, { timeout: 30_000 });
    await page.page.reload();
  }
  await page.close();
}

test("an app that Vite serves is made by the commands of the readme", async () => {
  const { preparing, serving } = commands("vite");
  await prepare(preparing.replace("--save-dev vite", `--save-dev ${toolPath("vite")}`));
  assert.equal(serving, "npx vite");
  const vite = spawn("node", [join("node_modules", "vite", "bin", "vite.js")], { cwd: join(folder, "shop"), env: ENV });
  const ended = new Promise((resolve) => vite.on("exit", resolve));
  try {
    await checkKeepsEvents(await told(vite));
  } finally {
    vite.kill();
    await ended;
  }
});

test("a plain page is made by the commands of the readme", async () => {
  const { preparing, serving } = commands("plain");
  await prepare(preparing);
  assert.match(serving, /^python3 -m http\.server /);
  // Any server will do, and there is not always a Python.
  const server = await serve({ root: folder, folders: { "/": "page" } });
  try {
    await checkKeepsEvents(server.url);
  } finally {
    await server.close();
  }
});

/** The address that a server prints. */
function told(server) {
  let said = "";
  return new Promise((resolve, reject) => {
    server.on("exit", () => reject(new Error(`the server ended: ${said}`)));
    for (const stream of [server.stdout, server.stderr]) {
      stream.on("data", (part) => {
        said += part;
        const [url] = /http:\/\/localhost:\d+\//.exec(said) ?? [];
        if (url !== undefined) resolve(url);
      });
    }
  });
}
