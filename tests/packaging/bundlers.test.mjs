// The installed package goes through bundlers, by the recipes of docs/bundlers.md, and what they make keeps events in a browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { serve } from "../../www/serve.mjs";
import { openChromium } from "../e2e/chromium.mjs";
import { makeProfile } from "../e2e/program.mjs";
import { installApp, versionOf } from "./app.mjs";
import { ENV, make } from "./recipe.mjs";

const SERVER_TIMEOUT_MS = 60_000;

const HTML = `<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="./main.js"></script></body>`;
/** Everything that an app does, and all of the wasm that it loads for that. */
const USE = `
  export async function use({ EventStore, defineAggregate, defineProjection }) {
    const on = { ItemAdded: (cart, { data }) => data };
    const Cart = defineAggregate({ name: "cart", category: "cart", initial: () => ({ count: 0 }), evolve: { ItemAdded: { $inc: { count: 1 } } } });
    const store = await EventStore.open("app");
    await store.append("cart-1", [{ type: "ItemAdded", data: { sku: "a" } }]);
    const events = await store.read("cart-1").toArray();
    const states = [...(await store.loadAll(Cart)).values()].map(({ state }) => state);
    const carts = await store.project(defineProjection({ name: "carts", on, key: ({ stream }) => stream }));
    await carts.waitFor(store.position);
    const cart = await carts.get("cart-1");
    const count = await store.count({});
    await store.compact();
    await store.close();
    return { storage: store.storage, count, states, cart, types: events.map((event) => event.type) };
  }
`;
const MAIN = `
  import * as everfold from "everfold";
  import { use } from "./use.js";
  globalThis.outcome = use(everfold);
`;
/** What the page gives that was opened so many times. */
const outcomeAfter = (opened) => ({
  storage: "indexeddb",
  count: opened,
  states: [{ count: opened }],
  cart: { sku: "a" },
  types: Array(opened).fill("ItemAdded"),
});

let app;
let profile;
let browser;

before(async () => {
  app = await installApp();
  profile = makeProfile();
  browser = await openChromium(profile.path);
});

after(async () => {
  await browser?.close();
  profile?.remove();
  await app?.remove();
});

/** Makes a project of a recipe, of a page and of these files. */
const build = (name, files) => make(app, name, { "index.html": HTML, "dist/index.html": HTML, "use.js": USE, "main.js": MAIN, ...files });

/** Opens the page, loads it again, and expects what it appended each time. Every server has an origin of its own, and so a store. */
async function checkKeepsEvents(url) {
  const page = await browser.openPage(url);
  const outcome = () => page.run(() => globalThis.outcome);
  assert.deepEqual(await outcome(), outcomeAfter(1));
  await page.page.reload();
  assert.deepEqual(await outcome(), outcomeAfter(2));
  await page.close();
}

async function withServer(options, check) {
  const server = await serve(options);
  try {
    await check(server.url);
  } finally {
    await server.close();
  }
}

/** Serves what was built, with its own files alone. */
const checkServed = (folder, options = {}) => withServer({ root: folder, folders: { "/": "dist" }, ...options }, checkKeepsEvents);

/** Starts a command that serves, checks what it serves, and ends it with all that it has started. */
async function checkServing(command, folder, check) {
  const server = spawn("npx", command, { cwd: folder, env: ENV, detached: true });
  const ended = once(server, "close");
  try {
    await check(await told(server));
  } finally {
    process.kill(-server.pid);
    await ended;
  }
}

/** The address that a server prints. */
function told(server) {
  let said = "";
  return new Promise((resolve, reject) => {
    server.on("exit", () => reject(new Error(`the server ended: ${said}`)));
    setTimeout(() => reject(new Error(`the server names no address: ${said}`)), SERVER_TIMEOUT_MS).unref();
    for (const stream of [server.stdout, server.stderr]) {
      stream.on("data", (part) => {
        said += part;
        const [url] = /http:\/\/localhost:\d+/.exec(said) ?? [];
        if (url !== undefined) resolve(`${url}/`);
      });
    }
  });
}

const BUILDS = [
  ["vite-build", versionOf("vite")],
  ["webpack", versionOf("webpack")],
  ["rollup", versionOf("rollup")],
  ["esbuild", versionOf("esbuild")],
  ["parcel", versionOf("parcel")],
];
for (const [name, version] of BUILDS) test(`${version} builds it`, async () => checkServed(await build(name)));

test(`${versionOf("vite")} serves it while developing`, async () => {
  const folder = await app.project({ "index.html": HTML, "use.js": USE, "main.js": MAIN });
  await checkServing(["vite", "--port", "0"], folder, checkKeepsEvents);
});

