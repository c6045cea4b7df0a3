//! Records that were written by nobody and that keep to every form: they cost an error, and no memory or time.

use everfold::codec::encode_records;
use everfold::event::{Json, NewEvent, Position};
use everfold::layout::keys::{ROOT, RunRecord, UnitRecord};
use everfold::layout::root::Root;
use everfold::layout::unit::UnitHeader;
use everfold::layout::{BlockIndex, RunNumber, UnitNumber};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Head, Key};
use everfold::testing::reads;

use crate::codec::sample;
use crate::compaction::laid::compact;
use crate::one_tab::{append, event, in_browser, read_all, whole_log};

use super::log::{Answers, Log, open};
use super::wounds::{Wound, put};

/// Largest number that is read anywhere.
const INTEGER_MAX: u64 = (1 << 53) - 1;

async fn root_of(storage: &MemoryStorage) -> Root {
    let stored = reads::value(storage, Area::Index, &Key::text(ROOT)).await.expect("a read");
    Root::from_bytes(&stored.expect("a root")).expect("a whole root")
}

/// Whatever a root says that fits to its head, all questions are answered, or damage is told.
#[track_caller]
fn check_root(what: &'static str, forge: fn(&mut Root)) {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        println!("{what}");
        let mut root = root_of(&log.compacted).await;
        forge(&mut root);
        put(&log.compacted, Area::Index, &Key::text(ROOT), Some(root.to_bytes())).await;
        let store = open(&browser.beside(&log.compacted), what).await;
        // What they say may be wrong. That they say it is what counts.
        let _ = Answers::of(&store, &log.commits).await;
        let _ = compact(&store).await;
        let _ = Answers::of(&store, &log.commits).await;
    });
}

#[test]
fn numbers_of_a_root_reserve_nothing() {
    check_root("blocks", |root| root.units[0].block_count = u32::MAX);
    check_root("remains", |root| root.units[0].remains_count = u32::MAX);
    check_root("pages", |root| root.runs[0].page_count = u32::MAX);
    check_root("entries", |root| root.units.iter_mut().for_each(|unit| unit.entry_count = INTEGER_MAX));
    check_root("bytes", |root| root.units.iter_mut().for_each(|unit| unit.stored_bytes = INTEGER_MAX));
    check_root("counts", |root| (root.stream_count, root.visible_count) = (INTEGER_MAX, INTEGER_MAX));
}

#[test]
fn a_root_and_a_header_with_more_parts_than_a_unit_can_have_are_none() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        let root = root_of(&log.compacted).await;
        for forge in [
            |root: &mut Root| root.units[0].block_count = (1 << 20) + 1,
            |root: &mut Root| root.units[0].remains_count = (1 << 20) + 1,
        ] {
            let mut forged = root.clone();
            forge(&mut forged);
            assert!(Root::from_bytes(&forged.to_bytes()).is_err());
            let header = UnitHeader { info: forged.units[0], blocks: Vec::new() };
            assert!(UnitHeader::from_bytes(&header.to_bytes()).is_err());
        }
    });
}

#[test]
fn a_head_with_numbers_that_no_log_reaches_is_none() {
    let head = Head { position: Position(INTEGER_MAX), appended_bytes: INTEGER_MAX, ..Head::default() };
    assert_eq!(Head::from_bytes(&head.to_bytes()), Some(head));
    for forged in [
        Head { position: Position(INTEGER_MAX + 1), ..head },
        Head { appended_bytes: INTEGER_MAX + 1, ..head },
    ] {
        assert_eq!(Head::from_bytes(&forged.to_bytes()), None);
    }
}

/// The root is lost, and something stands under a key that is like one of ours: the log is found all the same.
#[track_caller]
fn check_stranger(area: Area, key: Key) {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        let (original, place) = (log.original(&browser).await, format!("{key:?}"));
        put(&log.compacted, area, &key, Some(b"a stranger".to_vec())).await;
        assert!(Wound::Lost.inflict(&log, Area::Index, &Key::text(ROOT)).await);
        let store = open(&browser.beside(&log.compacted), &place).await;
        log.check_answers(&store, &original, &place).await;
    });
}

#[test]
fn what_stands_under_numbers_that_nobody_gives_is_passed_over() {
    for number in [INTEGER_MAX + 1, u64::MAX - 5, u64::MAX] {
        check_stranger(Area::Units, UnitRecord::Block(BlockIndex(3)).key(UnitNumber(number)));
        check_stranger(Area::Index, RunRecord::Page(3).key(RunNumber(number)));
    }
}

#[test]
fn a_block_of_a_place_that_no_unit_has_is_passed_over() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 3).await;
        let (original, place) = (log.original(&browser).await, "the last place");
        let unit = root_of(&log.compacted).await.units[0].number;
        let header = UnitRecord::Header.key(unit);
        for record in [UnitRecord::Block(BlockIndex(u32::MAX)), UnitRecord::Remains(u32::MAX)] {
            put(&log.compacted, Area::Units, &record.key(unit), Some(b"a stranger".to_vec())).await;
        }
        put(&log.compacted, Area::Units, &header, None).await;
        assert!(Wound::Lost.inflict(&log, Area::Index, &Key::text(ROOT)).await);
        let store = open(&browser.beside(&log.compacted), place).await;
        log.check_answers(&store, &original, place).await;
    });
}

#[test]
fn a_record_that_overlaps_another_pushes_no_third_one_out() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        append(&store, "a", vec![event("A"), event("A")]).await;
        // More than is kept in memory, so that it is read again.
        let text = "x".repeat(1_000_000);
        let large =
            NewEvent { data: Some(Json::parse(format!("\"{text}\"")).expect("good JSON")), ..event("B") };
        for _ in 0..24 {
            append(&store, "b", vec![large.clone()]).await;
        }
        let expected = read_all(&store, whole_log()).await.expect("a whole log");
        store.close().await;
        let stray = sample::commit(vec![sample::plain_event(2, "stray", 0, "Strayed")]);
        let record = encode_records(&sample::frames(&[stray])).remove(0);
        put(&browser.storage, Area::Log, &Key::Position(Position(2)), Some(record.bytes)).await;
        let store = browser.open().await;
        assert_eq!(read_all(&store, whole_log()).await, Ok(expected));
    });
}
