//! What is hidden across units is erased when they are rewritten, and everything is answered as if nothing had been.

use std::ops::Range;

use everfold::event::Revision;
use everfold::layout::keys::{ROOT, RunRecord};
use everfold::log::Expected;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Durability, GuardedWrite, Key, LayoutChange, Storage, Written};
use everfold::store::{Mark, StreamList};

use crate::compacted::by_hand::all_of;
use crate::one_tab::{
    Browser, TestStore, append, append_if, commit, event, in_browser, mark, numbered, read_all, read_stream,
    whole_log, whole_stream, write,
};

use super::laid::{compact, on_demand};
use super::stored::Stored;

/// So many units hold events of the stream that is marked, so many each.
const UNITS: u64 = 3;
const EVENTS_PER_UNIT: u64 = 4;

/// A stream goes through units; after some of them it is marked.
fn check(marks: &[(u64, Mark)]) {
    in_browser(|browser| async move {
        let other = browser.beside(&MemoryStorage::new());
        let (original, store) = (browser.open().await, other.open_with(on_demand(8)).await.unwrap());
        let mut id = 0;
        for round in 1..=UNITS {
            for _ in 0..EVENTS_PER_UNIT {
                id += 1;
                for store in [&original, &store] {
                    append(store, "marked", vec![numbered("A", id)]).await;
                    append(store, "other", vec![event("B")]).await;
                }
            }
            compact(&store).await.unwrap();
            for (_, what) in marks.iter().filter(|(after, _)| *after == round) {
                for store in [&original, &store] {
                    mark(store, "marked", *what).await.unwrap();
                }
            }
        }
        check_same(&original, &store, marks).await;
        for unit_entries_max in [8, 1_000] {
            let store = other.open_with(on_demand(unit_entries_max)).await.unwrap();
            compact(&store).await.unwrap();
            check_same(&original, &store, marks).await;
            check_erased(&original, &other, marks).await;
            lose(&other.storage, |key| RunRecord::of(key).is_some()).await;
            check_same(&original, &other.open().await, marks).await;
            lose(&other.storage, |key| *key == Key::text(ROOT)).await;
            check_same(&original, &other.open().await, marks).await;
            compact(&other.open().await).await.unwrap();
            check_same(&original, &store, marks).await;
        }
        // A tombstoned stream refuses them, by both alike.
        for number in [1, id, id + 1] {
            let repeat = async |store: &TestStore| {
                let events = vec![numbered("A", number)];
                let appended = append_if(store, "marked", Expected::Any, events);
                appended.await.map_err(|error| error.code())
            };
            assert_eq!(repeat(&store).await, repeat(&original).await, "{marks:?}: the id {number} again");
        }
        check_same(&original, &store, marks).await;
    });
}

async fn check_same(original: &TestStore, store: &TestStore, marks: &[(u64, Mark)]) {
    let list = StreamList { prefix: String::new(), after: None, limit: 10 };
    let answers = async |store: &TestStore| {
        let stats = store.stats().await.unwrap();
        let streams = store.streams(&list).await.unwrap();
        let streams: Vec<_> = streams
            .into_iter()
            .map(|it| (it.stream, it.revision, it.count, it.life, it.truncated_before, it.first_position))
            .collect();
        (
            read_stream(store, whole_stream("marked")).await.unwrap(),
            read_stream(store, whole_stream("other")).await.unwrap(),
            read_all(store, whole_log()).await.unwrap(),
            streams,
            (stats.event_count, stats.stream_count),
        )
    };
    assert_eq!(answers(store).await, answers(original).await, "{marks:?}");
}

/// What is seen is stored, and facts, and nothing else.
async fn check_erased(original: &TestStore, other: &Browser, marks: &[(u64, Mark)]) {
    let stored = Stored::read(&other.storage).await;
    let blocks = stored.units.iter().flat_map(|unit| unit.blocks.iter());
    let entries: u64 = blocks.map(|block| block.len() as u64).sum();
    let facts = original.position().0 - 2 * UNITS * EVENTS_PER_UNIT;
    assert_eq!(entries, original.stats().await.unwrap().event_count + facts, "{marks:?}");
}

async fn lose(storage: &MemoryStorage, is_lost: fn(&Key) -> bool) {
    let keys = all_of(storage, Area::Index).await.into_iter().map(|record| record.key);
    let deletes: Vec<_> = keys.filter(is_lost).map(|key| (Area::Index, key.into())).collect();
    assert!(!deletes.is_empty());
    let (expect, puts) = (Vec::new(), Vec::new());
    let (layout, durability) = (LayoutChange::Keep, Durability::Memory);
    let write = GuardedWrite { expect, deletes, puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

#[test]
fn a_stream_may_be_truncated_at_any_revision() {
    for before in 0..=UNITS * EVENTS_PER_UNIT + 1 {
        check(&[(UNITS, Mark::Truncate { before: Revision(before) })]);
    }
}

#[test]
fn a_stream_may_be_truncated_further_and_less_far_after_each_unit() {
    for (first, second) in [(1, 3), (3, 5), (4, 8), (8, 4), (5, 5), (2, 12)] {
        let truncate = |before| Mark::Truncate { before: Revision(before) };
        check(&[(1, truncate(first)), (2, truncate(second)), (3, truncate(second + 1))]);
    }
}

#[test]
fn a_stream_may_be_deleted_and_begun_again_across_units() {
    let truncate = Mark::Truncate { before: Revision(6) };
    check(&[(1, Mark::Delete)]);
    check(&[(2, Mark::Delete)]);
    check(&[(3, Mark::Delete)]);
    check(&[(1, Mark::Delete), (2, Mark::Delete)]);
    check(&[(1, Mark::Delete), (2, truncate), (3, Mark::Delete)]);
    check(&[(3, Mark::Delete), (3, truncate)]);
    check(&[(1, Mark::Delete), (3, Mark::Tombstone)]);
    check(&[(2, truncate), (3, Mark::Tombstone)]);
}

/// More than are known at a time of which nobody has looked whether anything hidden is left of them.
const MANY: usize = 5_000;

/// How many entries the units of a log have.
async fn entry_count(browser: &Browser) -> u64 {
    Stored::read(&browser.storage).await.root.units.iter().map(|unit| unit.entry_count).sum()
}

#[test]
fn of_many_streams_that_were_deleted_long_ago_those_are_erased_that_were_written_and_deleted_again() {
    in_browser(|browser| async move {
        let store = browser.open_with(on_demand(100_000)).await.unwrap();
        let append_to = async |numbers: Range<usize>| {
            let writes = numbers.map(|number| write(&format!("s{number}"), Expected::Any, vec![event("A")]));
            commit(&store, writes.collect()).await.unwrap();
        };
        let delete = async |numbers: Range<usize>| {
            for number in numbers {
                mark(&store, &format!("s{number}"), Mark::Delete).await.unwrap();
            }
        };
        append_to(0..MANY).await;
        assert_eq!(compact(&store).await.unwrap().erased_count, 0);
        delete(0..MANY).await;
        assert_eq!(compact(&store).await.unwrap().erased_count, MANY as u64);
        assert_eq!(entry_count(&browser).await, MANY as u64);
        append_to(MANY / 2..MANY / 2 + 20).await;
        assert_eq!(compact(&store).await.unwrap().erased_count, 0);
        delete(MANY / 2..MANY / 2 + 7).await;
        assert_eq!(compact(&store).await.unwrap().erased_count, 7);
        assert_eq!(entry_count(&browser).await, MANY as u64 + 20);
        assert_eq!(store.stats().await.unwrap().event_count, 13);
    });
}
