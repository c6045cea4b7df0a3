//! Stored bytes that are not what was written: what is whole is read, and nothing is written.

use std::ops::ControlFlow;

use everfold::error::{Detail, Error};
use everfold::event::Position;
use everfold::log::Expected;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Direction, Durability, Format, GuardedWrite, Head, Key, KeyRange, LayoutChange, Storage, Written,
};
use everfold::store::{AllRead, StreamRead};
use everfold::testing::fixture::dump;
use everfold::testing::reads;

use crate::one_tab::{
    Browser, TestStore, append, append_if, event, in_browser, read_all, read_stream, whole_log, whole_stream,
};

/// A log of four records: positions 1, 2 to 3, 4 and 5, the second and the last of stream `b`.
pub async fn four_records(browser: &Browser) {
    let store = browser.open().await;
    append(&store, "a", vec![event("A")]).await;
    append(&store, "b", vec![event("B"), event("C")]).await;
    append(&store, "a", vec![event("D")]).await;
    append(&store, "b", vec![event("E")]).await;
    store.close().await;
}

/// Changes a record behind everybody's back; `None` deletes it.
async fn change(
    storage: &MemoryStorage,
    area: Area,
    key: Key,
    change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>,
) {
    let bytes = reads::value(storage, area, &key).await.expect("a read").expect("a record to change");
    let (mut puts, mut deletes) = (Vec::new(), Vec::new());
    match change(bytes) {
        Some(bytes) => puts.push((area, key, bytes)),
        None => deletes.push((area, key.into())),
    }
    let (layout, durability) = (LayoutChange::Keep, Durability::Memory);
    let write = GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

pub async fn change_log(storage: &MemoryStorage, first: u64, how: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) {
    change(storage, Area::Log, Key::Position(Position(first)), how).await;
}

/// What becomes of a record; `None` is gone.
type Damage = fn(Vec<u8>) -> Option<Vec<u8>>;

pub fn flip(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    Some(bytes)
}

fn truncate(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    bytes.truncate(bytes.len() / 2);
    Some(bytes)
}

fn corrupt_at(error: &Error) -> (Option<u64>, String) {
    match error.detail() {
        Detail::CorruptData { position, segment, .. } => (position.map(|it| it.0), segment.clone()),
        _ => panic!("{error}"),
    }
}

/// What a store whose second record is damaged can and cannot do.
async fn check_second_is_damaged(store: &TestStore) {
    let place = (Some(2), "log/2".to_owned());
    let refused = append_if(store, "a", Expected::Any, vec![event("New")]).await.expect_err("a refusal");
    assert_eq!(corrupt_at(&refused), place);
    let failed = read_all(store, whole_log()).await.expect_err("damage on the way");
    assert_eq!(corrupt_at(&failed), place);
    let before = AllRead { before: Some(Position(2)), ..whole_log() };
    assert_eq!(read_all(store, before).await.expect("whole records"), "1:A");
    let after = AllRead { after: Position(3), ..whole_log() };
    assert_eq!(read_all(store, after).await.expect("whole records"), "4:D 5:E");
    let backwards = AllRead { direction: Direction::Backwards, limit: Some(2), ..whole_log() };
    assert_eq!(read_all(store, backwards).await.expect("whole records"), "5:E 4:D");
    let backwards = AllRead { direction: Direction::Backwards, ..whole_log() };
    assert_eq!(corrupt_at(&read_all(store, backwards).await.expect_err("damage on the way")), place);
    assert_eq!(read_stream(store, whole_stream("a")).await.expect("a whole stream"), "0:A 1:D");
    let failed = read_stream(store, whole_stream("b")).await.expect_err("the stream lacks its beginning");
    assert_eq!(corrupt_at(&failed), place);
    let end = StreamRead { direction: Direction::Backwards, limit: Some(1), ..whole_stream("b") };
    assert_eq!(read_stream(store, end).await.expect("a whole record"), "2:E");
}

#[test]
fn a_damaged_record_never_fails_the_opening_and_never_takes_a_write() {
    let damages: [Damage; 4] = [flip, truncate, |_| Some(Vec::new()), |_| None];
    for damage in damages {
        in_browser(|browser| async move {
            four_records(&browser).await;
            change_log(&browser.storage, 2, damage).await;
            check_second_is_damaged(&browser.open().await).await;
        });
    }
}

#[test]
fn a_missing_end_of_the_log_is_noticed() {
    in_browser(|browser| async move {
        four_records(&browser).await;
        change_log(&browser.storage, 5, |_| None).await;
        let store = browser.open().await;
        let refused = append_if(&store, "a", Expected::Any, vec![event("New")]).await.expect_err("a refusal");
        assert_eq!(corrupt_at(&refused), (Some(5), "log/5".to_owned()));
        assert_eq!(corrupt_at(&read_all(&store, whole_log()).await.expect_err("damage")).0, Some(5));
    });
}

#[test]
fn a_record_under_anothers_key_is_damage() {
    in_browser(|browser| async move {
        four_records(&browser).await;
        let range = KeyRange::default();
        let page =
            reads::page(&browser.storage, Area::Log, range, Direction::Forwards, 9).await.expect("a read");
        let last = page.records[3].value.clone();
        change_log(&browser.storage, 4, move |_| Some(last)).await;
        let store = browser.open().await;
        let failed = read_all(&store, whole_log()).await.expect_err("damage");
        assert_eq!(corrupt_at(&failed).0, Some(4));
        let after = AllRead { after: Position(4), ..whole_log() };
        assert_eq!(read_all(&store, after).await.expect("a whole record"), "5:E");
    });
}

#[test]
fn damage_that_happens_while_the_store_is_open_is_noticed_by_the_next_tab() {
    in_browser(|browser| async move {
        four_records(&browser).await;
        let first = browser.open().await;
        change_log(&browser.storage, 2, flip).await;
        // The first tab has read the record before, and may go on with what it has.
        assert_eq!(read_stream(&first, whole_stream("a")).await.expect("a whole stream"), "0:A 1:D");
        check_second_is_damaged(&browser.open().await).await;
    });
}

#[test]
fn a_damaged_head_or_format_fails_the_opening_and_says_which() {
    #[track_caller]
    fn check(key: &'static str, how: fn(Vec<u8>) -> Option<Vec<u8>>, segment: &str) {
        let segment = segment.to_owned();
        in_browser(|browser| async move {
            four_records(&browser).await;
            change(&browser.storage, Area::Meta, Key::text(key), how).await;
            let error = browser.try_open().await.map(drop).expect_err("damage");
            assert_eq!(corrupt_at(&error), (None, segment));
        });
    }
    check(Head::KEY, flip, "meta/head");
    check(Head::KEY, truncate, "meta/head");
    check(Format::KEY, flip, "meta/format");
    check(Format::KEY, truncate, "meta/format");
    check(Format::KEY, |_| None, "meta/format");
}

#[test]
fn a_database_of_a_newer_everfold_is_not_touched() {
    #[track_caller]
    fn check(format: Format, opens: bool) {
        in_browser(|browser| async move {
            four_records(&browser).await;
            change(&browser.storage, Area::Meta, Key::text(Format::KEY), move |_| Some(format.to_bytes()))
                .await;
            match browser.try_open().await {
                Err(error) => assert_eq!((error.code(), opens), ("VERSION_TOO_NEW", false)),
                Ok(store) => {
                    assert!(opens);
                    assert_eq!(read_all(&store, whole_log()).await.unwrap(), "1:A 2:B 3:C 4:D 5:E");
                    let refused = append_if(&store, "a", Expected::Any, vec![event("New")]).await;
                    assert_eq!(refused.map_err(|error| error.code()), Err("VERSION_TOO_NEW"));
                }
            }
        });
    }
    let newer = Format::CURRENT + 1;
    check(Format { min_reader: newer, min_writer: newer }, false);
    check(Format { min_reader: Format::CURRENT, min_writer: newer }, true);
}

#[test]
fn a_tab_that_was_open_before_a_newer_everfold_came_reads_and_does_not_write() {
    in_browser(|browser| async move {
        four_records(&browser).await;
        let store = browser.open().await;
        change(&browser.storage, Area::Meta, Key::text(Head::KEY), |bytes| {
            let head = Head::from_bytes(&bytes).expect("a head");
            Some(Head { min_writer: head.min_writer + 1, ..head }.to_bytes())
        })
        .await;
        let refused = append_if(&store, "a", Expected::Any, vec![event("New")]).await;
        assert_eq!(refused.map_err(|error| error.code()), Err("VERSION_TOO_NEW"));
        assert_eq!(read_all(&store, whole_log()).await.unwrap(), "1:A 2:B 3:C 4:D 5:E");
        let before = dump(&browser.storage).await;
        let compacted = store.compact(|_| ControlFlow::Continue(())).await;
        assert_eq!(compacted.map(drop).map_err(|error| error.code()), Err("VERSION_TOO_NEW"));
        assert_eq!(dump(&browser.storage).await, before);
    });
}

#[test]
fn what_a_newer_everfold_appended_is_not_taken_for_damage_by_an_append() {
    in_browser(|browser| async move {
        four_records(&browser).await;
        let store = browser.open().await;
        change_log(&browser.storage, 5, |mut bytes| {
            bytes[3] += 1;
            Some(bytes)
        })
        .await;
        change(&browser.storage, Area::Meta, Key::text(Head::KEY), |bytes| {
            let head = Head::from_bytes(&bytes).expect("a head");
            Some(Head { min_writer: head.min_writer + 1, layout: head.layout + 1, ..head }.to_bytes())
        })
        .await;
        let _ = read_all(&store, whole_log()).await;
        let refused = append_if(&store, "a", Expected::Any, vec![event("New")]).await;
        assert_eq!(refused.map_err(|error| error.code()), Err("VERSION_TOO_NEW"));
    });
}
