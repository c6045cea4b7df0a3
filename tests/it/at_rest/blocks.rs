//! Damage to what nothing else says: it is told, all the rest is there, and it comes back with the record.

use std::ops::ControlFlow;

use everfold::error::{Detail, Error};
use everfold::event::Position;
use everfold::layout::keys::{ROOT, UnitRecord};
use everfold::layout::root::Root;
use everfold::layout::{BlockIndex, UnitNumber};
use everfold::storage::{Area, Direction, Key, Record};
use everfold::store::{AllRead, StreamRead};
use everfold::testing::reads;

use crate::one_tab::{Browser, TestStore, in_browser, whole_log, whole_stream};

use super::log::{Course, Log, STREAMS, open, read_all_into, read_stream_into};
use super::wounds::{Wound, named, put};

/// Damages a block, does everything that can be done with the rest, and puts the block back.
async fn check(browser: &Browser, log: &mut Log, block: &Record, wound: Wound) {
    let place = format!("{wound:?}: {}", named(Area::Units, &block.key));
    let root = reads::value(&log.compacted, Area::Index, &Key::text(ROOT)).await.unwrap().expect("a root");
    let root = Root::from_bytes(&root).expect("a whole root");
    let beside = browser.beside(&log.compacted);
    let original = log.original(browser).await;
    assert!(wound.inflict(log, Area::Units, &block.key).await);
    let store = open(&beside, &place).await;
    check_most_streams(&store, &original, &place).await;
    let (damaged, _) = UnitRecord::of(&block.key).expect("a record of a unit");
    for unit in &root.units {
        let read =
            AllRead { after: Position(unit.first.0 - 1), before: Some(unit.last.next()), ..whole_log() };
        let (mut given, mut right) = (Vec::new(), Vec::new());
        let result = read_all_into(&store, read.clone(), &mut given).await;
        read_all_into(&original, read, &mut right).await.expect("a whole log");
        match result {
            Ok(()) => assert_eq!(given, right, "{place}: {unit:?}"),
            Err(error) => {
                check_told(&error, &place);
                assert_eq!(unit.number, damaged, "{place}: {error}");
            }
        }
    }
    log.append_where_accepted(&store, &original, &place).await;
    check_most_streams(&store, &original, &place).await;
    if let Err(error) = store.compact(|_| ControlFlow::Continue(())).await {
        check_told(&error, &place);
    }
    check_most_streams(&store, &original, &place).await;
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
                Ok(()) => assert_eq!(given, right, "{place}: {stream}"),
                Err(error) => {
                    check_told(&error, place);
                    assert!(right.starts_with(&given), "{place}: {stream} {direction:?}");
                }
            }
            whole_count += usize::from(given == right);
        }
    }
    whole_count
}

async fn check_most_streams(store: &TestStore, original: &TestStore, place: &str) {
    let whole_count = check_streams(store, original, place).await;
    assert!(2 < whole_count, "{place}: only {whole_count} streams can be read");
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

/// Damages a block and the root. Nobody knows then what the directory is to say: it is told, and nothing is done.
async fn check_with_root(browser: &Browser, log: &mut Log, block: &Record, wound: Wound, of_root: Wound) {
    let place = format!("{wound:?}: {}, {of_root:?}: the root", named(Area::Units, &block.key));
    assert!(wound.inflict(log, Area::Units, &block.key).await);
    assert!(of_root.inflict(log, Area::Index, &Key::text(ROOT)).await);
    for _ in 0..2 {
        let opened = browser.beside(&log.compacted).try_open().await;
        check_told(&opened.err().expect(&place), &place);
    }
    put(&log.compacted, Area::Units, &block.key, Some(block.value.clone())).await;
    log.check(browser, Course::Read, &place).await;
}

async fn blocks_of(log: &Log) -> Vec<Record> {
    let is_block = |key: &Key| matches!(UnitRecord::of(key), Some((_, UnitRecord::Block(_))));
    let units = log.derived().await.into_iter().filter(|(area, _)| *area == Area::Units);
    units.map(|(_, record)| record).filter(|record| is_block(&record.key)).collect()
}

#[test]
fn a_damaged_block_is_told_and_takes_nothing_with_it() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        for (block, number) in blocks_of(&log).await.iter().zip(0..) {
            let wound = [Wound::Flipped(450), Wound::Unreadable, Wound::Lost][number % 3];
            check(&browser, &mut log.copied().await, block, wound).await;
        }
    });
}

#[test]
fn a_damaged_block_is_told_where_the_root_is_lost_too_and_comes_back_with_it() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 4).await;
        for (block, number) in blocks_of(&log).await.iter().zip(0..).step_by(2) {
            let wounds = [(Wound::Flipped(450), Wound::Lost), (Wound::Lost, Wound::Stale)];
            let (wound, of_root) = wounds[number / 2 % 2];
            check_with_root(&browser, &mut log.copied().await, block, wound, of_root).await;
        }
    });
}

#[test]
fn a_unit_that_is_lost_with_its_header_and_the_root_is_told() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 5).await;
        let blocks = blocks_of(&log).await;
        for block in blocks.iter().filter(|block| UnitRecord::of(&block.key).is_some_and(is_first)) {
            let (unit, _) = UnitRecord::of(&block.key).expect("a record of a unit");
            let mut log = log.copied().await;
            assert!(Wound::Lost.inflict(&log, Area::Units, &UnitRecord::Header.key(unit)).await);
            check_with_root(&browser, &mut log, block, Wound::Flipped(450), Wound::Flipped(999)).await;
        }
    });
}

fn is_first((_, record): (UnitNumber, UnitRecord)) -> bool {
    record == UnitRecord::Block(BlockIndex(0))
}
