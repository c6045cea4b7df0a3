//! The browser: the only code that names `wasm_bindgen`, `js_sys` or `web_sys`.

pub mod browser_host;
mod consumers;
mod engine;
mod error;
pub mod exports;
mod fields;
mod global;
pub mod indexed_db;
mod listener;
mod locks;
mod message;
mod promise;
mod property;
mod storage;
mod subscriptions;
mod supplements;
mod tasks;
mod timer;
mod wakefulness;
mod world;

pub use browser_host::BrowserHost;
pub use indexed_db::IndexedDbStorage;

/// What gives memory out: a third of the code of the allocator that comes with the standard library.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
