// `everfold/rust`: aggregates that are written in Rust, in the wasm of a crate of one's own.
export { rustAggregate } from "./rust-aggregate.js";
export type { RustAggregateDefinition } from "./rust-aggregate.js";
export { useWasm } from "./rust-wasm.js";
export type { WasmSource } from "./rust-wasm.js";
