//! What the browser throws, and how durable it was asked to be.

use everfold::error::WriteOutcome;
use everfold::event::Position;
use everfold::storage::{
    Area, Batch, Direction, Durability, FaultKind, GuardedWrite, Head, Key, KeyRange, LayoutChange,
    LogRecord, Record, Storage, Written,
};
use everfold::testing::reads;
use everfold::web::IndexedDbStorage;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{
    Sabotage, has_estimate, is_chromium, keeps_the_rest, last_durability, put, was_told_while_writing,
};
use super::{append, committed, new_storage, unused_name};

/// Commits while the browser throws an exception of this name, and again when it does not.
async fn check_thrown(name: &str, expected: impl Fn(FaultKind) -> bool) {
    let (_, storage) = new_storage("thrown").await;
    let sabotage = Sabotage::begin(&format!("throw {name}"));
    let fault = append(&storage, Head::default(), Durability::Relaxed, b"one").await.unwrap_err();
    assert!(expected(fault.kind), "{fault:?}");
    assert_eq!(fault.outcome, WriteOutcome::NotWritten, "{fault:?}");
    assert!(fault.cause.contains(name) && fault.cause.contains("as the test wants it"), "{fault:?}");
    drop(sabotage);
    let head = committed(append(&storage, Head::default(), Durability::Relaxed, b"two").await);
    assert_eq!(head.position, Position(1), "the failed commit left something behind");
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_with_what_the_browser_says_of_it() {
    let is_told = |bytes: Option<u64>| bytes.is_some() == has_estimate();
    let is_quota = |kind| matches!(kind, FaultKind::Quota { usage_bytes, quota_bytes } if is_told(usage_bytes) && is_told(quota_bytes));
    check_thrown("QuotaExceededError", is_quota).await;
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_without_figures_where_the_browser_has_none() {
    let _sabotage = Sabotage::begin("no storage manager");
    let is_quota = |kind| kind == FaultKind::Quota { usage_bytes: None, quota_bytes: None };
    check_thrown("QuotaExceededError", is_quota).await;
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_without_figures_where_the_browser_does_not_answer_how_full() {
    let _sabotage = Sabotage::begin("a storage manager that does not answer");
    let is_quota = |kind| kind == FaultKind::Quota { usage_bytes: None, quota_bytes: None };
    check_thrown("QuotaExceededError", is_quota).await;
}

#[wasm_bindgen_test]
async fn every_other_exception_is_a_fault() {
    for name in ["UnknownError", "DataError", "DataCloneError", "TransactionInactiveError", "ANewNameError"] {
        check_thrown(name, |kind| kind == FaultKind::Failed).await;
    }
    for name in ["InvalidStateError", "AbortError"] {
        check_thrown(name, |kind| kind == FaultKind::Disconnected).await;
    }
    check_thrown("NotFoundError", |kind| kind == FaultKind::Foreign).await;
    check_thrown("SecurityError", |kind| kind == FaultKind::Unavailable).await;
}

#[wasm_bindgen_test]
async fn a_commit_never_overwrites_a_record() {
    let (name, storage) = new_storage("overwrite").await;
    put(&format!("everfold:{name}"), "log", &JsValue::from_f64(1.0), &Uint8Array::new_with_length(3))
        .await
        .unwrap();
    let fault = append(&storage, Head::default(), Durability::Relaxed, b"one").await.unwrap_err();
    assert_eq!((fault.kind, fault.outcome), (FaultKind::Damaged, WriteOutcome::NotWritten), "{fault:?}");
    let found = reads::get(&storage, Area::Log, &[Key::Position(Position(1))]).await.unwrap();
    assert_eq!((found.head, found.values), (Head::default(), vec![Some(vec![0; 3])]));
}

/// One that fails before, and one that fails behind what could be written.
#[wasm_bindgen_test]
async fn a_batch_of_which_one_record_cannot_be_written_leaves_nothing_behind() {
    for taken in [1, 2, 3] {
        let (name, storage) = new_storage("torn").await;
        let database = format!("everfold:{name}");
        put(&database, "log", &JsValue::from(taken), &Uint8Array::new_with_length(3)).await.unwrap();
        let records = (1..=3).map(|first| LogRecord { first: Position(first), bytes: vec![first as u8] });
        let head = Head { position: Position(3), appended_bytes: 3, ..Head::default() };
        let batch = Batch { records: records.collect(), head };
        let judge = move |_, _: &[_]| Some(batch.clone());
        let fault = storage.commit(Head::default().into(), Durability::Relaxed, judge).await.unwrap_err();
        assert_eq!((fault.kind, fault.outcome), (FaultKind::Damaged, WriteOutcome::NotWritten), "{fault:?}");
        let log =
            reads::page(&storage, Area::Log, KeyRange::default(), Direction::Forwards, 9).await.unwrap();
        assert_eq!((log.head, log.records.len()), (Head::default(), 1), "with {taken} taken");
    }
}

#[wasm_bindgen_test]
async fn a_commit_is_told_at_once_where_a_write_that_fails_then_takes_the_others_with_it_and_chromium_is_known()
 {
    let (_, storage) = new_storage("told").await;
    committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
    let is_at_once = was_told_while_writing();
    let is_torn = keeps_the_rest(&unused_name("rest")).await.unwrap().is_truthy();
    assert!(!(is_at_once && is_torn), "what `Sending` says of this browser is not so");
    // WebKit takes the others along as well, and does not say that it is WebKit.
    assert_eq!(is_at_once, is_chromium(), "Chromium alone is told at once");
}

async fn check_strange_key(store: &str, key: &JsValue, value: &JsValue) {
    let (name, storage) = new_storage("strange").await;
    put(&format!("everfold:{name}"), store, key, value).await.unwrap();
    let area = Area::ALL.into_iter().find(|area| area.name() == store).unwrap();
    let page = reads::page(&storage, area, KeyRange::default(), Direction::Forwards, 10).await;
    assert_eq!(page.unwrap_err().kind, FaultKind::Foreign);
    assert_eq!(storage.usage().await.unwrap_err().kind, FaultKind::Foreign);
}

#[wasm_bindgen_test]
async fn records_under_keys_that_everfold_does_not_write_are_foreign() {
    let bytes = Uint8Array::new_with_length(1);
    check_strange_key("log", &JsValue::from_f64(1.5), &bytes).await;
    check_strange_key("log", &JsValue::from_f64(-1.0), &bytes).await;
    check_strange_key("log", &JsValue::from_str("key"), &bytes).await;
    check_strange_key("documents", &JsValue::from_f64(1.0), &bytes).await;
}

/// It is damage to this record alone, and a write may expect it and take its place.
#[wasm_bindgen_test]
async fn a_value_that_everfold_does_not_write_is_a_record_without_bytes() {
    let (name, storage) = new_storage("value").await;
    let (area, key) = (Area::Units, Key::text("key"));
    let strange =
        [JsValue::from_str("text"), JsValue::from_f64(1.0), JsValue::NULL, js_sys::Array::new().into()];
    for value in strange {
        put(&format!("everfold:{name}"), area.name(), &Uint8Array::from(&b"key"[..]), &value).await.unwrap();
        let found = reads::value(&storage, area, &key).await.unwrap();
        assert_eq!(found, Some(Vec::new()), "{value:?}");
        let page = reads::page(&storage, area, KeyRange::default(), Direction::Forwards, 10).await.unwrap();
        assert_eq!(page.records, [Record { key: key.clone(), value: Vec::new() }], "{value:?}");
        let size_bytes =
            storage.usage().await.unwrap().areas.iter().map(|usage| usage.size_bytes).sum::<u64>();
        assert_eq!(size_bytes, 3, "{value:?}");
        let write = GuardedWrite {
            expect: vec![(area, key.clone(), Some(Vec::new()))],
            deletes: vec![],
            puts: vec![(area, key.clone(), vec![1])],
            layout: LayoutChange::Keep,
            durability: Durability::Relaxed,
        };
        assert_eq!(storage.write(write).await, Ok(Written::Yes), "{value:?}");
        assert_eq!(reads::value(&storage, area, &key).await.unwrap(), Some(vec![1]), "{value:?}");
    }
}

#[wasm_bindgen_test]
async fn a_damaged_head_is_told_apart() {
    let (name, storage) = new_storage("damaged").await;
    let key = Uint8Array::from(Head::KEY.as_bytes());
    put(&format!("everfold:{name}"), "meta", &key, &Uint8Array::new_with_length(3)).await.unwrap();
    let fault = append(&storage, Head::default(), Durability::Relaxed, b"one").await.unwrap_err();
    assert_eq!((fault.kind, fault.outcome), (FaultKind::Damaged, WriteOutcome::NotWritten), "{fault:?}");
}

#[wasm_bindgen_test]
async fn a_swap_that_fails_on_its_way_changes_nothing() {
    for kind in ["the next deletion is aborted", "the next put finds no room", "the next commit is aborted"] {
        let (_, storage) = new_storage("swap").await;
        let head = committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
        let swap = GuardedWrite {
            expect: vec![],
            deletes: vec![(Area::Log, KeyRange::default())],
            puts: vec![(Area::Units, Key::text("unit"), vec![1])],
            layout: LayoutChange::Next { from: 0 },
            durability: Durability::Strict,
        };
        let sabotage = Sabotage::begin(kind);
        let result = storage.write(swap.clone()).await;
        drop(sabotage);
        // One that was aborted before it was sent was made once more.
        let (layout, record_count) = if result == Ok(Written::Yes) { (1, 0) } else { (0, 1) };
        for (area, expected) in [(Area::Log, record_count), (Area::Units, 1 - record_count)] {
            let page =
                reads::page(&storage, area, KeyRange::default(), Direction::Forwards, 9).await.unwrap();
            assert_eq!((page.head, page.records.len()), (Head { layout, ..head }, expected), "{kind}");
        }
        let is_repeated = kind == "the next deletion is aborted";
        assert_eq!(result.is_ok(), is_repeated, "{kind}: {result:?}");
        let again = if is_repeated { Written::Refused } else { Written::Yes };
        assert_eq!(storage.write(swap).await, Ok(again), "{kind}");
    }
}

#[wasm_bindgen_test]
async fn a_transaction_is_as_durable_as_asked_for() {
    let (_, storage) = new_storage("durable").await;
    let mut head = Head::default();
    for (durability, expected) in [(Durability::Strict, "strict"), (Durability::Relaxed, "relaxed")] {
        head = committed(append(&storage, head, durability, b"one").await);
        assert_eq!(last_durability().as_deref(), Some(expected));
        let puts = vec![(Area::Documents, Key::text("key"), vec![1])];
        let layout = LayoutChange::Keep;
        let write = GuardedWrite { expect: vec![], deletes: vec![], puts, layout, durability };
        storage.write(write).await.unwrap();
        assert_eq!(last_durability().as_deref(), Some(expected));
    }
}

#[wasm_bindgen_test]
async fn a_record_of_megabytes_comes_back_to_the_byte() {
    let (_, storage) = new_storage("megabytes").await;
    let bytes: Vec<u8> =
        (0..5_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let head = committed(append(&storage, Head::default(), Durability::Relaxed, &bytes).await);
    let found = reads::get(&storage, Area::Log, &[Key::Position(head.position)]).await.unwrap();
    assert!(found.values == [Some(bytes)], "other bytes came back");
}

#[wasm_bindgen_test]
async fn usage_says_what_the_browser_says() {
    let (_, storage) = new_storage("usage").await;
    let usage = storage.usage().await.unwrap();
    let is_positive = usage.origin_quota_bytes.map(|bytes| bytes > 0);
    assert_eq!(is_positive, has_estimate().then_some(true), "{usage:?}");
    let is_told = [usage.origin_usage_bytes.is_some(), usage.persisted.is_some()];
    assert_eq!(is_told, [has_estimate(); 2], "{usage:?}");
}

#[wasm_bindgen_test]
async fn usage_of_the_origin_is_not_known_where_the_browser_does_not_answer() {
    let (_, storage) = new_storage("usage").await;
    let _sabotage = Sabotage::begin("a storage manager that does not answer");
    let usage = storage.usage().await.unwrap();
    let told = (usage.origin_usage_bytes, usage.origin_quota_bytes, usage.persisted);
    assert_eq!(told, (None, None, None), "{usage:?}");
}

#[wasm_bindgen_test]
async fn usage_of_the_origin_is_not_known_and_persistence_not_promised_where_the_browser_has_neither() {
    let (_, storage) = new_storage("usage").await;
    committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
    let _sabotage = Sabotage::begin("no storage manager");
    let usage = storage.usage().await.unwrap();
    let origin = (usage.origin_usage_bytes, usage.origin_quota_bytes, usage.persisted);
    assert_eq!(origin, (None, None, None), "{usage:?}");
    assert!(!usage.areas.is_empty(), "what the store counts itself is not there");
    assert!(!IndexedDbStorage::request_persistence().await);
}
