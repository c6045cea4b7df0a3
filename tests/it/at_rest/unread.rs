//! What the root calls unread: readers go by it, whatever they had read before, and it says no more than is known.

use std::ops::ControlFlow;

use everfold::event::{Json, NewEvent, Position, UnixMillis};
use everfold::layout::BlockIndex;
use everfold::layout::keys::{ROOT, UnitRecord};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Key, Record};
use everfold::store::{Count, CountBy, StreamList};
use everfold::testing::faulty_storage::{Fault, Target};
use everfold::testing::prng::Prng;

use crate::compacted::by_hand::{all_of, copy};
use crate::compaction::laid::on_demand;
use crate::one_tab::{Browser, TestStore, append, event, in_browser, whole_log};

use super::blocks::{blocks_of, check_streams};
use super::log::{Log, counted, open};
use super::wounds::{Wound, named, put};

#[test]
fn a_block_that_a_tab_had_read_before_it_was_lost_is_told_and_comes_back() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        for block in &blocks_of(&log).await {
            let (log, place) = (log.copied().await, named(Area::Units, &block.key));
            let (beside, original) = (browser.beside(&log.compacted), log.original(&browser).await);
            let store = open(&beside, &place).await;
            let all_count = check_streams(&store, &original, &place).await;
            assert!(Wound::Lost.inflict(&log, Area::Units, &block.key).await);
            assert!(Wound::Lost.inflict(&log, Area::Index, &Key::text(ROOT)).await);
            // Another tab makes the root again, without the block.
            open(&beside, &place).await.close().await;
            let whole_count = check_streams(&store, &original, &place).await;
            assert!(whole_count < all_count, "{place}: nobody says that it is lost");
            put(&log.compacted, Area::Units, &block.key, Some(block.value.clone())).await;
            log.check_answers(&store, &original, &place).await;
        }
    });
}

#[test]
fn to_know_that_unread_blocks_do_not_hold_a_stream_costs_as_many_reads_however_many_they_are() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        let blocks = blocks_of(&log).await;
        let is_first = |pair: &&[Record]| {
            let place = |record: &Record| UnitRecord::of(&record.key).expect("a record of a unit");
            let ((unit, record), (next_unit, _)) = (place(&pair[0]), place(&pair[1]));
            record == UnitRecord::Block(BlockIndex(0)) && unit == next_unit
        };
        let firsts: Vec<&Record> = blocks.windows(2).filter(is_first).map(|pair| &pair[0]).collect();
        assert!(1 < firsts.len(), "only {} units of several blocks", firsts.len());
        let mut counts = Vec::new();
        for damaged_count in [1, firsts.len()] {
            let (log, place) = (log.copied().await, format!("{damaged_count} blocks"));
            let beside = browser.beside(&log.compacted);
            for block in firsts.iter().take(damaged_count) {
                put(&log.compacted, Area::Units, &block.key, Some(Vec::new())).await;
            }
            assert!(Wound::Lost.inflict(&log, Area::Index, &Key::text(ROOT)).await);
            open(&beside, &place).await.close().await;
            let store = open(&beside, &place).await;
            beside.faults.arm(Target::Every, u64::MAX, Fault::Refused);
            // Behind all names that there are.
            assert_eq!(store.stream_info("\u{10FFFF}").await, Ok(None), "{place}");
            counts.push(beside.faults.met().len());
        }
        assert_eq!(counts[0], counts[1]);
    });
}

fn all_streams() -> StreamList {
    StreamList { prefix: String::new(), after: None, limit: 100 }
}

/// A log of events alone, in one unit of which each block has times of its own.
async fn by_time(browser: &Browser) -> MemoryStorage {
    let store = browser.open_with(on_demand(1_000)).await.expect("a whole database opens");
    let mut prng = Prng::new(9);
    for hour in 0..8 {
        for minute in 0..10 {
            append(&store, &format!("hour-{hour}"), vec![happened(&mut prng, hour * 60 + minute)]).await;
        }
    }
    store.compact(|_| ControlFlow::Continue(())).await.expect("a whole log");
    store.close().await;
    browser.storage.handle()
}

/// An event of a minute, whose data does not compress.
fn happened(prng: &mut Prng, minute: i64) -> NewEvent {
    let word: String = prng.bytes(2_000).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let data = Json::parse(format!("\"{word}\"")).expect("good JSON");
    NewEvent { data: Some(data), time: Some(UnixMillis(minute * 60_000)), ..event("Happened") }
}

fn between(first: i64, end: i64) -> Count {
    Count {
        query: whole_log().query,
        since: Some(UnixMillis(first * 60_000)),
        until: Some(UnixMillis(end * 60_000)),
        by: CountBy::Nothing,
        after: Position::START,
        as_of: None,
    }
}

/// The numbers of events of each hour, and of all: every one is right or refused. Gives how many are right.
async fn check_counts(store: &TestStore, place: &str) -> usize {
    let mut right_count = 0;
    let hours = (0..8).map(|hour| (hour * 60, hour * 60 + 60, 10));
    for (first, end, expected) in hours.chain([(0, 480, 80), (-999_999, 999_999, 80)]) {
        match counted(store, between(first, end)).await {
            Ok(counts) => {
                assert_eq!(counts, [(String::new(), expected)], "{place}: {first} to {end}");
                right_count += 1;
            }
            Err(error) => assert_eq!(error.code(), "CORRUPT_DATA", "{place}: {error}"),
        }
    }
    right_count
}

#[test]
fn times_and_counts_of_a_unit_that_was_found_by_some_of_its_blocks_are_those_of_all() {
    in_browser(|browser| async move {
        let whole = by_time(&browser).await;
        let records = all_of(&whole, Area::Units).await;
        let is_block =
            |record: &&Record| matches!(UnitRecord::of(&record.key), Some((_, UnitRecord::Block(_))));
        let blocks: Vec<&Record> = records.iter().filter(is_block).collect();
        assert!(2 < blocks.len(), "only {} blocks", blocks.len());
        for block in &blocks {
            let (storage, place) = (MemoryStorage::new(), named(Area::Units, &block.key));
            copy(&whole, &storage).await;
            let (unit, _) = UnitRecord::of(&block.key).expect("a record of a unit");
            put(&storage, Area::Units, &block.key, Some(Vec::new())).await;
            put(&storage, Area::Units, &UnitRecord::Header.key(unit), None).await;
            put(&storage, Area::Index, &Key::text(ROOT), None).await;
            let store = open(&browser.beside(&storage), &place).await;
            check_counts(&store, &place).await;
            put(&storage, Area::Units, &block.key, Some(block.value.clone())).await;
            assert_eq!(check_counts(&store, &place).await, 10, "{place}");
            // Whoever asks for a stream that may stand there finds that all can be read.
            assert_eq!(store.streams(&all_streams()).await.expect(&place).len(), 8, "{place}");
            assert_eq!(check_counts(&store, &place).await, 10, "{place}");
        }
    });
}
