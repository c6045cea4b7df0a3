//! Damage in what was compacted: what can be found out again is, and what cannot is told.

use everfold::error::{Detail, Error};
use everfold::event::{Position, Revision};
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord, tied};
use everfold::layout::unit::{UnitHeader, UnitInfo};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Direction, Durability, GuardedWrite, Key, LayoutChange, Record, Storage, Written,
};
use everfold::store::{AllRead, StreamRead};
use everfold::testing::prng::Prng;

use crate::one_tab::{append, event, in_browser, read_all, read_stream, whole_log, whole_stream};

use super::by_hand::{Erasure, all_of, compact, compact_all, copy};
use super::history::History;
use super::questions::check_same;

/// What becomes of a record; `None` is gone.
type Damage = fn(&[u8]) -> Option<Vec<u8>>;

const DAMAGES: [Damage; 3] = [flipped, |bytes| Some(bytes[..bytes.len() / 2].to_vec()), |_| None];

fn flipped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    Some(bytes)
}

async fn change(storage: &MemoryStorage, area: Area, record: &Record, damage: Damage) {
    let (mut puts, mut deletes) = (Vec::new(), Vec::new());
    match damage(&record.value) {
        Some(bytes) => puts.push((area, record.key.clone(), bytes)),
        None => deletes.push((area, record.key.clone().into())),
    }
    let (layout, durability) = (LayoutChange::Keep, Durability::Memory);
    let write = GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

/// Damages those records of a compacted log that are of a kind, one more each time, and asks everything: of a store
/// that was open before, and of one that is opened then.
fn check(seed: u64, is_of_kind: fn(Area, &Key) -> bool) {
    in_browser(|browser| async move {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let mut history = History::any(&mut prng);
        let original = browser.open().await;
        history.append(&original, &mut prng).await;
        for damage in DAMAGES {
            let storage = MemoryStorage::new();
            copy(&browser.storage, &storage).await;
            compact(&storage, &mut prng, Erasure::Hidden).await;
            let other = browser.beside(&storage);
            let open_before = other.open().await;
            let mut damaged_count = 0;
            for area in [Area::Units, Area::Index] {
                for record in all_of(&storage, area).await {
                    if is_of_kind(area, &record.key) && (damaged_count == 0 || prng.chance(300)) {
                        change(&storage, area, &record, damage).await;
                        damaged_count += 1;
                    }
                }
            }
            println!("{damaged_count} damaged");
            check_same(&original, &other.open().await, &history, &mut prng, Erasure::Hidden).await;
            check_same(&original, &open_before, &history, &mut prng, Erasure::Hidden).await;
        }
    });
}

#[test]
fn a_root_is_found_again_by_the_headers_of_units() {
    for seed in 200..203 {
        check(seed, |area, key| area == Area::Index && *key == Key::text(ROOT));
    }
}

#[test]
fn the_directory_is_made_again_of_blocks() {
    for seed in 210..212 {
        check(seed, |_, key| RunRecord::of(key).is_some_and(|(_, kind)| kind == RunRecord::Index));
        check(seed, |_, key| RunRecord::of(key).is_some_and(|(_, kind)| kind != RunRecord::Index));
        check(seed, |area, _| area == Area::Index);
    }
}

#[test]
fn filters_and_headers_can_be_done_without() {
    for seed in 220..222 {
        let is_filter: fn(Area, &Key) -> bool = |area, key| {
            area == Area::Units
                && UnitRecord::of(key).is_some_and(|(_, kind)| matches!(kind, UnitRecord::Filter(_)))
        };
        check(seed, is_filter);
        check(seed, |area, key| {
            area == Area::Units && UnitRecord::of(key).is_some_and(|(_, kind)| kind == UnitRecord::Header)
        });
    }
}

#[test]
fn a_header_that_says_something_else_than_the_root_is_not_believed() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        for stream in ["a", "b"] {
            append(&store, stream, vec![event("A"), event("B")]).await;
        }
        compact_all(&browser.storage, 1).await;
        for record in all_of(&browser.storage, Area::Units).await {
            if let Some((_, UnitRecord::Header)) = UnitRecord::of(&record.key) {
                let header = UnitHeader::from_bytes(&tied(&record.key, record.value)).expect("a header");
                // As if all had been erased.
                let info = UnitInfo { block_count: 0, entry_count: 0, ..header.info };
                let value = tied(&record.key, UnitHeader { info, blocks: Vec::new() }.to_bytes());
                let record = Record { key: record.key, value };
                change(&browser.storage, Area::Units, &record, |bytes| Some(bytes.to_vec())).await;
            }
        }
        let store = browser.open().await;
        let read = AllRead { after: Position(1), ..whole_log() };
        assert_eq!(read_all(&store, read).await.expect("whole blocks"), "2:B 3:A 4:B");
        assert_eq!(read_stream(&store, whole_stream("b")).await.expect("whole blocks"), "0:A 1:B");
    });
}

