//! Damage to what nothing else says: it is told, all the rest is there, and it comes back with the record.

use std::ops::ControlFlow;

use everfold::error::{Detail, Error};
use everfold::event::Position;
use everfold::layout::UnitNumber;
use everfold::layout::keys::{ROOT, UnitRecord};
use everfold::layout::root::Root;
use everfold::storage::{Area, Direction, Key, Record};
use everfold::store::{AllRead, StreamRead};
use everfold::testing::reads;

use crate::one_tab::{Browser, TestStore, in_browser, whole_log, whole_stream};

use super::log::{Course, Log, STREAMS, open, read_all_into, read_stream_into};
use super::wounds::{Wound, named, put};

/// What is damaged together with a block.
#[derive(Debug)]
enum Loss {
    Block,
    BlockAndRoot(Wound),
    /// The root, where it is no block but a page of remains.
    RemainsAndRoot(Wound),
    /// The root, and the header of the unit.
    AllButOtherBlocks(Wound),
}

impl Loss {
    async fn strike(&self, log: &Log, unit: UnitNumber) {
        if let Self::AllButOtherBlocks(_) = self {
            assert!(Wound::Lost.inflict(log, Area::Units, &UnitRecord::Header.key(unit)).await);
        }
        if let Self::BlockAndRoot(wound) | Self::RemainsAndRoot(wound) | Self::AllButOtherBlocks(wound) = self
        {
            assert!(wound.inflict(log, Area::Index, &Key::text(ROOT)).await);
        }
    }
}

/// Damages a block, does everything that can be done with the rest, and puts the block back.
async fn check(browser: &Browser, log: &mut Log, block: &Record, wound: Wound, loss: Loss) {
    let place = format!("{wound:?}: {}, {loss:?}", named(Area::Units, &block.key));
    let root = reads::value(&log.compacted, Area::Index, &Key::text(ROOT)).await.unwrap().expect("a root");
    let root = Root::from_bytes(&root).expect("a whole root");
    let beside = browser.beside(&log.compacted);
    let original = log.original(browser).await;
    assert!(wound.inflict(log, Area::Units, &block.key).await);
    let (damaged, _) = UnitRecord::of(&block.key).expect("a record of a unit");
    loss.strike(log, damaged).await;
    let store = open(&beside, &place).await;
    check_enough_streams(&store, &original, &loss, &place).await;
    for unit in &root.units {
        let read =
            AllRead { after: Position(unit.first.0 - 1), before: Some(unit.last.next()), ..whole_log() };
        let (mut given, mut right) = (Vec::new(), Vec::new());
        let result = read_all_into(&store, read.clone(), &mut given).await;
        read_all_into(&original, read, &mut right).await.expect("a whole log");
        match result {
            Ok(()) if !matches!(loss, Loss::Block) => {
                // What was hidden by what cannot be read is seen.
                let mut given = given.iter();
                assert!(right.iter().all(|event| given.any(|other| other == event)), "{place}: {unit:?}");
            }
            Ok(()) => assert_eq!(given, right, "{place}: {unit:?}"),
            Err(error) => {
                check_told(&error, &place);
                assert_eq!(unit.number, damaged, "{place}: {error}");
            }
        }
    }
    let (given, right) = (store.stats().await.expect(&place), original.stats().await.expect(&place));
    assert!(given.stream_count <= right.stream_count, "{place}: {given:?}, not {right:?}");
    log.append_where_accepted(&store, &original, &place).await;
    check_enough_streams(&store, &original, &loss, &place).await;
    if let Err(error) = store.compact(|_| ControlFlow::Continue(())).await {
        check_told(&error, &place);
    }
    check_enough_streams(&store, &original, &loss, &place).await;
    store.close().await;

    let left = reads::value(&log.compacted, Area::Units, &block.key).await.unwrap();
    assert!(left.is_some() || wound == Wound::Lost, "{place}: a compaction throws away what it cannot read");
    put(&log.compacted, Area::Units, &block.key, Some(block.value.clone())).await;
    log.check_answers(&open(&beside, &place).await, &original, &place).await;
}

/// Streams are read to their end, or to what cannot be read. Gives how many were read whole, in either direction.
pub async fn check_streams(store: &TestStore, original: &TestStore, place: &str) -> usize {
    let mut whole_count = 0;
    for stream in STREAMS {
        for direction in [Direction::Forwards, Direction::Backwards] {
            let read = StreamRead { direction, ..whole_stream(stream) };
            let (mut given, mut right) = (Vec::new(), Vec::new());
            let result = read_stream_into(store, read.clone(), &mut given).await;
            read_stream_into(original, read, &mut right).await.expect("a whole stream");
            match result {
                Ok(()) => {
                    assert_eq!(given, right, "{place}: {stream}");
                    whole_count += 1;
                }
                Err(error) => {
                    check_told(&error, place);
                    assert!(right.starts_with(&given), "{place}: {stream} {direction:?}");
                }
            }
        }
    }
    whole_count
}

