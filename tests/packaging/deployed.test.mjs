// The package where it is served in earnest: to a service worker, without a network, under a policy, and by a server that lacks a file.

import assert from "node:assert/strict";
import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { serve } from "../../www/serve.mjs";
import { openChromium } from "../e2e/chromium.mjs";
import { makeProfile } from "../e2e/program.mjs";
import { installApp, versionOf } from "./app.mjs";
import { make, recipe } from "./recipe.mjs";

const PAGE = `<!doctype html><link rel="icon" href="data:,"><body></body>`;
const HTML = `${PAGE}<script type="module" src="./main.js"></script>`;
const MAIN = `
  import { EventStore } from "everfold";
  globalThis.run = async () => {
    const store = await EventStore.open("app");
    await store.append("cart-1", { type: "ItemAdded" });
    await store.compact();
    const count = await store.count({});
    await store.close();
    return count;
  };
`;
const INLINE = MAIN.replace('"everfold"', '"everfold/inline"');

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

/** Makes a project, serves it until it is stopped, and opens it. */
async function withPage(name, files, headers, check) {
  const folder = await make(app, name, { "dist/index.html": HTML, "main.js": MAIN, ...files });
  const server = await serve({ root: folder, folders: { "/": "dist" }, headers });
  let stopping;
  const stop = () => (stopping ??= server.close());
  try {
    const page = await browser.openPage(server.url);
    await check(page, stop);
    await page.close();
  } finally {
    await stop();
  }
}

test("the recipe for pages without a network keeps every module of the wasm", async () => {
  const { files } = recipe("offline");
  const [, list] = /MODULES = \[(.*?)\]/.exec(files["dist/sw.js"]);
  const modules = (await readdir(new URL("../../dist", import.meta.url))).map((file) => /^everfold_(\w+)\.wasm$/.exec(file)?.[1]);
  assert.deepEqual([...list.matchAll(/"(\w+)"/g)].map(([, name]) => name), modules.filter((name) => name !== undefined).sort());
});

/** What has a service worker answer each message with what `run` gives. */
const ANSWER = `
  onactivate = (event) => event.waitUntil(clients.claim());
  onmessage = (event) => event.waitUntil(run().then((count) => event.source.postMessage(count)));
`;

/** Registers a service worker, and waits until it has this page. */
async function register({ script, type }) {
  await navigator.serviceWorker.register(script, { type });
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
}

/** Has the service worker append, and gives what it answers. */
function ask() {
  return new Promise((resolve) => {
    navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
    navigator.serviceWorker.controller.postMessage({ type: "Noted" });
  });
}

const esbuild = versionOf("esbuild");

test(`${esbuild} bundles everfold/inline for a service worker, which keeps events`, () =>
  withPage("service-worker", { "dist/index.html": PAGE }, {}, async ({ page, run }) => {
    await run(register, { script: "./sw.js", type: "classic" });
    assert.equal(await run(ask), 1);
    await page.reload();
    assert.equal(await run(ask), 2);
  }));

test(`${esbuild} bundles everfold for a service worker that is a module, and fetches the wasm`, () =>
  withPage("esbuild", { "dist/index.html": PAGE, "main.js": `${MAIN} ${ANSWER}` }, {}, async ({ run, page }) => {
    await run(register, { script: "./main.js", type: "module" });
    assert.equal(await run(ask), 1);
    await page.reload();
    assert.equal(await run(ask), 2);
  }));

test("a service worker that is a module and not bundled has all of the JavaScript from everfold/whole", async () => {
  const script = `
    import "./everfold/whole.js";
    import { EventStore, defineAggregate } from "./everfold/index.js";
    const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1, decide: () => ({ type: "Counted" }) });
    const run = async () => {
      const store = await EventStore.open("app");
      await store.execute(Count, "count-1", "count");
      const { state } = await store.load(Count, "count-1");
      await store.close();
      return state;
    };
    ${ANSWER}
  `;
  const folder = await app.project({ "dist/index.html": PAGE, "dist/sw.js": script });
  await cp(join(folder, "node_modules/everfold/dist"), join(folder, "dist/everfold"), { recursive: true });
  const server = await serve({ root: folder, folders: { "/": "dist" } });
  try {
    const { run, page, close } = await browser.openPage(server.url);
    await run(register, { script: "./sw.js", type: "module" });
    assert.equal(await run(ask), 1);
    await page.reload();
    assert.equal(await run(ask), 2);
    await close();
  } finally {
    await server.close();
  }
});

