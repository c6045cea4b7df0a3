//! The browser as the tests want it: lacking something, or losing something.

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/wasm/sabotage.js")]
extern "C" {
    fn begin(kind: &str) -> Function;

    #[wasm_bindgen(js_name = uncaughtErrors)]
    pub fn uncaught_errors() -> u32;

    #[wasm_bindgen(catch, js_name = waitingForLock)]
    pub async fn waiting_for_lock(name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = lastDurability)]
    pub fn last_durability() -> Option<String>;

    #[wasm_bindgen(js_name = refusedTransactions)]
    pub fn refused_transactions() -> u32;

    #[wasm_bindgen(js_name = closeConnections)]
    pub fn close_connections(name: &str);

    #[wasm_bindgen(js_name = loseConnections)]
    pub fn lose_connections(name: &str);

    #[wasm_bindgen(js_name = createDatabase)]
    pub fn create_database(name: &str, version: u32, stores: Vec<String>) -> js_sys::Promise;

    #[wasm_bindgen(js_name = releaseDatabase)]
    pub fn release_database(name: &str);

    #[wasm_bindgen(catch, js_name = describeDatabase)]
    pub async fn describe_database(name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = deleteDatabase)]
    pub fn delete_database(name: &str) -> js_sys::Promise;

    #[wasm_bindgen(js_name = hasEstimate)]
    pub fn has_estimate() -> bool;

    #[wasm_bindgen(js_name = isChromium)]
    pub fn is_chromium() -> bool;

    #[wasm_bindgen(js_name = wasToldWhileWriting)]
    pub fn was_told_while_writing() -> bool;

    #[wasm_bindgen(catch, js_name = keepsTheRest)]
    pub async fn keeps_the_rest(name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = putRecord)]
    pub async fn put(name: &str, store: &str, key: &JsValue, value: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_name = holdTransaction)]
    async fn hold_transaction_open(name: &str) -> Result<JsValue, JsValue>;

    pub fn overheard(name: &str) -> js_sys::Array;

    pub fn post(name: &str, message: &JsValue);
}

/// Something that is wrong with the browser until it is dropped.
#[must_use = "a sabotage ends when it is dropped"]
pub struct Sabotage {
    end: Function,
}

impl Sabotage {
    /// Begins a sabotage of a kind that sabotage.js knows.
    pub fn begin(kind: &str) -> Self {
        Self { end: begin(kind) }
    }

    /// Holds a writing transaction on a database open.
    pub async fn hold_transaction(name: &str) -> Self {
        Self { end: hold_transaction_open(name).await.unwrap().unchecked_into() }
    }
}

impl Drop for Sabotage {
    fn drop(&mut self) {
        self.end.call0(&JsValue::UNDEFINED).unwrap();
    }
}
