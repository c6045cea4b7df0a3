// A page in which the wasm traps as it is shipped, by a task of the background: what then becomes of calls. In a
// process of its own, because nothing can be asked of the instance afterwards.
import { EventStore } from "../../dist/index.js";
import { Engine } from "../../dist/everfold.js";

/** Enters the wasm with a pointer beyond its memory, which is no call of the facade. */
function trap() {
  Reflect.get(Engine.prototype, "position", { __wbg_ptr: 0xffff_ff00 });
}

/** What a call failed with, as far as it can be told to another process. */
function told(error) {
  const { name, code, cause } = error;
  return { name, code, causeName: cause?.name, hasStack: /wasm/.test(cause?.stack) };
}

const uncaught = [];
process.on("uncaughtException", (error) => uncaught.push(told(error)));

const open = (name) => EventStore.open(name, { storage: "memory" });
const store = await open("trapped");
await store.append("s", { type: "A" });
const ended = [];
const consumer = store.consumer("c", { after: 0, onError: (error) => ended.push(error.code) }, () => {});
while (consumer.position === 0) await new Promise((resolve) => setImmediate(resolve));
const pending = store.stats();
queueMicrotask(trap);
const calls = [() => pending, () => store.append("s", { type: "A" }), () => store.read("s").toArray(), () => open("other")];
const refusals = [];
for (const call of calls) refusals.push(await call().then(() => "done", told));
// What was still to be woken is refused, too.
await new Promise((resolve) => setTimeout(resolve, 10));
await consumer.stop();
console.log(JSON.stringify({ refusals, uncaught, consumer: { told: ended, failure: consumer.failure?.error.code, active: consumer.active } }));
