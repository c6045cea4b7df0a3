//! What IndexedDB has and web-sys does not know, or calls deprecated.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use web_sys::{
    IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction, IdbTransactionMode,
};

#[wasm_bindgen]
extern "C" {
    /// An `IDBFactory` that opens databases of any version.
    #[wasm_bindgen(extends = IdbFactory)]
    pub type Factory;

    /// Without a version, it opens whatever is there.
    #[wasm_bindgen(method, catch)]
    pub fn open(this: &Factory, name: &str, version: Option<u32>) -> Result<IdbOpenDbRequest, JsValue>;

    /// An `IDBDatabase` whose transactions take options.
    #[wasm_bindgen(extends = IdbDatabase)]
    pub type DurableDatabase;

    #[wasm_bindgen(method, catch)]
    pub fn transaction(
        this: &DurableDatabase,
        stores: &Array,
        mode: IdbTransactionMode,
        options: &Object,
    ) -> Result<IdbTransaction, JsValue>;

    /// An `IDBTransaction` that can be told that no more requests follow, and is asked by names that are made once.
    #[wasm_bindgen(extends = IdbTransaction)]
    pub type CommittingTransaction;

    #[wasm_bindgen(method, catch, js_name = objectStore)]
    pub fn object_store(this: &CommittingTransaction, name: &JsValue) -> Result<IdbObjectStore, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn commit(this: &CommittingTransaction) -> Result<(), JsValue>;

    /// An `IDBObjectStore` that reads keys and values with one request, in either direction.
    #[wasm_bindgen(extends = IdbObjectStore)]
    pub type RecordsStore;

    #[wasm_bindgen(method, catch, js_name = getAllRecords)]
    pub fn get_all_records(this: &RecordsStore, options: &Object) -> Result<IdbRequest, JsValue>;

    /// An `IDBRecord`, or a cursor at one.
    pub type DatabaseRecord;

    #[wasm_bindgen(method, getter)]
    pub fn key(this: &DatabaseRecord) -> JsValue;

    #[wasm_bindgen(method, getter)]
    pub fn value(this: &DatabaseRecord) -> JsValue;
}
