//! When a snapshot is found: where it says what a fold from the beginning would, and nowhere else.

use everfold::event::{Position, Revision};
use everfold::limits;
use everfold::snapshot::{ReducerFingerprint, keys};
use everfold::storage::{Area, Durability, GuardedWrite, LayoutChange, Storage, Written};
use everfold::store::{Mark, SnapshotKeep};
use everfold::testing::reads;

use crate::compaction::laid::compact;
use crate::one_tab::{Browser, TestStore, append, event, in_browser, mark, name};

use super::{AGGREGATE, Fold, Moment, NOW, REDUCER, keep, keep_as, load, load_plainly};

async fn append_events(store: &TestStore, stream: &str, count: usize) {
    for _ in 0..count {
        append(store, stream, vec![event("A")]).await;
        append(store, "other", vec![event("B")]).await;
    }
}

/// A stream of ten events at the positions 1, 3, ... 19, with a snapshot of the first six.
async fn scene(browser: &Browser) -> TestStore {
    let store = browser.open().await;
    append_events(&store, "stream", 6).await;
    let (fold, _) = load(&store, "stream", NOW).await;
    assert_eq!(keep(&store, "stream", &fold).await, Ok(Written::Yes));
    append_events(&store, "stream", 4).await;
    store
}

/// After something was done, a load at a moment reads so many events, in this tab and in another, and gives what a load
/// without snapshots gives.
#[track_caller]
fn check(prepare: impl AsyncFnOnce(&Browser, &TestStore), rows: &[(Moment, usize)]) {
    in_browser(|browser| async move {
        let store = scene(&browser).await;
        prepare(&browser, &store).await;
        let other = browser.open().await;
        for (moment, expected) in rows {
            for store in [&store, &other] {
                let (fold, read_count) = load(store, "stream", *moment).await;
                assert_eq!(fold, load_plainly(store, "stream", *moment, fold.as_of).await, "{moment:?}");
                assert_eq!(read_count, *expected, "{moment:?}");
            }
        }
    });
}

const fn before(revision: u64) -> Moment {
    Moment { before: Some(revision), as_of: None }
}

const fn as_of(position: u64) -> Moment {
    Moment { before: None, as_of: Some(position) }
}

#[test]
fn a_load_begins_with_a_snapshot_that_is_not_beyond_its_moment() {
    let rows = [
        (NOW, 4),
        (before(8), 2),
        (before(6), 0),
        (before(5), 5),
        (before(0), 0),
        (as_of(20), 4),
        (as_of(13), 1),
        (as_of(12), 0),
        (as_of(11), 0),
        (as_of(10), 5),
        (as_of(0), 0),
    ];
    check(async |_, _| (), &rows);
    let compacted = async |_: &Browser, store: &TestStore| {
        compact(store).await.unwrap();
    };
    check(compacted, &rows);
}

#[test]
fn a_stream_that_was_marked_since_does_not_begin_with_it_from_then_on() {
    let truncate = |before| Mark::Truncate { before: Revision(before) };
    for (what, count) in [(Mark::Delete, 0), (Mark::Tombstone, 0), (truncate(3), 7), (truncate(6), 4)] {
        // As of before the mark, at position 21, it holds.
        check(
            async |_, store| {
                mark(store, "stream", what).await.unwrap();
            },
            &[(NOW, count), (as_of(20), 4), (as_of(21), count)],
        );
    }
    let begun_again = async |_: &Browser, store: &TestStore| {
        mark(store, "stream", Mark::Delete).await.unwrap();
        append_events(store, "stream", 2).await;
    };
    check(begun_again, &[(NOW, 2), (as_of(20), 4)]);
    let marked_elsewhere = async |_: &Browser, store: &TestStore| {
        mark(store, "other", Mark::Delete).await.unwrap();
    };
    check(marked_elsewhere, &[(NOW, 4)]);
}

#[test]
fn a_snapshot_of_what_a_mark_left_holds_from_then_on_and_not_before() {
    let kept_after = async |_: &Browser, store: &TestStore| {
        mark(store, "stream", Mark::Truncate { before: Revision(3) }).await.unwrap();
        let (fold, _) = load(store, "stream", NOW).await;
        assert_eq!(keep(store, "stream", &fold).await, Ok(Written::Yes));
    };
    check(kept_after, &[(NOW, 0), (as_of(20), 10), (before(10), 0), (before(9), 6)]);
}

