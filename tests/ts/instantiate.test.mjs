// How the wasm gets into a page, by servers that say what it is, and by others.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { imports } from "../../dist/everfold.js";
import { instantiate } from "../../dist/instantiate.js";

const FILE = new URL("../../dist/everfold_bg.wasm", import.meta.url);
const REMOTE = new URL("https://example.invalid/everfold_bg.wasm");
const wasm = await readFile(FILE);

/** Instantiates what a server answers. Gives what came of it, how often it was compiled as it came, and the warnings. */
async function load(body, init) {
  const answered = [];
  const { fetch } = globalThis;
  const { warn } = console;
  const { instantiateStreaming } = WebAssembly;
  let streamed = 0;
  const warnings = [];
  globalThis.fetch = async (url) => (answered.push(url), new Response(body, init));
  console.warn = (text) => warnings.push(text);
  WebAssembly.instantiateStreaming = (...values) => ((streamed += 1), instantiateStreaming(...values));
  try {
    const outcome = await instantiate(REMOTE, imports()).then((instance) => instance, (error) => error);
    assert.deepEqual(answered, [REMOTE.href]);
    return { outcome, streamed, warnings };
  } finally {
    Object.assign(globalThis, { fetch });
    Object.assign(console, { warn });
    Object.assign(WebAssembly, { instantiateStreaming });
  }
}

test("a module that is served as one is compiled while it arrives", async () => {
  const { outcome, streamed, warnings } = await load(wasm, { headers: { "Content-Type": "application/wasm" } });
  assert.ok(outcome instanceof WebAssembly.Instance, String(outcome));
  assert.deepEqual([streamed, warnings], [1, []]);
});

for (const type of ["application/octet-stream", "application/wasm; charset=utf-8", undefined]) {
  test(`a module that is served as ${type} is loaded all the same, with a warning`, async () => {
    const { outcome, streamed, warnings } = await load(wasm, { headers: type === undefined ? {} : { "Content-Type": type } });
    assert.ok(outcome instanceof WebAssembly.Instance, String(outcome));
    assert.deepEqual([streamed, warnings.length], [0, 1]);
    assert.match(warnings[0], /application\/wasm/);
  });
}

// Servers of single pages give their page for whatever is not there.
for (const [what, body, init] of [
  ["404", "lost", { status: 404, statusText: "Not Found" }],
  ["200 and text/html", "<!doctype html>", { headers: { "Content-Type": "text/html" } }],
]) {
  test(`an answer of ${what} in place of the module is named, with what to do`, async () => {
    const { outcome } = await load(body, init);
    assert.match(outcome.message, new RegExp(`is answered with ${what}.*copy .*wasm`));
  });
}

test("an answer that is no module is refused", async () => {
  const { outcome } = await load("<html>", { headers: { "Content-Type": "application/wasm" } });
  assert.ok(outcome instanceof WebAssembly.CompileError, String(outcome));
});

test("a module in a file is read by Node", async () => {
  assert.ok((await instantiate(FILE, imports())) instanceof WebAssembly.Instance);
});
