/** Of this package, and of the crate that its wasm is made from. */
export const VERSION = "0.1.0";
