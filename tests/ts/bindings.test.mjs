// The bindings in `examples/bindings` outside of a browser: they compile, are rendered on a server, and follow a store.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { EventStore } from "../../dist/index.js";
import { BINDINGS, bundled } from "./bindings.mjs";
import { newName, until } from "./check.mjs";
import { PROJECT } from "./programs.mjs";

const PROGRAMS = {
  react: `
    import { renderToString } from "react-dom/server";
    import { App } from "./react/app.tsx";
    export const rendered = (store) => renderToString(<App store={store} />);
  `,
  svelte: `
    import { render } from "svelte/server";
    import App from "./svelte/App.svelte";
    export const rendered = (store) => render(App, { props: { store } }).body;
    export { liveStore } from "./svelte/live-store.ts";
    export { get, derived } from "svelte/store";
    export { Votes } from "./poll.ts";
  `,
};

let programs;
before(async () => (programs = await bundled(PROGRAMS, "node")));
after(() => programs?.remove());

const program = (name) => import(pathToFileURL(join(programs.folder, `${name}.js`)));

test("the bindings compile", async () => {
  const compiling = promisify(execFile)(process.execPath, [join(PROJECT, "node_modules/typescript/bin/tsc"), "-p", BINDINGS]);
  await assert.doesNotReject(compiling.catch(({ stdout }) => Promise.reject(new Error(stdout))));
});

for (const name of Object.keys(PROGRAMS)) {
  test(`${name} renders on a server what is there before anything is known`, async () => {
    const { rendered } = await program(name);
    const store = await EventStore.open(newName(), { storage: "memory" });
    const text = rendered(store).replaceAll(/<!--.*?-->/g, "").replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ").trim();
    assert.equal(text, "tea: … coffee: … water: … …");
    await store.close();
  });
}

test("a store of Svelte's gives what a live value is, and derives from it, as long as somebody subscribes", async () => {
  const { liveStore, get, derived, Votes } = await program("svelte");
  const store = await EventStore.open(newName(), { storage: "memory" });
  const live = store.live(Votes, "votes-tea");
  const votes = liveStore(live);
  assert.equal(get(votes).status, "loading");
  const doubled = [];
  const stop = derived(votes, (now) => (now.status === "ready" ? 2 * now.value.state : undefined)).subscribe((value) => doubled.push(value));
  await until(() => doubled.at(-1) === 0);
  await store.execute(Votes, "votes-tea", "cast");
  await until(() => doubled.at(-1) === 2);
  stop();
  await store.execute(Votes, "votes-tea", "cast");
  await until(() => live.get().value?.state === 2);
  assert.deepEqual(doubled, [undefined, 0, 2]);
  await store.close();
});
