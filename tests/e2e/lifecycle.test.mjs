// Stores that are closed, destroyed, cut off and out of room, in Chromium.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE, serveTests } from "./server.mjs";

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

const openPage = () => browser.openPage(server.url + BARE_PAGE);

async function exists(name) {
  return everfold.EventStore.exists(name);
}

test("a store exists from its first opening until it is destroyed", async () => {
  const page = await openPage();
  assert.equal(await page.run(exists, "existing"), false);
  await page.run(async (name) => (await everfold.EventStore.open(name)).close(), "existing");
  assert.equal(await page.run(exists, "existing"), true);
  await page.run((name) => everfold.EventStore.destroy(name), "existing");
  assert.equal(await page.run(exists, "existing"), false);
  await page.run((name) => everfold.EventStore.destroy(name), "existing");
  await page.close();
});

test("closing waits for the appends under way, and later calls say that the store is closed", async () => {
  const page = await openPage();
  const found = await page.run(async (name) => {
    const store = await everfold.EventStore.open(name);
    let acknowledged = 0;
    for (let number = 0; number < 300; number += 1) {
      void store.append("closing", { type: "Noted", data: { number } }).then(() => (acknowledged += 1));
    }
    await store.close();
    const atClose = acknowledged;
    const later = await store.append("closing", { type: "Noted" }).then(() => "appended", (error) => error.code);
    const read = await store.read("closing").toArray().then(() => "read", (error) => error.code);
    const again = await everfold.EventStore.open(name);
    const events = await again.read("closing").toArray();
    await again.close();
    return { atClose, later, read, numbers: events.map((event) => event.data.number) };
  }, "closing");
  assert.deepEqual(found, { atClose: 300, later: "CLOSED", read: "CLOSED", numbers: [...Array(300).keys()] });
  await page.close();
});

test("destroying a store closes it in every tab, and each can open a new one", async () => {
  const [owner, other] = [await openPage(), await openPage()];
  const append = async (name) => {
    globalThis.store = await everfold.EventStore.open(name);
    return (await store.append("a", { type: "Noted" })).lastRevision;
  };
  assert.equal(await owner.run(append, "destroyed"), 0);
  assert.equal(await other.run(append, "destroyed"), 1);
  await owner.run((name) => everfold.EventStore.destroy(name), "destroyed");
  const codes = async () => {
    const calls = [
      () => store.append("a", { type: "Noted" }),
      () => store.read("a").toArray(),
      () => store.streamInfo("a"),
      () => store.stats(),
    ];
    return Promise.all(calls.map((call) => call().then(() => "no error", (error) => error.code)));
  };
  const closed = ["CLOSED", "CLOSED", "CLOSED", "CLOSED"];
  assert.deepEqual(await owner.run(codes), closed);
  assert.deepEqual(await other.run(codes), closed);
  assert.equal(await other.run(exists, "destroyed"), false);
  // The old handles were not closed by their owners.
  assert.equal(await other.run(append, "destroyed"), 0);
  assert.equal(await owner.run(append, "destroyed"), 1);
  await owner.close();
  await other.close();
});

test("a store that is destroyed while it opens is opened anew, or can be tried again", async () => {
  const [opener, destroyer] = [await openPage(), await openPage()];
  await destroyer.run(async (name) => {
    globalThis.isOver = false;
    globalThis.destroying = (async () => {
      for (; !globalThis.isOver; ) await everfold.EventStore.destroy(name);
    })();
  }, "contested");
  const found = await opener.run(async (name) => {
    const end = performance.now() + 2_000;
    const found = new Set();
    while (performance.now() < end) {
      try {
        const store = await everfold.EventStore.open(name);
        found.add("opened");
        await store.close();
      } catch ({ code, retryable }) {
        found.add(`${code} ${retryable}`);
      }
    }
    return [...found];
  }, "contested");
  await destroyer.run(() => ((globalThis.isOver = true), globalThis.destroying));
  assert.deepEqual(found.filter((each) => !["opened", "STORAGE_UNAVAILABLE true"].includes(each)), []);
  await opener.run(async (name) => (await everfold.EventStore.open(name)).close(), "contested");
  await opener.close();
  await destroyer.close();
});

test("a tab whose wasm has trapped is not in the way of who destroys the store", async () => {
  const [victim, other] = [await openPage(), await openPage()];
  const code = await victim.run(async (name) => {
    const { Engine } = await import("/dist/everfold.js");
    globalThis.store = await everfold.EventStore.open(name);
    await store.append("a", { type: "Noted" });
    const pending = store.append("a", { type: "Noted" }).then(() => "appended", (error) => error.code);
    await Promise.resolve();
    try {
      // A pointer beyond the memory of the wasm, which is no call of the facade.
      Reflect.get(Engine.prototype, "position", { __wbg_ptr: 0xffff_ff00 });
    } catch {}
    return pending;
  }, "trapped");
  assert.equal(code, "INTERNAL");
  await other.run((name) => everfold.EventStore.destroy(name), "trapped");
  assert.equal(await other.run(exists, "trapped"), false);
  await victim.close();
  await other.close();
});

