//! The global scope, be it a window's, a worker's or Node's: what is used of it, and may be missing there.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, StorageManager};

use super::property;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;

    /// The handle is a number in browsers and an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    pub fn set_timeout(callback: &JsValue, delay_ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub fn clear_timeout(handle: &JsValue);

    #[wasm_bindgen(js_name = queueMicrotask)]
    pub fn queue_microtask(callback: &JsValue);

    /// What has a method `then`, as every promise has.
    pub type Thenable;

    #[wasm_bindgen(method)]
    pub fn then(this: &Thenable, on_fulfilled: &JsValue, on_rejected: &JsValue);

    /// `navigator.locks`, which web-sys calls unstable.
    #[derive(Clone)]
    pub type LockManager;

    #[wasm_bindgen(method)]
    pub fn request(this: &LockManager, name: &str, options: &LockOptions, callback: &JsValue) -> Promise;

    /// What a lock is asked for with.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub type LockOptions;

    #[wasm_bindgen(method, setter)]
    pub fn set_signal(this: &LockOptions, signal: &AbortSignal);
}

/// The global scope that this code runs in.
pub fn global() -> JsValue {
    GLOBAL.with(JsValue::clone)
}

/// `navigator.storage`.
pub fn storage_manager() -> Option<StorageManager> {
    of_navigator("storage")
}

/// `navigator.locks`.
pub fn lock_manager() -> Option<LockManager> {
    of_navigator("locks")
}

/// What a `navigator`, of a window or of a worker, may have.
pub fn of_navigator<T: JsCast>(name: &str) -> Option<T> {
    property::get_if_some(&property::get_if_some::<JsValue>(&global(), "navigator")?, name)
}
