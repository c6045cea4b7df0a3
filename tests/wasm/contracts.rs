//! The contracts of both ports, in the browser; and again without what only some browsers have.

use std::cell::RefCell;
use std::collections::BTreeMap;

use everfold::storage::Storage;
use everfold::storage::memory::MemoryStorage;
use everfold::testing::host_contract::host_contract;
use everfold::testing::storage_contract::storage_contract;
use everfold::web::{BrowserHost, IndexedDbStorage};
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::Sabotage;
use super::unused_name;

async fn check_storage<S: Storage>(open: impl AsyncFn(&str) -> S) {
    storage_contract(open).await.unwrap();
}

async fn check_indexed_db() {
    let run = unused_name("contract");
    check_storage(async |name: &str| IndexedDbStorage::open(&format!("{run}/{name}")).await.unwrap()).await;
}

async fn check_host() {
    let run = unused_name("contract");
    host_contract(async |name: &str| BrowserHost::new(&format!("{run}/{name}")).unwrap()).await.unwrap();
}

#[wasm_bindgen_test]
async fn indexed_db_keeps_the_contract() {
    check_indexed_db().await;
}

#[wasm_bindgen_test]
async fn indexed_db_keeps_the_contract_without_get_all_records() {
    let _sabotage = Sabotage::begin("no getAllRecords");
    check_indexed_db().await;
}

#[wasm_bindgen_test]
async fn indexed_db_keeps_the_contract_where_values_have_to_be_read_singly() {
    let _sabotage = Sabotage::begin("many values at once fail");
    check_indexed_db().await;
}

#[wasm_bindgen_test]
async fn indexed_db_keeps_the_contract_without_an_explicit_commit() {
    let _sabotage = Sabotage::begin("no commit");
    check_indexed_db().await;
}

#[wasm_bindgen_test]
async fn memory_keeps_the_contract() {
    let databases: RefCell<BTreeMap<String, MemoryStorage>> = RefCell::default();
    check_storage(async |name: &str| databases.borrow_mut().entry(name.to_owned()).or_default().handle())
        .await;
}

#[wasm_bindgen_test]
async fn the_browser_host_keeps_the_contract() {
    check_host().await;
}

#[wasm_bindgen_test]
async fn the_browser_host_keeps_the_contract_without_web_locks() {
    let _sabotage = Sabotage::begin("no locks");
    check_host().await;
}

#[wasm_bindgen_test]
async fn the_browser_host_keeps_the_contract_without_a_scheduler() {
    let _sabotage = Sabotage::begin("no scheduler");
    check_host().await;
}
