// The guide, docs/guide.md, as who follows it sees it: in a page that is reloaded, on the same store.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { transform } from "esbuild";

import { PROJECT, promisedOutput } from "../ts/programs.mjs";
import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

const DONE = "the program has ended";

let server;
let profile;
let browser;

before(async () => {
  server = await serveTests();
  profile = makeProfile();
  browser = await openChromium(profile.path);
});

after(async () => {
  await browser?.close();
  profile?.remove();
  await server?.close();
});

/** The pieces of code of the guide as one script, which imports the package from where it is served. */
async function scriptOf(guide) {
  const program = [...guide.matchAll(/^```ts part\n(.*?)^```$/gms)].map(([, part]) => part).join("\n");
  const { code } = await transform(program, { loader: "ts", target: "es2022" });
  const script = code.replaceAll('"everfold/testing"', '"/dist/testing.js"').replaceAll('"everfold"', '"/dist/index.js"');
  return { program, script: `${script}\nconsole.log(${JSON.stringify(DONE)});` };
}

/** What a page prints that runs a script. */
async function printedBy(page, script) {
  const lines = [];
  const ended = new Promise((resolve, reject) => {
    page.on("console", (message) => (message.text() === DONE ? resolve(lines) : lines.push(message.text())));
    page.on("pageerror", reject);
  });
  await page.addScriptTag({ type: "module", content: script });
  return ended.finally(() => page.removeAllListeners("console").removeAllListeners("pageerror"));
}

test("the guide prints what it promises, and once more after a reload", { timeout: 60_000 }, async () => {
  const { program, script } = await scriptOf(await readFile(join(PROJECT, "docs/guide.md"), "utf8"));
  const { page } = await browser.openPage(server.url + BARE_PAGE);
  for (const visit of ["first", "second", "third"]) {
    assert.deepEqual(await printedBy(page, script), promisedOutput(program), `${visit} visit`);
    await page.reload();
  }
});