async fn check_enough_streams(store: &TestStore, original: &TestStore, loss: &Loss, place: &str) {
    let whole_count = check_streams(store, original, place).await;
    // Where the root is lost too, a block may be all that is known of a unit, and then hold any stream.
    if let Loss::Block = loss {
        assert!(6 <= whole_count, "{place}: only {whole_count} streams can be read");
    }
}

#[track_caller]
fn check_told(error: &Error, place: &str) {
    match error.detail() {
        Detail::CorruptData { segment, .. } => {
            assert!(segment.starts_with("units"), "{place}: {error}")
        }
        _ => panic!("{place}: {error}"),
    }
}

/// Damages a unit and the root, so that nothing says what it covers: it is told, and nothing is done.
async fn check_missing(browser: &Browser, log: &mut Log, block: &Record, wound: Wound, loss: Loss) {
    let place = format!("{wound:?}: {}, {loss:?}", named(Area::Units, &block.key));
    assert!(wound.inflict(log, Area::Units, &block.key).await);
    let (unit, _) = UnitRecord::of(&block.key).expect("a record of a unit");
    loss.strike(log, unit).await;
    for _ in 0..2 {
        let opened = browser.beside(&log.compacted).try_open().await;
        check_told(&opened.err().expect(&place), &place);
    }
    put(&log.compacted, Area::Units, &block.key, Some(block.value.clone())).await;
    log.check(browser, Course::Read, &place).await;
}

pub async fn blocks_of(log: &Log) -> Vec<Record> {
    records_of(log, |record| matches!(record, UnitRecord::Block(_))).await
}

async fn records_of(log: &Log, is_wanted: fn(UnitRecord) -> bool) -> Vec<Record> {
    let units = log.derived().await.into_iter().filter(|(area, _)| *area == Area::Units);
    let is_wanted =
        |record: &Record| UnitRecord::of(&record.key).is_some_and(|(_, record)| is_wanted(record));
    units.map(|(_, record)| record).filter(is_wanted).collect()
}

#[test]
fn a_damaged_block_is_told_and_takes_nothing_with_it() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        for (block, number) in blocks_of(&log).await.iter().zip(0..) {
            let wound = [Wound::Flipped(450), Wound::Unreadable, Wound::Lost][number % 3];
            check(&browser, &mut log.copied().await, block, wound, Loss::Block).await;
        }
    });
}

#[test]
fn a_damaged_block_is_told_where_the_directory_is_made_again_without_it_and_comes_back() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 4).await;
        for (block, number) in blocks_of(&log).await.iter().zip(0..) {
            let wounds = [
                (Wound::Flipped(450), Wound::Lost),
                (Wound::Lost, Wound::Stale),
                (Wound::Unreadable, Wound::Unreadable),
            ];
            let (wound, of_root) = wounds[number % 3];
            check(&browser, &mut log.copied().await, block, wound, Loss::BlockAndRoot(of_root)).await;
        }
    });
}

#[test]
fn what_remains_of_erased_events_is_told_where_the_directory_is_made_again_without_it_and_comes_back() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 4).await;
        let remains = records_of(&log, |record| matches!(record, UnitRecord::Remains(_))).await;
        assert!(!remains.is_empty());
        for record in &remains {
            for wound in [Wound::Flipped(450), Wound::Lost, Wound::Unreadable] {
                check(&browser, &mut log.copied().await, record, wound, Loss::Block).await;
                let loss = Loss::RemainsAndRoot(Wound::Lost);
                check(&browser, &mut log.copied().await, record, wound, loss).await;
            }
        }
    });
}

#[test]
fn a_unit_whose_header_is_lost_too_is_found_by_its_other_blocks() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 5).await;
        let blocks = blocks_of(&log).await;
        let (mut found_count, mut missing_count) = (0, 0);
        for (block, number) in blocks.iter().zip(0..) {
            let wound = [Wound::Flipped(450), Wound::Lost, Wound::Unreadable][number % 3];
            let loss = Loss::AllButOtherBlocks([Wound::Flipped(999), Wound::Lost][number % 2]);
            let unit = |block: &Record| UnitRecord::of(&block.key).map(|(unit, _)| unit);
            let mut log = log.copied().await;
            if blocks.iter().filter(|other| unit(other) == unit(block)).count() == 1 {
                missing_count += 1;
                check_missing(&browser, &mut log, block, wound, loss).await;
            } else {
                found_count += 1;
                check(&browser, &mut log, block, wound, loss).await;
            }
        }
        println!("{found_count} found, {missing_count} missing");
        assert!(3 < found_count, "only {found_count}");
    });
}
