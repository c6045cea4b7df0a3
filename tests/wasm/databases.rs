//! Databases that are there, are not there, or are somebody else's.

use everfold::storage::{Area, Durability, FaultKind, Head, Storage};
use everfold::testing::reads;
use everfold::web::IndexedDbStorage;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{Sabotage, create_database, describe_database, release_database};
use super::{append, committed, new_storage, unused_name};

async fn check_foreign(claim: &str, version: u32, stores: &[&str], in_cause: &str) {
    let name = unused_name(claim);
    let database = format!("everfold:{name}");
    let stores = stores.iter().map(|store| store.to_string()).collect();
    JsFuture::from(create_database(&database, version, stores)).await.unwrap();
    let before = describe_database(&database).await.unwrap();
    release_database(&database);

    let fault = IndexedDbStorage::open(&name).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Foreign, "{fault:?}");
    assert!(fault.cause.contains(in_cause), "{fault:?} does not say {in_cause}");
    assert!(fault.cause.contains("under another name"), "{fault:?} does not say what to do");
    assert_eq!(describe_database(&database).await.unwrap(), before, "it was touched");
}

#[wasm_bindgen_test]
async fn a_database_with_other_stores_is_foreign() {
    check_foreign("others", 1, &["log", "todos"], "log, todos").await;
}

#[wasm_bindgen_test]
async fn a_database_with_one_store_too_many_is_foreign() {
    let mut stores: Vec<&str> = Area::ALL.iter().map(|area| area.name()).collect();
    stores.push("extra");
    check_foreign("extra", 1, &stores, "extra").await;
}

#[wasm_bindgen_test]
async fn a_database_without_stores_is_foreign() {
    check_foreign("none", 1, &[], "no object stores").await;
}

#[wasm_bindgen_test]
async fn a_database_of_a_higher_version_is_foreign() {
    let stores: Vec<&str> = Area::ALL.iter().map(|area| area.name()).collect();
    check_foreign("version", 2, &stores, "VersionError").await;
}

#[wasm_bindgen_test]
async fn a_database_exists_from_its_opening_to_its_destruction() {
    let name = unused_name("existence");
    assert!(!IndexedDbStorage::exists(&name).await.unwrap(), "it is there before it was made");
    let storage = IndexedDbStorage::open(&name).await.unwrap();
    assert!(IndexedDbStorage::exists(&name).await.unwrap(), "it is not there while it is open");
    storage.close().await;
    assert!(IndexedDbStorage::exists(&name).await.unwrap(), "it is not there once it is closed");
    IndexedDbStorage::destroy(&name).await.unwrap();
    assert!(!IndexedDbStorage::exists(&name).await.unwrap(), "it is there after it was destroyed");
}

#[wasm_bindgen_test]
async fn to_destroy_what_is_not_there_succeeds() {
    IndexedDbStorage::destroy(&unused_name("absent")).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_name_may_hold_anything() {
    let name = unused_name("ключ/🗝️ \"quoted\"\n");
    let storage = IndexedDbStorage::open(&name).await.unwrap();
    committed(append(&storage, Head::default(), Durability::Relaxed, b"record").await);
    assert!(IndexedDbStorage::exists(&name).await.unwrap());
}

#[wasm_bindgen_test]
async fn a_new_database_after_a_destruction_is_empty() {
    let (name, storage) = new_storage("anew").await;
    committed(append(&storage, Head::default(), Durability::Relaxed, b"record").await);
    IndexedDbStorage::destroy(&name).await.unwrap();
    let storage = IndexedDbStorage::open(&name).await.unwrap();
    assert_eq!(reads::head(&storage).await, Ok(Head::default()));
}

async fn check_unavailable(sabotage: &str, expected: FaultKind, in_cause: &str) {
    let name = unused_name("unavailable");
    let _sabotage = Sabotage::begin(sabotage);
    for fault in [
        IndexedDbStorage::open(&name).await.map(drop).unwrap_err(),
        IndexedDbStorage::exists(&name).await.map(drop).unwrap_err(),
        IndexedDbStorage::destroy(&name).await.unwrap_err(),
    ] {
        assert_eq!(fault.kind, expected, "{fault:?}");
        assert!(fault.cause.contains(in_cause), "{fault:?} does not say {in_cause}");
    }
}

#[wasm_bindgen_test]
async fn a_browser_without_indexed_db_is_told_apart() {
    check_unavailable("no IndexedDB", FaultKind::Absent, "no IndexedDB").await;
}

#[wasm_bindgen_test]
async fn a_policy_that_forbids_indexed_db_is_told_apart() {
    check_unavailable("IndexedDB is forbidden", FaultKind::Unavailable, "SecurityError").await;
}
