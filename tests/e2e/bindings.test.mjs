// The bindings in `examples/bindings` in a browser: what is clicked in one tab is shown in both.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { serve } from "../../www/serve.mjs";
import { bundled } from "../ts/bindings.mjs";
import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";

const PROGRAMS = { react: 'import "./react/main.tsx";', svelte: 'import "./svelte/main.ts";' };

let programs;
let server;
let profile;
let browser;

before(async () => {
  programs = await bundled(PROGRAMS, "browser");
  for (const name of Object.keys(PROGRAMS)) {
    await writeFile(join(programs.folder, `${name}.html`), `<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="${name}.js"></script>`);
  }
  server = await serve({ root: programs.folder, folders: { "/": "." } });
  profile = makeProfile();
  browser = await openChromium(profile.path);
});

after(async () => {
  await browser?.close();
  await server?.close();
  profile?.remove();
  await programs?.remove();
});

let votesBefore = 0;
for (const name of Object.keys(PROGRAMS)) {
  test(`${name} shows in two tabs what is clicked in either, and still after a reload`, async () => {
    const problems = [];
    const pages = [];
    for (let tab = 0; tab < 2; tab += 1) {
      const { page } = await browser.openPage(`${server.url}${name}.html`);
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
      pages.push(page);
    }
    const shows = async (page, votes) => {
      const text = () => page.evaluate(() => Array.from(document.querySelectorAll("main > *"), (element) => element.textContent));
      const wanted = [`tea: ${votes[0]}`, `coffee: ${votes[1]}`, `water: ${votes[2]}`, `${votes[0] + votes[1] + votes[2]}`];
      const end = Date.now() + 10_000;
      while ((await text()).join() !== wanted.join() && Date.now() < end) await page.waitForTimeout(20);
      assert.deepEqual(await text(), wanted);
    };
    const [one, two] = pages;
    // Both programs are of one poll.
    for (const page of pages) await shows(page, [votesBefore, votesBefore, 0]);
    await one.locator("#tea").click();
    await two.locator("#coffee").click();
    votesBefore += 1;
    for (const page of pages) await shows(page, [votesBefore, votesBefore, 0]);
    await two.reload();
    await shows(two, [votesBefore, votesBefore, 0]);
    assert.deepEqual(problems, []);
    for (const page of pages) await page.close();
  });
}
