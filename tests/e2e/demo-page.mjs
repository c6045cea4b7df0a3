// Opens pages of the demo, and notes what they complain of.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { serveTests } from "./server.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a page has against it for who cannot see it, sees little, or has no mouse. */
export async function violationsIn(page) {
  // Not as an element: the policy would refuse that.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any }) => `${id}: ${target} ${any[0]?.message ?? ""}`));
}

/** A browser of its own, with the server of the demo. */
export async function openDemo() {
  const server = await serveTests();
  const profile = makeProfile();
  const browser = await openChromium(profile.path, { viewport: { width: 1360, height: 1000 } });
  /** Errors on the console, what was not caught, and what a policy refused, of all pages. */
  const complaints = [];
  browser.context.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  browser.context.on("weberror", (error) => complaints.push(String(error.error())));
  return {
    complaints,
    url: server.url,
    /** Opens a page of the demo in a new tab. */
    async open(name) {
      const page = await browser.context.newPage();
      await page.goto(`${server.url}${name}`);
      return page;
    },
    async close() {
      await browser.close();
      profile.remove();
      await server.close();
    },
  };
}
