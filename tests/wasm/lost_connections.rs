//! What happens to a connection behind the storage's back.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use everfold::error::WriteOutcome;
use everfold::storage::{
    Area, Direction, Durability, FaultKind, GuardedWrite, Head, Key, KeyRange, LayoutChange, Outcome,
    Storage, Written,
};
use everfold::testing::reads;
use everfold::web::IndexedDbStorage;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{
    Sabotage, close_connections, delete_database, lose_connections, refused_transactions, uncaught_errors,
};
use super::{append, batch_after, committed, new_storage};

/// The log's head, or how reading it failed.
async fn head(storage: &IndexedDbStorage) -> Result<Head, FaultKind> {
    reads::head(storage).await.map_err(|fault| fault.kind)
}

async fn check_reopens(claim: &str, lose: impl Fn(&str)) {
    let (name, storage) = new_storage(claim).await;
    let database = format!("everfold:{name}");
    let mut seen = committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
    lose(&database);
    assert_eq!(head(&storage).await, Ok(seen), "a reading after the loss");
    lose(&database);
    seen = committed(append(&storage, seen, Durability::Relaxed, b"two").await);
    lose(&database);
    let reading = async { head(&storage).await };
    let others = async { (head(&storage).await, storage.usage().await.is_ok()) };
    let (one, (other, is_counted)) = futures_util::future::join(reading, others).await;
    assert_eq!((one, other, is_counted), (Ok(seen), Ok(seen), true), "several at once after the loss");
    IndexedDbStorage::destroy(&name).await.unwrap();
    assert_eq!(head(&storage).await, Err(FaultKind::Closed), "the new connection hears of a destruction");
}

#[wasm_bindgen_test]
async fn a_connection_that_is_closed_silently_is_opened_again() {
    check_reopens("silently", close_connections).await;
}

#[wasm_bindgen_test]
async fn a_connection_that_the_browser_closes_is_opened_again() {
    let refusals = refused_transactions();
    check_reopens("by-event", lose_connections).await;
    assert_eq!(refused_transactions(), refusals, "a connection was used after its end");
}

async fn check_destroyed(claim: &str, destroy: impl AsyncFn(&str)) {
    let (name, storage) = new_storage(claim).await;
    let (_, other) = (&name, IndexedDbStorage::open(&name).await.unwrap());
    let seen = committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
    destroy(&name).await;
    for storage in [&storage, &other] {
        let fault = append(storage, seen, Durability::Relaxed, b"two").await.unwrap_err();
        assert_eq!((fault.kind, fault.outcome), (FaultKind::Closed, WriteOutcome::NotWritten), "{fault:?}");
        assert!(fault.cause.contains("destroyed"), "{fault:?}");
        assert_eq!(head(storage).await, Err(FaultKind::Closed));
    }
    assert!(!IndexedDbStorage::exists(&name).await.unwrap(), "it was made anew");
}

#[wasm_bindgen_test]
async fn a_storage_whose_database_is_destroyed_is_closed() {
    check_destroyed("destroyed", async |name: &str| IndexedDbStorage::destroy(name).await.unwrap()).await;
}

#[wasm_bindgen_test]
async fn a_storage_whose_database_another_program_deletes_is_closed() {
    let delete = async |name: &str| {
        JsFuture::from(delete_database(&format!("everfold:{name}"))).await.unwrap();
    };
    check_destroyed("deleted", delete).await;
}

#[wasm_bindgen_test]
async fn a_storage_whose_database_went_with_its_connection_is_closed() {
    let lose_and_delete = async |name: &str| {
        lose_connections(&format!("everfold:{name}"));
        JsFuture::from(delete_database(&format!("everfold:{name}"))).await.unwrap();
    };
    check_destroyed("lost-and-deleted", lose_and_delete).await;
}

#[wasm_bindgen_test]
async fn a_commit_that_fails_before_it_is_sent_is_made_once_more() {
    let (_, storage) = new_storage("before-it-is-sent").await;
    for seen in [Head::default(), batch_after(Head::default(), b"one".to_vec()).head] {
        let _sabotage = Sabotage::begin("the next reading is aborted");
        let head = committed(append(&storage, seen, Durability::Relaxed, b"one").await);
        assert_eq!(head, batch_after(seen, b"one".to_vec()).head);
        assert_eq!(page(&storage).await, Ok(head.position.0 as usize));
    }
}

