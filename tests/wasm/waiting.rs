//! What does not answer, or not in time.

use everfold::error::WriteOutcome;
use everfold::host::Host;
use everfold::storage::{Area, Durability, FaultKind, Head};
use everfold::web::{BrowserHost, IndexedDbStorage};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{Sabotage, create_database, delete_database, release_database};
use super::{append, committed, new_storage, unused_name};

/// A database with a connection that hears of nothing and does not close.
async fn held_database(claim: &str) -> (String, String) {
    let name = unused_name(claim);
    let database = format!("everfold:{name}");
    JsFuture::from(create_database(&database, 1, vec!["other".to_owned()])).await.unwrap();
    (name, database)
}

#[wasm_bindgen_test]
async fn an_opening_that_takes_too_long_is_given_up_and_leaves_nothing_behind() {
    let (name, database) = held_database("late").await;
    let deletion = delete_database(&database);
    let sabotage = Sabotage::begin("short time-outs");
    let fault = IndexedDbStorage::open(&name).await.unwrap_err();
    drop(sabotage);
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault:?}");
    assert!(fault.cause.contains("did not open within"), "{fault:?}");

    release_database(&database);
    JsFuture::from(deletion).await.unwrap();
    BrowserHost::alone().unwrap().sleep(200).await;
    assert!(!IndexedDbStorage::exists(&name).await.unwrap(), "the late opening made a database");
}

#[wasm_bindgen_test]
async fn a_connection_that_opens_too_late_is_not_in_the_way_of_others() {
    let (name, database) = held_database("too-late").await;
    // Requests are answered in their order: the deletion waits, and so do the making anew and our opening.
    let deletion = delete_database(&database);
    let stores = Area::ALL.iter().map(|area| area.name().to_owned()).collect();
    let anew = create_database(&database, 1, stores);
    let sabotage = Sabotage::begin("short time-outs");
    let fault = IndexedDbStorage::open(&name).await.unwrap_err();
    drop(sabotage);
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault:?}");

    release_database(&database);
    JsFuture::from(deletion).await.unwrap();
    JsFuture::from(anew).await.unwrap();
    BrowserHost::alone().unwrap().sleep(200).await;
    release_database(&database);
    IndexedDbStorage::destroy(&name).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_destruction_that_another_tab_blocks_is_given_up_and_happens_later() {
    let (name, database) = held_database("blocked").await;
    let sabotage = Sabotage::begin("short time-outs");
    let fault = IndexedDbStorage::destroy(&name).await.unwrap_err();
    drop(sabotage);
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault:?}");
    assert!(fault.cause.contains("another tab holds"), "{fault:?}");

    release_database(&database);
    BrowserHost::alone().unwrap().sleep(200).await;
    assert!(!IndexedDbStorage::exists(&name).await.unwrap(), "it was not deleted");
}

#[wasm_bindgen_test]
async fn an_opening_that_fails_is_tried_again() {
    let name = unused_name("again");
    let _sabotage = Sabotage::begin("the next opening fails");
    let storage = IndexedDbStorage::open(&name).await.unwrap();
    committed(append(&storage, Head::default(), Durability::Relaxed, b"one").await);
}

#[wasm_bindgen_test]
async fn a_commit_behind_a_frozen_tab_is_given_up_and_not_written() {
    let (name, storage) = new_storage("frozen").await;
    let frozen = Sabotage::hold_transaction(&format!("everfold:{name}")).await;
    let sabotage = Sabotage::begin("short time-outs");
    let fault = append(&storage, Head::default(), Durability::Relaxed, b"one").await.unwrap_err();
    drop(sabotage);
    assert_eq!((fault.kind, fault.outcome), (FaultKind::Failed, WriteOutcome::NotWritten), "{fault:?}");
    assert!(fault.cause.contains("another tab may be frozen"), "{fault:?}");
    drop(frozen);
    let head = committed(append(&storage, Head::default(), Durability::Relaxed, b"two").await);
    assert_eq!(head.position.0, 1, "the commit that was given up was made");
}

#[wasm_bindgen_test]
async fn a_commit_that_is_never_answered_is_given_up_with_an_unknown_outcome() {
    let (_, storage) = new_storage("unanswered").await;
    let _silence = Sabotage::begin("the next commit is answered by nothing");
    let _sabotage = Sabotage::begin("short time-outs");
    let fault = append(&storage, Head::default(), Durability::Relaxed, b"one").await.unwrap_err();
    assert_eq!((fault.kind, fault.outcome), (FaultKind::Failed, WriteOutcome::Unknown), "{fault:?}");
}