#[test]
fn an_older_root_is_not_believed() {
    in_browser(|browser| async move {
        let mut prng = Prng::new(230);
        let mut history = History::any(&mut prng);
        let original = browser.open().await;
        history.append(&original, &mut prng).await;
        let storage = MemoryStorage::new();
        copy(&browser.storage, &storage).await;
        compact(&storage, &mut prng, Erasure::Nothing).await;
        let records = all_of(&storage, Area::Index).await;
        let older = records.into_iter().find(|record| record.key == Key::text(ROOT)).expect("a root");
        compact(&storage, &mut prng, Erasure::Nothing).await;
        change(&storage, Area::Index, &older, |bytes| Some(bytes.to_vec())).await;
        let other = browser.beside(&storage).open().await;
        check_same(&original, &other, &history, &mut prng, Erasure::Nothing).await;
    });
}

fn corrupt_at(error: &Error) -> (Option<u64>, String) {
    match error.detail() {
        Detail::CorruptData { position, segment, .. } => (position.map(|it| it.0), segment.clone()),
        _ => panic!("{error}"),
    }
}

#[test]
fn a_block_that_cannot_be_read_is_told_and_nothing_else_suffers() {
    for damage in DAMAGES {
        in_browser(|browser| async move {
            let store = browser.open().await;
            for stream in ["a", "b"] {
                append(&store, stream, vec![event("A"), event("B")]).await;
            }
            compact_all(&browser.storage, 2).await;
            append(&store, "c", vec![event("C")]).await;
            let is_first_block =
                |record: &&Record| matches!(UnitRecord::of(&record.key), Some((_, UnitRecord::Block(_))));
            let records = all_of(&browser.storage, Area::Units).await;
            let block = records.iter().find(is_first_block).expect("a block");
            change(&browser.storage, Area::Units, block, damage).await;
            let store = browser.open().await;
            let failed = read_stream(&store, whole_stream("a")).await.expect_err("damage");
            assert_eq!(corrupt_at(&failed).0, Some(1));
            assert!(corrupt_at(&failed).1.starts_with("units/"), "{failed}");
            assert_eq!(corrupt_at(&read_all(&store, whole_log()).await.expect_err("damage")).0, Some(1));
            let after = AllRead { after: Position(2), ..whole_log() };
            assert_eq!(read_all(&store, after).await.expect("whole blocks"), "3:A 4:B 5:C");
            assert_eq!(read_stream(&store, whole_stream("b")).await.expect("a whole block"), "0:A 1:B");
            assert_eq!(read_stream(&store, whole_stream("c")).await.expect("a whole record"), "0:C");
            append(&store, "a", vec![event("D")]).await;
            let end = StreamRead { from: Revision(2), ..whole_stream("a") };
            assert_eq!(read_stream(&store, end).await.expect("a whole record"), "2:D");
        });
    }
}

