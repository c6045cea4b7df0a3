// A browser with a fresh profile, and the benchmark's page in it.

import { openChromium } from "../../tests/e2e/chromium.mjs";
import { makeProfile } from "../../tests/e2e/program.mjs";
import { serve } from "../../www/serve.mjs";

const FOLDERS = { "/dist/": "dist", "/domain/": "examples/rust-aggregate/pkg", "/bench/": "benches/browser/page", "/dexie/": "node_modules/dexie/dist/modern", "/": "www" };

/** A page that is isolated gets a clock of 5 µs; others one of 100 µs, which is too coarse for single appends. */
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Opens the page. `call` runs one of the functions of `page/main.js` in it. */
export async function openSession() {
  const profile = makeProfile();
  const server = await serve({ folders: FOLDERS });
  const browser = await openChromium(profile.path);
  const address = new URL("bench/", server.url).href;
  await browser.context.route(address, isolate);
  const tab = await browser.openPage(address);
  await load(tab.page);
  return {
    page: tab.page,
    browserVersion: browser.context.browser()?.version() ?? (await tab.run(() => navigator.userAgent)),
    call: (name, options) => tab.run(({ name, options }) => globalThis.bench[name](options), { name, options }),
    reload: async () => {
      await tab.page.reload();
      await load(tab.page);
    },
    close: async () => {
      await browser.close();
      await server.close();
      profile.remove();
    },
  };
}

async function isolate(route) {
  const response = await route.fetch();
  await route.fulfill({ response, headers: { ...response.headers(), ...ISOLATION } });
}

async function load(page) {
  await page.waitForFunction(() => globalThis.bench !== undefined);
  const isIsolated = await page.evaluate(() => globalThis.crossOriginIsolated);
  if (!isIsolated) throw new Error("the page is not isolated: its clock is too coarse");
}
