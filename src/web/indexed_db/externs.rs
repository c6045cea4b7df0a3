//! What IndexedDB has and web-sys does not know, or calls deprecated.

use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbFactory, IdbObjectStore, IdbRequest, IdbTransaction, IdbTransactionMode};

#[wasm_bindgen]
extern "C" {
    /// An `IDBFactory` that can list its databases.
    #[wasm_bindgen(extends = IdbFactory)]
    pub type ListingFactory;

    #[wasm_bindgen(method, catch)]
    pub fn databases(this: &ListingFactory) -> Result<Promise, JsValue>;

    /// What `databases` says of one.
    pub type DatabaseInfo;

    #[wasm_bindgen(method, getter)]
    pub fn name(this: &DatabaseInfo) -> String;

    /// An `IDBDatabase` whose transactions take options.
    #[wasm_bindgen(extends = IdbDatabase)]
    pub type DurableDatabase;

    #[wasm_bindgen(method, catch)]
    pub fn transaction(
        this: &DurableDatabase,
        stores: &Array,
        mode: IdbTransactionMode,
        options: &TransactionOptions,
    ) -> Result<IdbTransaction, JsValue>;

    /// How durable a transaction is asked to be.
    #[wasm_bindgen(extends = Object)]
    pub type TransactionOptions;

    #[wasm_bindgen(method, setter)]
    pub fn set_durability(this: &TransactionOptions, durability: &str);

    /// An `IDBTransaction` that can be told that no more requests follow.
    #[wasm_bindgen(extends = IdbTransaction)]
    pub type CommittingTransaction;

    #[wasm_bindgen(method, catch)]
    pub fn commit(this: &CommittingTransaction) -> Result<(), JsValue>;

    /// An `IDBObjectStore` that reads keys and values with one request, in either direction.
    #[wasm_bindgen(extends = IdbObjectStore)]
    pub type RecordsStore;

    #[wasm_bindgen(method, catch, js_name = getAllRecords)]
    pub fn get_all_records(this: &RecordsStore, options: &RecordsOptions) -> Result<IdbRequest, JsValue>;

    /// Which records are asked for.
    #[wasm_bindgen(extends = Object)]
    pub type RecordsOptions;

    #[wasm_bindgen(method, setter)]
    pub fn set_query(this: &RecordsOptions, query: &JsValue);

    #[wasm_bindgen(method, setter)]
    pub fn set_count(this: &RecordsOptions, count: u32);

    #[wasm_bindgen(method, setter)]
    pub fn set_direction(this: &RecordsOptions, direction: &str);

    /// An `IDBVersionChangeEvent`.
    pub type VersionChange;

    #[wasm_bindgen(method, getter, js_name = newVersion)]
    pub fn new_version(this: &VersionChange) -> JsValue;

    /// What the browser throws: a `DOMException`, or any other `Error`.
    pub type Exception;

    #[wasm_bindgen(method, getter)]
    pub fn name(this: &Exception) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn message(this: &Exception) -> String;

    /// An `IDBRecord`.
    pub type DatabaseRecord;

    #[wasm_bindgen(method, getter)]
    pub fn key(this: &DatabaseRecord) -> JsValue;

    #[wasm_bindgen(method, getter)]
    pub fn value(this: &DatabaseRecord) -> JsValue;
}
