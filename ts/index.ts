// `everfold`: the wasm is loaded from the files beside this one.
import "./beside.js";
import "./later.js";

export * from "./api.js";
