//! What happens when a bug of ours ends the instance.

use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::prelude::*;

thread_local! {
    static HANDLER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Has `handler` called with a description when something here panics: the instance is dead then, and none of
/// the promises that it gave will ever be settled.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(handler: Function) {
    HANDLER.set(Some(handler));
    std::panic::set_hook(Box::new(|info| {
        let Some(handler) = HANDLER.take() else { return };
        // What the handler throws has nobody to go to: the instance is gone.
        drop(handler.call1(&JsValue::UNDEFINED, &JsValue::from(info.to_string())));
    }));
}
