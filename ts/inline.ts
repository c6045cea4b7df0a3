// `everfold/inline`: the wasm is in the JavaScript, and nothing is fetched.
import "./inlined.js";
import "./whole.js";

export * from "./api.js";
