// The server of the demo, over a folder of its own: what it gives, with which headers, and what it must not give.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { serve } from "../../www/serve.mjs";

let root;
let server;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "everfold-server-"));
  await mkdir(join(root, "www"));
  await mkdir(join(root, "dist"));
  await writeFile(join(root, "secret.txt"), "secret");
  await writeFile(join(root, "www", "index.html"), "<!doctype html>");
  await writeFile(join(root, "dist", "everfold_bg.wasm"), "wasm");
  await writeFile(join(root, "dist", "index.js"), "export {};");
  server = await serve({ root });
});

after(async () => {
  await server?.close();
  await rm(root, { recursive: true, force: true });
});

/** Asks for a path as it is: `fetch` would tidy it first. */
function get(path, { method = "GET", headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const asked = request({ hostname, port, path, method, headers }, (response) => {
      let body = "";
      response.on("data", (part) => (body += part));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on("error", reject).end();
  });
}

const GIVEN = [
  ["/", "text/html; charset=utf-8", "<!doctype html>"],
  ["/index.html?a=b", "text/html; charset=utf-8", "<!doctype html>"],
  ["/dist/index.js", "text/javascript; charset=utf-8", "export {};"],
  ["/dist/everfold_bg.wasm", "application/wasm", "wasm"],
];

for (const [path, type, body] of GIVEN) {
  test(`${path} is given as ${type}, and to be asked for again`, async () => {
    const response = await get(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers["content-type"], type);
    assert.equal(response.headers["cache-control"], "no-cache");
    assert.equal(response.body, body);
  });
}

test("what a browser has and is still what was built is not sent again", async () => {
  const { etag } = (await get("/dist/index.js")).headers;
  const known = await get("/dist/index.js", { headers: { "if-none-match": etag } });
  assert.deepEqual([known.status, known.body], [304, ""]);
  const other = await get("/dist/index.js", { headers: { "if-none-match": '"0-0"' } });
  assert.deepEqual([other.status, other.body], [200, "export {};"]);
});

const REFUSED = ["/none", "/secret.txt", "/../secret.txt", "/..%2fsecret.txt", "/dist/..%2f..%2fsecret.txt", "/%00", "/%ff", "/dist"];

for (const path of REFUSED) {
  test(`${path} is not given`, async () => {
    const response = await get(path);
    assert.equal(response.status, 404);
    assert.doesNotMatch(response.body, /^secret$/);
  });
}

test("HEAD gives the length and no body; other methods are refused", async () => {
  const head = await get("/dist/everfold_bg.wasm", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "4", ""]);
  assert.equal((await get("/", { method: "POST" })).status, 405);
});

test("a taken port is refused when asked for, and the next one is taken where there is a choice", async () => {
  const port = Number(new URL(server.url).port);
  await assert.rejects(serve({ root, port }), { code: "EADDRINUSE" });
  const next = await serve({ root, port, portMax: port + 50 });
  assert.ok(Number(new URL(next.url).port) > port);
  await next.close();
});

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** What a program says with this PORT, and how it ends. */
function say(program, args, port) {
  const options = { cwd: PROJECT, env: { ...process.env, PORT: String(port) }, timeout: 120_000 };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

/** The ports that cannot be had, and what is said of each. */
const PORTS = [
  [() => new URL(server.url).port, /port (\d+) is in use; PORT=\d+ npm start would take another/],
  [() => "abc", /PORT is "abc"; a whole number up to 65535 is needed/],
  [() => "65536", /PORT is "65536"; a whole number/],
  [() => "-1", /PORT is "-1"; a whole number/],
  [() => "1.5", /PORT is "1.5"; a whole number/],
];

for (const [port, message] of PORTS) {
  test(`the demo refuses its port: ${message.source.slice(0, 14)}…`, async () => {
    for (const args of [[], ["--check"]]) {
      const { code, stdout, stderr } = await say(process.execPath, ["www/serve.mjs", ...args], port());
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
  });
}

test("a port that can be had is left alone by the check", async () => {
  assert.deepEqual(await say(process.execPath, ["www/serve.mjs", "--check"], 0), { code: 0, stdout: "", stderr: "" });
});

test("a port that cannot be had is said before anything is built", async () => {
  const { code, stdout, stderr } = await say("cargo", ["xtask", "start"], "abc");
  assert.equal(code, 1);
  assert.match(stderr, /^error: the demo cannot be served: PORT is "abc"/m);
  assert.doesNotMatch(stdout + stderr, /rustc/);
});
