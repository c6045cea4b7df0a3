// A page whose wasm needs more memory than it can have. In a process of its own, because nothing can be asked of the
// instance afterwards.
import { EventStore } from "../../dist/index.js";

const PAGES_MAX = 65_536;
const PAGE_BYTES = 65_536;

let memory;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...values) => {
  const source = await instantiate(...values);
  // What comes later has none of its own.
  memory ??= Object.values(source.instance.exports).find((value) => value instanceof WebAssembly.Memory);
  return source;
};

// What was still to be woken is refused, too: here who waits for the code of the compaction that is due.
process.on("uncaughtException", ({ code }) => {
  if (code !== "OUT_OF_MEMORY") throw new Error(`uncaught: ${code}`);
});

const told = ({ name, code, retryable, message }) => ({ name, code, retryable, message });
const store = await EventStore.open("exhausted", { storage: "memory" });
// What the instance has not claimed by now it cannot have.
memory.grow(PAGES_MAX - memory.buffer.byteLength / PAGE_BYTES);
const refusals = [];
const note = (error) => refusals.push(told(error));
for (let count = 0; refusals.length === 0 && count < 1_000; count += 1) {
  await store.append("s", { type: "A", data: "x".repeat(1_000_000) }).catch(note);
}
await store.read("s").toArray().catch(note);
console.log(JSON.stringify(refusals));