#[wasm_bindgen_test]
async fn a_reading_that_fails_is_made_once_more() {
    let (_, storage) = new_storage("reading").await;
    let _sabotage = Sabotage::begin("the next reading is aborted");
    assert_eq!(head(&storage).await, Ok(Head::default()));
}

async fn page(storage: &IndexedDbStorage) -> Result<usize, FaultKind> {
    let page = reads::page(storage, Area::Log, KeyRange::default(), Direction::Forwards, 10).await;
    page.map(|page| page.records.len()).map_err(|fault| fault.kind)
}

#[wasm_bindgen_test]
async fn a_reading_that_fails_with_its_connection_and_then_with_a_value_is_made_singly() {
    let (name, storage) = new_storage("connection-and-value").await;
    committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
    let _values = Sabotage::begin("many values at once fail");
    close_connections(&format!("everfold:{name}"));
    assert_eq!(page(&storage).await, Ok(1));
}

#[wasm_bindgen_test]
async fn a_cursor_that_fails_is_a_fault_and_the_storage_goes_on() {
    let (_, storage) = new_storage("cursor").await;
    committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
    let _values = Sabotage::begin("many values at once fail");
    let _cursor = Sabotage::begin("the next cursor fails");
    assert_eq!(page(&storage).await, Err(FaultKind::Failed));
    assert_eq!(page(&storage).await, Ok(1));
}

#[wasm_bindgen_test]
async fn the_outcome_of_a_commit_that_was_sent_and_then_lost_is_unknown() {
    let (_, storage) = new_storage("sent").await;
    let sabotage = Sabotage::begin("the next commit is aborted");
    let fault = append(&storage, Head::default(), Durability::Relaxed, b"one").await.unwrap_err();
    assert_eq!((fault.kind, fault.outcome), (FaultKind::Disconnected, WriteOutcome::Unknown), "{fault:?}");
    drop(sabotage);
    assert_eq!(head(&storage).await, Ok(Head::default()), "the storage goes on");
}

#[wasm_bindgen_test]
async fn a_commit_that_nobody_waits_for_is_whole_or_not_there() {
    let (_, storage) = new_storage("abandoned").await;
    let errors = uncaught_errors();
    {
        let commit = pin!(append(&storage, Head::default(), Durability::Relaxed, b"one"));
        let poll = commit.poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending(), "a commit takes its time");
    }
    let outcome = append(&storage, Head::default(), Durability::Relaxed, b"two").await;
    assert!(matches!(outcome, Ok(Outcome::Committed(head)) if head.position.0 == 1), "{outcome:?}");
    assert_eq!(uncaught_errors(), errors, "the browser called what is gone");
}

/// It asks for its writes before it knows the head, and their place may be free: a compaction has taken the record.
#[wasm_bindgen_test]
async fn a_commit_that_nobody_waits_for_and_that_comes_too_late_writes_nothing() {
    let (_, storage) = new_storage("abandoned-and-late").await;
    let seen = Head::default();
    let head = committed(append(&storage, seen, Durability::Relaxed, b"one").await);
    let taken = KeyRange { from: None, to: Some(Key::Position(head.position)) };
    let swap = GuardedWrite {
        expect: Vec::new(),
        deletes: vec![(Area::Log, taken)],
        puts: Vec::new(),
        layout: LayoutChange::Next { from: head.layout },
        durability: Durability::Relaxed,
    };
    assert_eq!(storage.write(swap).await.unwrap(), Written::Yes);
    {
        let commit = pin!(append(&storage, seen, Durability::Relaxed, b"late"));
        let poll = commit.poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending(), "a commit takes its time");
    }
    assert_eq!(page(&storage).await, Ok(0), "what came too late is in the log");
    let after = Head { layout: head.layout + 1, ..head };
    assert_eq!(reads::head(&storage).await.unwrap(), after);
}
