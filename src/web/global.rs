//! The global scope, be it a window's, a worker's or Node's: what is used of it, and may be missing there.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Crypto, IdbFactory, StorageManager};

#[wasm_bindgen]
extern "C" {
    /// `globalThis`.
    pub type Global;

    /// Throws where a policy forbids storage.
    #[wasm_bindgen(method, getter, catch, js_name = indexedDB)]
    pub fn indexed_db(this: &Global) -> Result<Option<IdbFactory>, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub fn crypto(this: &Global) -> Option<Crypto>;

    #[wasm_bindgen(method, getter)]
    pub fn navigator(this: &Global) -> Option<Navigator>;

    #[wasm_bindgen(method, getter)]
    pub fn scheduler(this: &Global) -> Option<Scheduler>;

    /// The handle is a number in browsers and an object in Node.
    #[wasm_bindgen(method, js_name = setTimeout)]
    pub fn set_timeout(this: &Global, callback: &Function, delay_ms: i32) -> JsValue;

    #[wasm_bindgen(method, js_name = clearTimeout)]
    pub fn clear_timeout(this: &Global, handle: &JsValue);

    /// `navigator`, of a window or of a worker.
    pub type Navigator;

    #[wasm_bindgen(method, getter)]
    pub fn locks(this: &Navigator) -> Option<LockManager>;

    #[wasm_bindgen(method, getter)]
    pub fn storage(this: &Navigator) -> Option<StorageManager>;

    /// `navigator.locks`, which web-sys calls unstable.
    #[derive(Clone)]
    pub type LockManager;

    #[wasm_bindgen(method)]
    pub fn request(this: &LockManager, name: &str, options: &LockOptions, callback: &Function) -> Promise;

    /// What a lock is asked for with.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub type LockOptions;

    #[wasm_bindgen(method, setter)]
    pub fn set_signal(this: &LockOptions, signal: &AbortSignal);

    /// `scheduler`, which web-sys does not know.
    pub type Scheduler;

    #[wasm_bindgen(method, getter, js_name = yield)]
    pub fn yield_function(this: &Scheduler) -> Option<Function>;
}

/// The global scope that this code runs in.
pub fn global() -> Global {
    js_sys::global().unchecked_into()
}
