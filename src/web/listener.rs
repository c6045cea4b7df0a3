//! What the browser calls.

use wasm_bindgen::prelude::*;

/// A function of ours that the browser calls, until it is dropped. What it is called with is `undefined` where
/// the browser passes nothing.
pub type Listener = Closure<dyn FnMut(JsValue)>;

/// Makes a listener. All of them are of one type, so that what the boundary needs for it is compiled once.
pub fn listener(hear: Box<dyn FnMut(JsValue)>) -> Listener {
    Closure::wrap(hear)
}