test(`${versionOf("next")} builds and renders a page that has it, and serves it`, async () => {
  const folder = await build("next");
  await checkServing(["next", "start", "--port", "0"], folder, async (url) => {
    assert.match(await (await fetch(url)).text(), /<p>…<\/p>/, "the server renders the page without its events");
    const { page, close } = await browser.openPage(url);
    for (const shown of ["1 events", "2 events"]) {
      await page.waitForFunction((shown) => document.querySelector("p")?.textContent === shown, shown, { timeout: 30_000 });
      await page.reload();
    }
    await close();
  });
});

for (const entry of ["everfold", "everfold/inline"]) {
  const worker = `import * as everfold from "${entry}"; import { use } from "./use.js"; onmessage = async () => postMessage(await use(everfold));`;
  const main = `
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    globalThis.outcome = new Promise((resolve, reject) => Object.assign(worker, { onmessage: ({ data }) => resolve(data), onerror: reject }));
    worker.postMessage("begin");
  `;
  test(`${versionOf("vite")} builds a worker with ${entry}`, async () => checkServed(await build("vite-build", { "worker.js": worker, "main.js": main })));
}

for (const [name, version] of BUILDS.slice(0, 3)) {
  test(`${version} builds everfold/inline, and nothing is fetched`, async () => {
    const folder = await build(name, { "main.js": MAIN.replace('"everfold"', '"everfold/inline"') });
    await checkServed(folder, { headers: { "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'" } });
  });
}

test(`${versionOf("esbuild")} makes a script of everfold/inline that works from a file`, async () => {
  const folder = await build("script", { "index.html": HTML.replace('type="module" src="./', 'src="./dist/'), "main.js": MAIN.replace('"everfold"', '"everfold/inline"') });
  await checkKeepsEvents(pathToFileURL(join(folder, "index.html")).href);
});

test(`${versionOf("esbuild")} makes a script of the recipe's own`, async () => {
  const folder = await make(app, "script", { "index.html": '<!doctype html><script src="./dist/main.js" defer></script>' });
  const { page, close } = await browser.openPage(pathToFileURL(join(folder, "index.html")).href);
  for (const shown of ["1 events", "2 events"]) {
    await page.waitForFunction((shown) => document.body?.textContent === shown, shown, { timeout: 30_000 });
    await page.reload();
  }
  await close();
});

test(`${versionOf("vite")} builds everfold/slim`, async () => {
  const main = `import "./wasm.js"; ${MAIN.replace('"everfold"', '"everfold/slim"')}`;
  await checkServed(await build("slim", { "main.js": main }));
});

/** A page without a bundler: what it imports is found by an import map. */
async function checkPlain(main, headers = {}) {
  const imports = { everfold: "/everfold/index.js", "everfold/inline": "/everfold/inline.js", "everfold/slim": "/everfold/slim.js" };
  const html = `<script type="importmap">${JSON.stringify({ imports })}</script>${HTML}`;
  await app.write({ "plain/index.html": html, "plain/main.js": main, "plain/use.js": USE });
  const folders = { "/everfold/": "node_modules/everfold/dist", "/": "plain" };
  await withServer({ root: app.folder, folders, headers }, checkKeepsEvents);
}

test("it works without a bundler, from an import map", () => checkPlain(MAIN));

test("everfold/inline works without a bundler", () => checkPlain(MAIN.replace('"everfold"', '"everfold/inline"')));

const PLAIN_INPUTS = {
  "the URL of the first module": "init('/everfold/everfold_bg.wasm')",
  "a response that is to come": "init(fetch('/everfold/everfold_bg.wasm'))",
  "functions that fetch": "init(() => fetch('/everfold/everfold_bg.wasm'), { supplements: (name) => fetch(`/everfold/everfold_${name}.wasm`) })",
  "bytes and compiled modules": `
    const bytes = async (name) => (await fetch(\`/everfold/everfold_\${name}.wasm\`)).arrayBuffer();
    init(await bytes("bg"), { supplements: async (name) => WebAssembly.compile(await bytes(name)) });
  `,
};
for (const [input, text] of Object.entries(PLAIN_INPUTS)) {
  test(`everfold/slim works without a bundler, given ${input}`, () =>
    checkPlain(`
      import * as everfold from "everfold/slim";
      import { use } from "./use.js";
      globalThis.outcome = (async () => { const { init } = everfold; ${text}; return use(everfold); })();
    `));
}

test("entries that meet in a page have one store between them", () =>
  checkPlain(`
    import * as everfold from "everfold";
    import * as inline from "everfold/inline";
    import * as slim from "everfold/slim";
    import { use } from "./use.js";
    if (everfold.EventStore !== inline.EventStore || inline.EventStore !== slim.EventStore) throw new Error("there are several");
    globalThis.outcome = use(everfold);
  `));
