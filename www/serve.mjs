// Serves the demo: `www/` at the root of the address, and what was built, `dist/`, beside it.
// Run it as `npm start`, which builds first.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));

/** Each folder that is served, by the beginning of the address; the first that fits is taken. */
const FOLDERS = { "/dist/": "dist", "/": "www" };

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".ts": "text/plain; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

const PORT_DEFAULT = 5173;
const PORT_MAX = 65_535;

/**
 * Starts a server on this machine only.
 *
 * @param {object} [options]
 * @param {string} [options.root] the folder in which `www` and `dist` stand; the project's by default
 * @param {Record<string, string>} [options.folders] each folder that is served, by the beginning of the address
 * @param {Record<string, string>} [options.headers] what is said with every file, beside its type
 * @param {number} [options.port] 0, the default, takes any free one
 * @param {number} [options.portMax] if given, the last of the ports to try, one after another, from `port`
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serve({ root = PROJECT, folders = FOLDERS, headers = {}, port = 0, portMax = port } = {}) {
  const server = createServer((request, response) => {
    answer({ root, folders, headers }, request, response).catch(() => response.destroy());
  });
  const taken = await listen(server, port, portMax);
  return {
    url: `http://localhost:${taken}/`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function answer(places, request, response) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const path = locate(places, request.url);
  const info = path && (await stat(path).catch(() => undefined));
  if (!info?.isFile()) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    return;
  }
  // What was just built must be what is seen: a browser asks whether what it has is that still, and then need not load it.
  const version = `"${info.size}-${info.mtimeMs}"`;
  const headers = { ...places.headers, "cache-control": "no-cache", etag: version };
  if (request.headers["if-none-match"] === version) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-length": info.size,
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(path), response);
}

/** The file that an address names, or undefined where it names none inside of the folders. */
function locate({ root, folders }, url) {
  let address;
  try {
    address = decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return undefined;
  }
  if (address.includes("\0")) return undefined;
  if (address.endsWith("/")) address += "index.html";
  const prefix = Object.keys(folders).find((each) => address.startsWith(each));
  const folder = join(root, folders[prefix]);
  const path = normalize(join(folder, address.slice(prefix.length)));
  return path.startsWith(folder + sep) ? path : undefined;
}

async function listen(server, port, portMax) {
  try {
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "localhost", () => {
        server.off("error", reject);
        resolve();
      });
    });
    return server.address().port;
  } catch (error) {
    if (error.code !== "EADDRINUSE" || port >= portMax) throw error;
    return listen(server, port + 1, portMax);
  }
}

/** A port that was asked for is taken or refused; the default one gives way to what runs already. */
function askedPorts() {
  const asked = process.env.PORT;
  if (!asked) return { port: PORT_DEFAULT, portMax: PORT_DEFAULT + 100 };
  if (/^\d+$/.test(asked) && Number(asked) <= PORT_MAX) return { port: Number(asked) };
  throw new Error(`PORT is "${asked}"; a whole number up to ${PORT_MAX} is needed, as in PORT=8080 npm start`);
}

/** Serves the demo, or with `--check` only sees whether it could, which is to be known before it is built. */
async function main() {
  const { url, close } = await serve(askedPorts()).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Error(`port ${error.port} is in use; PORT=${error.port + 1} npm start would take another`);
  });
  if (process.argv.includes("--check")) return close();
  console.log(`everfold's demo is at ${url} (Ctrl+C ends it)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`error: the demo cannot be served: ${error.message}`);
    process.exitCode = 1;
  });
}
