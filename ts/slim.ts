// `everfold/slim`: the caller says where the wasm is.
import "./later.js";

export * from "./api.js";
export { init } from "./init.js";
export type { InitOptions } from "./init.js";
export type { SupplementName, WasmInput, WasmSupply } from "./wasm-modules.js";
