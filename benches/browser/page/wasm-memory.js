// How much memory the wasm has. The package does not say, so its instances are caught as they are made.

const memories = [];

for (const method of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[method];
  WebAssembly[method] = async (...given) => {
    const made = await original.apply(WebAssembly, given);
    const { exports } = made.instance ?? made;
    memories.push(...Object.values(exports).filter((each) => each instanceof WebAssembly.Memory));
    return made;
  };
}

/** Bytes of all instances of this page. Such memory only grows: it is the most that there was. */
export function wasmMemoryBytes() {
  if (memories.length === 0) throw new Error("no instance was caught: the package does not start its wasm as it did");
  return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