#[test]
fn a_stream_that_was_marked_too_often_to_tell_is_read_from_the_beginning() {
    let marked_often = async |_: &Browser, store: &TestStore| {
        append_events(store, "stream", 70).await;
        for before in 1..=66 {
            mark(store, "stream", Mark::Truncate { before: Revision(before) }).await.unwrap();
        }
    };
    // The marks stand from position 161 on, of which the first four are not told apart. Before them nothing is hidden.
    check(marked_often, &[(NOW, 14), (as_of(20), 4), (as_of(162), 76), (as_of(164), 76)]);
}

#[test]
fn another_reducer_finds_nothing_and_puts_its_own_in_the_place() {
    in_browser(|browser| async move {
        let store = scene(&browser).await;
        let (fold, _) = load(&store, "stream", before(3)).await;
        let other = ReducerFingerprint(REDUCER.0 ^ 1 << 63);
        assert_eq!(keep_as(&store, "stream", &fold, other).await, Ok(Written::Yes));
        assert_eq!(load(&store, "stream", NOW).await.1, 10);
    });
}

#[test]
fn what_is_damaged_lost_or_of_another_key_is_as_if_there_were_nothing() {
    let key = || keys::key(AGGREGATE, &name("stream"));
    let put = async |browser: &Browser, bytes: Option<Vec<u8>>| {
        let write = GuardedWrite {
            expect: Vec::new(),
            deletes: vec![(Area::Snapshots, key().into())],
            puts: bytes.map(|bytes| (Area::Snapshots, key(), bytes)).into_iter().collect(),
            layout: LayoutChange::Keep,
            durability: Durability::Memory,
        };
        assert_eq!(browser.storage.write(write).await, Ok(Written::Yes));
    };
    for bytes in [None, Some(Vec::new()), Some(b"EFs".to_vec()), Some(vec![0; 1_000])] {
        check(async |browser, _| put(browser, bytes).await, &[(NOW, 10)]);
    }
    let of_other = async |browser: &Browser, store: &TestStore| {
        let (fold, _) = load(store, "other", NOW).await;
        keep(store, "other", &fold).await.unwrap();
        let other = keys::key(AGGREGATE, &name("other"));
        let bytes = reads::value(&browser.storage, Area::Snapshots, &other).await.unwrap();
        put(browser, bytes).await;
    };
    check(of_other, &[(NOW, 10)]);
}

#[test]
fn the_newest_stays() {
    in_browser(|browser| async move {
        let store = scene(&browser).await;
        let (old, _) = load(&store, "stream", before(4)).await;
        assert_eq!(keep(&store, "stream", &old).await, Ok(Written::Refused));
        let (new, _) = load(&store, "stream", NOW).await;
        let other = browser.open().await;
        assert_eq!(keep(&other, "stream", &new).await, Ok(Written::Yes));
        assert_eq!(keep(&store, "stream", &new).await, Ok(Written::Refused));
        assert_eq!(load(&store, "stream", NOW).await.1, 0);
    });
}

#[test]
fn what_was_hidden_while_it_was_folded_is_not_kept() {
    for what in [Mark::Delete, Mark::Tombstone, Mark::Truncate { before: Revision(1) }] {
        in_browser(|browser| async move {
            let store = scene(&browser).await;
            let (fold, _) = load(&store, "stream", NOW).await;
            let other = browser.open().await;
            mark(&other, "stream", what).await.unwrap();
            assert_eq!(keep(&store, "stream", &fold).await, Ok(Written::Refused), "{what:?}");
            // Nor is it what has come since, on top of what was hidden.
            let later = Fold { positions: vec![1, 22], ..fold };
            assert_eq!(keep(&store, "stream", &later).await, Ok(Written::Refused), "{what:?}");
        });
    }
}

#[test]
fn a_fold_that_the_log_does_not_know_is_not_kept() {
    in_browser(|browser| async move {
        let store = scene(&browser).await;
        let beyond = Fold { positions: vec![30], last_revision: Some(Revision(10)), as_of: Position(30) };
        assert_eq!(keep(&store, "stream", &beyond).await, Ok(Written::Refused));
        assert_eq!(keep(&store, "nobody", &beyond).await, Ok(Written::Refused));
        let state = "1".repeat(limits::SNAPSHOT_STATE_BYTES_MAX + 1);
        let large = SnapshotKeep {
            aggregate: AGGREGATE.to_owned(),
            stream: name("stream"),
            reducer: REDUCER,
            revision: Revision(9),
            position: Position(19),
            as_of: Position(20),
            state,
        };
        assert_eq!(store.keep_snapshot(large).await.unwrap_err().code(), "LIMIT_EXCEEDED");
    });
}
