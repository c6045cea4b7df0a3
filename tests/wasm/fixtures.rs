//! Databases that this version of the format wrote are read by a browser as they were when they were written.

use std::ops::ControlFlow;

use everfold::storage::Durability;
use everfold::store::{Bounds, OpenOptions, Store};
use everfold::testing::fixture::{restore, transcript};
use everfold::web::{BrowserHost, IndexedDbStorage};
use wasm_bindgen_test::wasm_bindgen_test;

use super::new_storage;

async fn check(claim: &str, records: &str, expected: &str) {
    let (name, storage) = new_storage(claim).await;
    restore(&storage, records).await;
    let options = OpenOptions { durability: Durability::Relaxed, bounds: Bounds::ON_DEMAND };
    let store = Store::open(storage, BrowserHost::new(&name).unwrap(), options, |_| ()).await.unwrap();
    assert_eq!(transcript(&store).await, expected);
    store.compact(|_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!(transcript(&store).await, expected);
    store.close().await;
    IndexedDbStorage::destroy(&name).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_log_of_format_1_is_read() {
    let records = include_str!("../fixtures/v1/log.records.tsv");
    check("fixture-log", records, include_str!("../fixtures/v1/log.transcript.txt")).await;
}

#[wasm_bindgen_test]
async fn a_compacted_log_of_format_1_is_read() {
    let records = include_str!("../fixtures/v1/compacted.records.tsv");
    check("fixture-compacted", records, include_str!("../fixtures/v1/compacted.transcript.txt")).await;
}

#[wasm_bindgen_test]
async fn a_log_with_snapshots_of_format_1_is_read() {
    let records = include_str!("../fixtures/v1/snapshots.records.tsv");
    check("fixture-snapshots", records, include_str!("../fixtures/v1/snapshots.transcript.txt")).await;
}
