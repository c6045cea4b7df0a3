// The installed package goes through bundlers, and what they make keeps events in a browser.

import assert from "node:assert/strict";
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { build as bundle } from "esbuild";
import { build, createServer } from "vite";

import { serve } from "../../www/serve.mjs";
import { openChromium } from "../e2e/chromium.mjs";
import { makeProfile } from "../e2e/program.mjs";
import { installApp } from "./app.mjs";

const HTML = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>`;

const MAIN = `
  import { EventStore } from "everfold";
  globalThis.outcome = (async () => {
    const store = await EventStore.open("app");
    await store.append("cart-1", [{ type: "ItemAdded", data: { sku: "a" } }]);
    const events = await store.read("cart-1").toArray();
    const { units } = await store.compact();
    await store.close();
    return { storage: store.storage, units, types: events.map((event) => event.type) };
  })();
`;

let app;
let profile;
let browser;

before(async () => {
  app = await installApp();
  await app.write({ "index.html": HTML, "main.js": MAIN });
  profile = makeProfile();
  browser = await openChromium(profile.path);
});

after(async () => {
  await browser?.close();
  profile?.remove();
  await app?.remove();
});

/** Each server has a port, and so an origin and a database, of its own. */
async function checkKeepsEvents(url) {
  const page = await browser.openPage(url);
  const outcome = () => page.run(() => globalThis.outcome);
  assert.deepEqual(await outcome(), { storage: "indexeddb", units: 1, types: ["ItemAdded"] });
  await page.page.reload();
  assert.deepEqual(await outcome(), { storage: "indexeddb", units: 1, types: ["ItemAdded", "ItemAdded"] });
  await page.close();
}

async function checkServed(folder) {
  const server = await serve({ root: app.folder, folders: { "/": folder } });
  try {
    await checkKeepsEvents(server.url);
  } finally {
    await server.close();
  }
}

test("Vite builds it as it is", async () => {
  await build({ root: app.folder, configFile: false, logLevel: "warn", build: { outDir: "vite-out" } });
  await checkServed("vite-out");
});

test("Vite serves it while developing, as it is", async () => {
  const options = { configFile: false, logLevel: "warn", cacheDir: "vite-cache", server: { port: 0 } };
  const server = await createServer({ root: app.folder, ...options });
  try {
    await server.listen();
    await checkKeepsEvents(server.resolvedUrls.local[0]);
  } finally {
    await server.close();
  }
});

test("esbuild bundles it, with the wasm copied beside the bundle", async () => {
  const out = join(app.folder, "esbuild-out");
  const options = { bundle: true, format: "esm", outdir: out, absWorkingDir: app.folder, logLevel: "warning" };
  await bundle({ ...options, entryPoints: ["main.js"] });
  const dist = join(app.folder, "node_modules/everfold/dist");
  for (const file of await readdir(dist)) if (file.endsWith(".wasm")) await copyFile(join(dist, file), join(out, file));
  await copyFile(join(app.folder, "index.html"), join(out, "index.html"));
  await checkServed("esbuild-out");
});

test("it works without a bundler, from an import map", async () => {
  await mkdir(join(app.folder, "plain"), { recursive: true });
  const map = { imports: { everfold: "/everfold/index.js" } };
  const script = `<script type="importmap">${JSON.stringify(map)}</script>`;
  await app.write({ "plain/index.html": script + HTML, "plain/main.js": MAIN });
  const folders = { "/everfold/": "node_modules/everfold/dist", "/": "plain" };
  const server = await serve({ root: app.folder, folders });
  try {
    await checkKeepsEvents(server.url);
  } finally {
    await server.close();
  }
});
