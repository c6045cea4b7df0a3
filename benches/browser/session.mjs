// A browser with a fresh profile, and the benchmark's page in it.

import { openChromium } from "../../tests/e2e/chromium.mjs";
import { makeProfile } from "../../tests/e2e/program.mjs";
import { serve } from "../../www/serve.mjs";

const FOLDERS = { "/domain/": "examples/rust-aggregate/pkg", "/bench/": "benches/browser/page", "/dexie/": "node_modules/dexie/dist/modern", "/": "www" };

/**
 * A page that is isolated gets a clock of 5 µs; others one of 100 µs, which is too coarse for single appends. The server says so:
 * a driver that changes answers switches off the browser's cache, which a page that is reloaded finds its wasm in.
 */
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** With it, a page may have its garbage collected: see `page/rounds.js`. */
const GARBAGE_ON_DEMAND = "--js-flags=--expose-gc";

/**
 * Opens the page, with the package that stands in the folder `dist` of the project. `call` runs one of the functions of `page/main.js` in it; `revisit` does so in a page that is reloaded after it did
 * the same, as that of somebody who comes back: the answer is the later one, with what the earlier took as `unvisited_ms`. Before that
 * one the browser showed the page of another contestant, and has nothing compiled of this one's, or what it has not yet cleared away.
 * `renew` gives the page a process of its own, in the same browser: a page that is reloaded goes on in the one that it had, with a heap that
 * minutes of measuring have filled, and a store took one and a half times as long to open there.
 */
export async function openSession(dist) {
  const profile = makeProfile();
  const server = await serve({ folders: { "/dist/": dist, ...FOLDERS }, headers: ISOLATION });
  const browser = await openChromium(profile.path, { args: [GARBAGE_ON_DEMAND] });
  const address = new URL("bench/", server.url).href;
  const tab = await browser.openPage(address);
  await load(tab.page);
  const call = (name, options) => tab.run(({ name, options }) => globalThis.bench[name](options), { name, options });
  const reload = async () => {
    await tab.page.reload();
    await load(tab.page);
  };
  return {
    page: tab.page,
    browserVersion: browser.context.browser()?.version() ?? (await tab.run(() => navigator.userAgent)),
    call,
    reload,
    renew: async () => {
      await tab.page.goto("about:blank");
      await tab.page.goto(address);
      await load(tab.page);
    },
    revisit: async (name, options) => {
      await reload();
      const { elapsed_ms } = await call(name, options);
      await reload();
      return { ...(await call(name, options)), unvisited_ms: elapsed_ms };
    },
    close: async () => {
      await browser.close();
      await server.close();
      profile.remove();
    },
  };
}

async function load(page) {
  await page.waitForFunction(() => globalThis.bench !== undefined);
  const isIsolated = await page.evaluate(() => globalThis.crossOriginIsolated);
  if (!isIsolated) throw new Error("the page is not isolated: its clock is too coarse");
}