test("a page whose files a service worker keeps works without a server, with all that it needs", () =>
  withPage("offline", {}, {}, async ({ page, run }, stop) => {
    assert.equal(await run(() => globalThis.run()), 1);
    await run(() => navigator.serviceWorker.register("./sw.js").then(() => navigator.serviceWorker.ready).then(() => undefined));
    await stop();
    await page.reload();
    assert.equal(await run(() => globalThis.run()), 2);
  }));

const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
const POLICIES = [
  ["everfold", MAIN, `${STRICT}; connect-src 'self'`],
  ["everfold/inline", INLINE, STRICT],
];
for (const [entry, main, policy] of POLICIES) {
  test(`${entry} works under the policy ${policy}`, () =>
    withPage("esbuild", { "main.js": main }, { "content-security-policy": policy }, async ({ run }) => {
      assert.equal(await run(() => globalThis.run()), 1);
    }));

  test(`${entry} says what it needs where the policy lacks it`, () =>
    withPage("esbuild", { "main.js": main }, { "content-security-policy": policy.replace(" 'wasm-unsafe-eval'", "") }, ({ run }) =>
      assert.rejects(() => run(() => globalThis.run()), { code: "WASM_UNAVAILABLE", retryable: true, message: /script-src needs 'wasm-unsafe-eval'/ }),
    ));
}

const ABSENT = {
  "answers that there is none": { status: 404, contentType: "text/plain", body: "not found" },
  "gives the page in its place": { status: 200, contentType: "text/html", body: PAGE },
};
for (const [how, response] of Object.entries(ABSENT)) {
  test(`a server that lacks the wasm and ${how} is told apart, and the store opens once it is there`, () =>
    withPage("esbuild", {}, {}, async ({ page, run }) => {
      await page.route("**/*.wasm", (route) => route.fulfill(response));
      const wanted = { code: "WASM_UNAVAILABLE", retryable: true, message: /everfold_bg\.wasm is answered with .* copy node_modules\/everfold\/dist\/\*\.wasm/ };
      await assert.rejects(() => run(() => globalThis.run()), wanted);
      await page.unroute("**/*.wasm");
      assert.equal(await run(() => globalThis.run()), 1);
    }));

  test(`a supplement that the server lacks: it ${how}, and the call says what to do`, () =>
    withPage("esbuild", {}, {}, async ({ page, run }) => {
      await page.route("**/everfold_compaction.wasm", (route) => route.fulfill(response));
      const wanted = { code: "SUPPLEMENT_UNAVAILABLE", supplement: "compaction", message: /everfold_compaction\.wasm is answered with .* copy node_modules/ };
      await assert.rejects(() => run(() => globalThis.run()), wanted);
    }));
}

test("everfold/slim says what is wrong with what init is given, and what to do without it", async () => {
  const slim = `
    import * as slim from "everfold/slim";
    globalThis.slim = slim;
    globalThis.run = () => slim.EventStore.open("app");
  `;
  await withPage("esbuild", { "main.js": slim }, {}, async ({ run }) => {
    await assert.rejects(() => run(() => globalThis.run()), { code: "WASM_UNAVAILABLE", message: /call init\(\) of "everfold\/slim"/ });
    const refused = async (call, path) => {
      const error = await run(call).then(() => assert.fail("it was not refused"), (error) => error);
      assert.deepEqual([error.code, error.path], ["INVALID_ARGUMENT", path]);
    };
    await refused(() => globalThis.slim.init(), "wasm");
    await refused(() => globalThis.slim.init({}), "wasm");
    await refused(() => globalThis.slim.init("/a.wasm", { supplement: {} }), "options.supplement");
    await refused(() => globalThis.slim.init("/a.wasm", { supplements: { compaction: "/b.wasm" } }), "options.supplements.inquiries");
    await refused(() => globalThis.slim.init(new ArrayBuffer(8)), "options.supplements");
    await run(() => globalThis.slim.init("./everfold_bg.wasm"));
    await run(async () => (await globalThis.run()).close());
  });
});
