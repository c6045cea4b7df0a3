import type { WasmInput } from "./wasm-modules.js";

/** The name by which servers say that something is WebAssembly. */
const WASM_TYPE = "application/wasm";

/** Loads a module and makes an instance of it. What it throws says what to do. */
export async function instantiate(given: WasmInput | PromiseLike<WasmInput>, imports: WebAssembly.Imports): Promise<WebAssembly.Instance> {
  const wasm = await given;
  try {
    if (kindOf(wasm) === "Module") return await WebAssembly.instantiate(wasm as WebAssembly.Module, imports);
    return (await makeInstance(wasm as Exclude<WasmInput, WebAssembly.Module>, imports)).instance;
  } catch (error) {
    throw advised(error);
  }
}

/** What an object is, by the name of its class, in whatever frame it was made: `Module`, `Response`, `URL`. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1).replace("WebAssembly.", "");
}

/** Whether a module can be had from this. */
export function isWasmInput(value: unknown): value is WasmInput {
  return typeof value === "string" || ArrayBuffer.isView(value) || ["ArrayBuffer", "Module", "Response", "URL"].includes(kindOf(value));
}

/** A module in a file is read by Node, whose `fetch` does not. */
async function makeInstance(wasm: Exclude<WasmInput, WebAssembly.Module>, imports: WebAssembly.Imports): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  if (kindOf(wasm) === "Response") return fromResponse(wasm as Response, imports);
  if (typeof wasm !== "string" && kindOf(wasm) !== "URL") return WebAssembly.instantiate(wasm as BufferSource, imports);
  const url = String(wasm);
  if (url.startsWith("file:") && "process" in globalThis) return WebAssembly.instantiate(await readBytes(url), imports);
  return fromResponse(await fetched(url), imports);
}

async function fetched(url: string): Promise<Response> {
  try {
    return await fetch(url);
  } catch (error) {
    throw new Error(`${url} cannot be fetched: ${String(error)}`);
  }
}

/** Compiles while the module arrives, where the server says what it is. Browsers do that with nothing else. */
async function fromResponse(response: Response, imports: WebAssembly.Imports): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const { ok, status, headers, url } = response;
  const type = headers.get("Content-Type");
  // A server that has no such file may give the page in its place.
  if (!ok || type?.startsWith("text/html")) throw new Error(`${url} is answered with ${status} and ${type}, so it is not there: ${PLACES}`);
  if (type === WASM_TYPE) return WebAssembly.instantiateStreaming(response, imports);
  console.warn(`${url} is served as ${type}, not as ${WASM_TYPE}, and so is slower to load`);
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
}

const PLACES = 'copy node_modules/everfold/dist/*.wasm beside the script that asks for it, or import from "everfold/inline"';

function advised(error: unknown): unknown {
  const text = String(error);
  if (error instanceof WebAssembly.LinkError) return otherVersion(text);
  if (/Content Security Policy|\bCSP\b/i.test(text)) return new Error(`${text}: the policy's script-src needs 'wasm-unsafe-eval'`);
  return error;
}

/** What is thrown where the JavaScript and a module are of two builds: while a new version is deployed, or is deployed in part. */
export function otherVersion(problem: string): Error {
  return new Error(`${problem}: these are files of two versions of everfold; reload the page, or deploy all of one`);
}

async function readBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  // In a variable, because bundlers for browsers refuse what they cannot find.
  const fileSystem = "node:fs/promises";
  const { readFile } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ fileSystem)) as {
    readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  };
  return readFile(new URL(url));
}