test("a tab whose wasm stops between the writes of a commit leaves nothing of it", async () => {
  const [victim, other] = [await openPage(), await openPage()];
  const stopped = await victim.run(async (name) => {
    const store = await everfold.EventStore.open(name);
    await store.append("a", { type: "Noted" });
    const text = () => Array.from(crypto.getRandomValues(new Uint32Array(16_000)), String).join();
    const appends = [text(), text(), text()].map((data) => ({ type: "Noted", data }));
    const { add } = IDBObjectStore.prototype;
    const { Uint8Array } = globalThis;
    let [addCount, stopCount] = [0, 0];
    IDBObjectStore.prototype.add = function (...values) {
      addCount += 1;
      // There is no memory for what is to be written next, which nothing in the wasm is prepared for.
      globalThis.Uint8Array = function () {
        globalThis.Uint8Array = Uint8Array;
        stopCount += 1;
        throw new RangeError("Array buffer allocation failed");
      };
      return add.apply(this, values);
    };
    const outcomes = appends.map((event) => store.append("a", event).then(() => "appended", (error) => error.code));
    return { codes: await Promise.all(outcomes), addCount, stopCount };
  }, "stopped");
  assert.deepEqual(stopped, { codes: ["INTERNAL", "INTERNAL", "INTERNAL"], addCount: 1, stopCount: 1 });
  const kept = await other.run(async (name) => {
    const store = await everfold.EventStore.open(name);
    const { lastPosition } = await store.append("a", { type: "Noted" });
    return { lastPosition, count: (await store.readAll().toArray()).length };
  }, "stopped");
  assert.deepEqual(kept, { lastPosition: 2, count: 2 });
  await victim.close();
  await other.close();
});

test("of a tab that dies amid its appends every acknowledged commit is there, and every commit whole or absent", async () => {
  const survivor = await openPage();
  const victim = await openPage();
  await survivor.run(async (name) => {
    globalThis.acknowledged = [];
    new BroadcastChannel(name).addEventListener("message", ({ data }) => globalThis.acknowledged.push(data));
  }, "cut-off");
  const crashed = new Promise((resolve) => victim.page.on("crash", resolve));
  await victim.run(async (name) => {
    const store = await everfold.EventStore.open(name);
    const channel = new BroadcastChannel(name);
    let commit = 0;
    const append = async () => {
      const number = commit++;
      const events = [0, 1, 2].map((part) => ({ type: "Noted", data: { commit: number, part, filling: "x".repeat(500) } }));
      await store.append(`stream-${number % 7}`, events);
      channel.postMessage(number);
      void append();
    };
    // So many are under way at any moment.
    for (let many = 0; many < 40; many += 1) void append();
  }, "cut-off");
  await survivor.run(async () => {
    while (globalThis.acknowledged.length < 400) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  const session = await browser.context.newCDPSession(victim.page);
  // The browser ends the process of the tab at once.
  void session.send("Page.navigate", { url: "chrome://kill" }).catch(() => {});
  await crashed;
  const { commits, lastPosition, acknowledged } = await survivor.run(async (name) => {
    const store = await everfold.EventStore.open(name);
    const commits = {};
    for await (const { data } of store.readAll()) (commits[data.commit] ??= []).push(data.part);
    // Nothing of the dead tab is in the way.
    const { lastPosition } = await store.append("survivor", { type: "Noted" }, { expected: "noStream" });
    return { commits, lastPosition, acknowledged: globalThis.acknowledged };
  }, "cut-off");
  for (const commit of acknowledged) assert.ok(commit in commits, `commit ${commit} was acknowledged, and is not there`);
  for (const [commit, parts] of Object.entries(commits)) assert.deepEqual(parts, [0, 1, 2], `commit ${commit}`);
  assert.equal(lastPosition, 3 * Object.keys(commits).length + 1);
  await victim.page.close();
  await survivor.close();
});

test("out of room nothing of the append is written, reading goes on, and with more room appending does", async () => {
  // A browser of its own: Chromium asks for the room of an origin now and then, not for each write.
  const own = makeProfile();
  const cramped = await openChromium(own.path);
  try {
    const page = await cramped.openPage(server.url + BARE_PAGE);
    const session = await cramped.context.newCDPSession(page.page);
    const origin = new URL(server.url).origin;
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 3_000_000 });
    const { appended, error } = await page.run(fill, { name: "full", count: 500 });
    assert.equal(error?.code, "QUOTA_EXCEEDED");
    assert.ok(0 < appended);
    assert.ok(0 < error.usage && 0 < error.quota, `${error.usage} of ${error.quota}`);
    assert.equal(await page.run(countFilled), appended);
    assert.equal((await page.run(fill, { name: "full", count: 1 })).error?.code, "QUOTA_EXCEEDED");

    await session.send("Storage.overrideQuotaForOrigin", { origin });
    assert.deepEqual(await page.run(fill, { name: "full", count: 5 }), { appended: 5 });
    assert.equal(await page.run(countFilled), appended + 5);
  } finally {
    await cramped.close();
    own.remove();
  }
});

/** Appends large events until there is no room, or so many are there. */
async function fill({ name, count }) {
  globalThis.store ??= await everfold.EventStore.open(name);
  // Text that cannot be compressed.
  const filling = () => Array.from(crypto.getRandomValues(new Uint8Array(40_000)), (byte) => String.fromCharCode(33 + (byte % 90))).join("");
  let appended = 0;
  try {
    for (; appended < count; appended += 1) await store.append("filled", { type: "Filled", data: { filling: filling() } });
    return { appended };
  } catch ({ code, retryable, usage, quota, message }) {
    return { appended, error: { code, retryable, usage, quota, message } };
  }
}

async function countFilled() {
  return (await store.read("filled").toArray()).length;
}
