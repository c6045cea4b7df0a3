/** The name by which servers say that something is WebAssembly. */
const WASM_TYPE = "application/wasm";

/** Loads a module and makes an instance of it. A module in a file is read by Node, whose `fetch` does not. */
export async function instantiate(url: URL, imports: WebAssembly.Imports): Promise<WebAssembly.Instance> {
  const { instance } =
    url.protocol === "file:" && "process" in globalThis
      ? await WebAssembly.instantiate(await readBytes(url), imports)
      : await fetchInstance(url, imports);
  return instance;
}

/** Compiles while the module arrives, where the server says what it is. Browsers do that with nothing else. */
async function fetchInstance(url: URL, imports: WebAssembly.Imports): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`failed to fetch Wasm: ${response.status} ${response.statusText} fetching '${response.url}'`);
  }
  const type = response.headers.get("Content-Type");
  if (type === WASM_TYPE) return WebAssembly.instantiateStreaming(response, imports);
  console.warn(`${response.url} is served as ${type}, not as ${WASM_TYPE}, and so is slower to load`);
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
}

async function readBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  // In a variable, because bundlers for browsers refuse what they cannot find.
  const fileSystem = "node:fs/promises";
  const { readFile } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ fileSystem)) as {
    readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  };
  return readFile(url);
}