#[test]
fn whole_units_are_read_before_one_with_a_damaged_block_is_told() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        for stream in ["a", "b", "c"] {
            append(&store, stream, vec![event("A"), event("B")]).await;
        }
        compact_all(&browser.storage, 3).await;
        let records = all_of(&browser.storage, Area::Units).await;
        let is_block =
            |record: &&Record| matches!(UnitRecord::of(&record.key), Some((_, UnitRecord::Block(_))));
        let block = records.iter().filter(is_block).nth(1).expect("a second block");
        change(&browser.storage, Area::Units, block, flipped).await;
        for (direction, expected, place) in [(Direction::Forwards, 1, 2), (Direction::Backwards, 6, 5)] {
            let mut read = AllRead { direction, ..whole_log() };
            let page = store.read_all(&read).await.expect("a whole unit");
            let first = page.entries().next().map(|entry| entry.position);
            assert_eq!((first, page.events.len(), page.next), (Some(Position(expected)), 2, Some(place)));
            match direction {
                Direction::Forwards => read.after = Position(place),
                Direction::Backwards => read.before = Some(Position(place)),
            }
            assert_eq!(corrupt_at(&store.read_all(&read).await.expect_err("damage")).0, Some(3));
        }
    });
}

#[test]
fn what_a_stream_has_before_a_damaged_block_is_read_first() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        for _ in 0..3 {
            append(&store, "a", vec![event("A"), event("B")]).await;
        }
        compact_all(&browser.storage, 3).await;
        let records = all_of(&browser.storage, Area::Units).await;
        let is_block =
            |record: &&Record| matches!(UnitRecord::of(&record.key), Some((_, UnitRecord::Block(_))));
        let block = records.iter().filter(is_block).nth(1).expect("a second block");
        change(&browser.storage, Area::Units, block, flipped).await;
        for (direction, next) in [(Direction::Forwards, 2), (Direction::Backwards, 4)] {
            let mut read = StreamRead { direction, ..whole_stream("a") };
            let page = store.read_stream(&read).await.expect("a whole block");
            assert_eq!((page.events.len(), page.next), (2, Some(next)));
            match direction {
                Direction::Forwards => read.from = Revision(next),
                Direction::Backwards => read.before = Some(Revision(next)),
            }
            assert_eq!(corrupt_at(&store.read_stream(&read).await.expect_err("damage")).0, Some(3));
        }
    });
}

#[test]
fn a_stream_does_not_end_before_a_record_that_cannot_be_read() {
    for is_compacted in [false, true] {
        in_browser(|browser| async move {
            let store = browser.open().await;
            append(&store, "a", vec![event("A"), event("B")]).await;
            if is_compacted {
                compact_all(&browser.storage, 1).await;
            }
            append(&store, "a", vec![event("C")]).await;
            let records = all_of(&browser.storage, Area::Log).await;
            let last = records.last().expect("a record");
            change(&browser.storage, Area::Log, last, flipped).await;
            let store = browser.open().await;
            let place = (Some(3), "log/3".to_owned());
            let failed = read_stream(&store, whole_stream("a")).await.expect_err("an end that is not known");
            assert_eq!(corrupt_at(&failed), place);
            let page = store.read_stream(&whole_stream("a")).await.expect("what is whole");
            assert_eq!((page.events.len(), page.next), (2, Some(2)));
            let behind = StreamRead { from: Revision(2), ..whole_stream("a") };
            assert_eq!(corrupt_at(&store.read_stream(&behind).await.expect_err("damage")), place);
            let known = StreamRead { before: Some(Revision(2)), ..whole_stream("a") };
            assert_eq!(read_stream(&store, known).await.expect("what is whole"), "0:A 1:B");
            let limited = StreamRead { limit: Some(2), ..whole_stream("a") };
            assert_eq!(read_stream(&store, limited).await.expect("what is whole"), "0:A 1:B");
            let earlier = StreamRead { as_of: Some(Position(2)), ..whole_stream("a") };
            assert_eq!(read_stream(&store, earlier).await.expect("what is whole"), "0:A 1:B");
        });
    }
}
