// What a page may say of where the wasm is, before anything is loaded.
import { test } from "node:test";
import { init } from "../../dist/init.js";
import { refused } from "./check.mjs";

for (const wasm of ["data:application/wasm;base64,AGFzbQ==", new URL("blob:https://example.invalid/1"), new Uint8Array(8)]) {
  test(`supplements have to be named beside ${String(wasm)}`, () => refused(() => init(wasm), "INVALID_ARGUMENT", { path: "options.supplements" }));
}
