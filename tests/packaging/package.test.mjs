// What npm ships, and that it works in Node and under TypeScript as it is installed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { publint } from "publint";

import { installApp, run, toolPath, versionOf } from "./app.mjs";

let app;

before(async () => {
  app = await installApp();
});

after(() => app?.remove());

const KINDS = [
  /^dist\/[\w/-]+\.(js|d\.ts)$/,
  /^dist\/everfold_bg\.wasm(\.d\.ts)?$/,
  /^dist\/everfold_(compaction|inquiries|folding|projections|memory|consumers)\.wasm$/,
  /^LICENSE(-MIT|-APACHE)?$/,
  /^(README|FORMAT|CHANGELOG)\.md$/,
  /^package\.json$/,
];

test("the package holds what was built, the licences and the guides, and nothing else", () => {
  const strays = app.files.filter((file) => !KINDS.some((kind) => kind.test(file)));
  assert.deepEqual(strays, []);
  for (const file of ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist/everfold_bg.wasm"]) {
    assert.ok(app.files.includes(file), `${file} is missing`);
  }
});

test("every file that package.json points to is there", async () => {
  const installed = join(app.folder, "node_modules/everfold/package.json");
  const { exports: entries, types } = JSON.parse(await readFile(installed, "utf8"));
  const targets = Object.values(entries).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
  for (const target of [types, ...targets]) {
    assert.ok(app.files.includes(target.replace("./", "")), `${target} is missing`);
  }
});

test(`${versionOf("publint")} finds nothing to say`, async () => {
  const { messages } = await publint({ pkgDir: join(app.folder, "node_modules/everfold"), strict: true });
  assert.deepEqual(messages, []);
});

test(`${versionOf("@arethetypeswrong/cli")} finds the types of every entry`, async () => {
  const script = fileURLToPath(new URL("node_modules/@arethetypeswrong/cli/dist/index.js", import.meta.url));
  const { exports: entries } = JSON.parse(await readFile(join(app.folder, "node_modules/everfold/package.json"), "utf8"));
  const wasm = Object.keys(entries).filter((entry) => entry.endsWith(".wasm"));
  // The package is for who imports modules: what `require` would find, and compilers of before there were exports, is not asked.
  await run("node", [script, app.tarball, "--profile", "esm-only", "--exclude-entrypoints", ...wasm]);
});

test("importing it in Node does nothing and prints nothing", async () => {
  await app.write({
    "import.mjs": `
      const before = Object.keys(globalThis).length;
      for (const entry of ["everfold", "everfold/inline", "everfold/slim", "everfold/whole", "everfold/rust", "everfold/testing"]) await import(entry);
      if (Object.keys(globalThis).length !== before) throw new Error("it leaves a global");
    `,
  });
  assert.equal(await run("node", ["import.mjs"], { cwd: app.folder }), "");
});

const ENTRIES = {
  everfold: "",
  "everfold/inline": "",
  "everfold/slim": `init(new URL(import.meta.resolve("everfold/everfold.wasm")));`,
};
for (const [entry, preparing] of Object.entries(ENTRIES)) test(`a store in memory works in Node, imported from ${entry}`, async () => {
  await app.write({
    "memory.mjs": `
      import * as everfold from "${entry}";
      const { EventStore, init } = everfold;
      ${preparing}
      const store = await EventStore.open("app", { storage: "memory" });
      await store.append("cart-1", [{ type: "ItemAdded", data: { sku: "a" } }]);
      const events = await store.read("cart-1").toArray();
      console.log(JSON.stringify(events.map(({ type, data, position }) => ({ type, data, position }))));
      await store.compact();
      await store.close();
    `,
  });
  const printed = await run("node", ["memory.mjs"], { cwd: app.folder });
  assert.deepEqual(JSON.parse(printed), [{ type: "ItemAdded", data: { sku: "a" }, position: 1 }]);
});

test("a history says what changed, and rules are tested, with what was installed", async () => {
  await app.write({
    "fold.mjs": `
      import { defineAggregate } from "everfold";
      import { given, openTestStore } from "everfold/testing";
      const Count = defineAggregate({ name: "count", initial: () => 0, evolve: (count) => count + 1, decide: () => ({ type: "Counted" }) });
      given(Count, { type: "Counted" }).when("count").thenEvents({ type: "Counted" }).thenState(2);
      const store = await openTestStore();
      await store.execute(Count, "s", "count");
      for await (const { patch } of store.history(Count, "s", { diff: true })) console.log(JSON.stringify(patch));
      await store.close();
    `,
  });
  assert.equal(await run("node", ["fold.mjs"], { cwd: app.folder }), '[{"op":"replace","path":"","value":1}]\n');
});

test("an aggregate in Rust is refused where the wasm is everfold's own, with what to do", async () => {
  await app.write({
    "rust.mjs": `
      import { EventStore } from "everfold";
      import { rustAggregate } from "everfold/rust";
      const store = await EventStore.open("app", { storage: "memory" });
      await store.load(rustAggregate({ name: "account" }), "account-1").catch(({ code, path, problem }) => console.log(code, path, problem));
      await store.close();
    `,
  });
  const printed = await run("node", ["rust.mjs"], { cwd: app.folder });
  assert.match(printed, /^INVALID_ARGUMENT aggregate\.name .*everfold's own has none, and useWasm\(\)/);
});

const RESOLUTIONS = [
  ["NodeNext", "NodeNext"],
  ["ESNext", "Bundler"],
];

for (const [module, moduleResolution] of RESOLUTIONS) {
  test(`its types are found and sound with moduleResolution ${moduleResolution}`, async () => {
    const compilerOptions = { module, moduleResolution, target: "ES2022", lib: ["ES2022", "DOM", "ESNext.Disposable"] };
    const options = { ...compilerOptions, strict: true, noEmit: true, skipLibCheck: false, types: [] };
    await app.write({
      "tsconfig.json": JSON.stringify({ compilerOptions: options, files: ["use.ts"] }),
      "use.ts": `
        import { EventStore, defineEvents, eventType } from "everfold";
        import { rustAggregate } from "everfold/rust";
        import { init } from "everfold/slim";
        import { openTestStore } from "everfold/testing";
        await openTestStore();
        rustAggregate<{ balance: number }, { amount: number }>({ name: "account" }).initial().balance;
        init("/everfold.wasm", { supplements: (name) => fetch(\`/everfold_\${name}.wasm\`) });
        init(() => fetch("/everfold.wasm"), { supplements: { compaction: "/c.wasm", inquiries: new URL("https://a/i.wasm"), folding: fetch("/f"), projections: () => new Uint8Array(8), memory: "/m.wasm", consumers: "/n.wasm" } });
        // @ts-expect-error one is missing
        init("/everfold.wasm", { supplements: { compaction: "/c.wasm", inquiries: "/i.wasm", folding: "/f.wasm" } });
        const events = defineEvents({ Deposited: eventType<{ amount: number }>() });
        const store = await EventStore.open("app", { events });
        await store.append("account-1", [{ type: "Deposited", data: { amount: 1 } }]);
        // @ts-expect-error an amount is a number
        await store.append("account-1", [{ type: "Deposited", data: { amount: "1" } }]);
      `,
    });
    await run("node", [toolPath("typescript/bin/tsc"), "-p", "tsconfig.json"], { cwd: app.folder });
  });
}
