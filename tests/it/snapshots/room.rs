//! How many snapshots there are at most, and which of them go.

use everfold::snapshot::keys::{SET_COUNT, SNAPSHOTS_PER_SET_MAX, key, range_of_set};
use everfold::storage::{Area, Durability, GuardedWrite, LayoutChange, Storage, Written};

use crate::one_tab::{append, event, in_browser, name};

use super::{AGGREGATE, NOW, is_kept, keep, kept, load};

/// Streams that have their place in one set.
fn streams_of_one_set(count: usize) -> Vec<String> {
    let of_first = range_of_set(&name("stream-0"));
    let names = (0..).map(|number| format!("stream-{number}"));
    names.filter(|stream| range_of_set(&name(stream)) == of_first).take(count).collect()
}

#[test]
fn there_are_as_many_as_the_bound_says() {
    assert_eq!(usize::from(SET_COUNT) * SNAPSHOTS_PER_SET_MAX, 4_096);
}

#[test]
fn of_a_set_that_is_full_the_oldest_goes() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        let streams = streams_of_one_set(SNAPSHOTS_PER_SET_MAX + 3);
        for (number, stream) in streams.iter().enumerate() {
            append(&store, stream, vec![event("A")]).await;
            let (fold, _) = load(&store, stream, NOW).await;
            assert_eq!(keep(&store, stream, &fold).await, Ok(Written::Yes));
            let gone = (number + 1).saturating_sub(SNAPSHOTS_PER_SET_MAX);
            for (other, stream) in streams[..=number].iter().enumerate() {
                assert_eq!(is_kept(&browser.storage, stream).await, gone <= other, "{stream} after {number}");
            }
        }
        // One that has its place there already takes none from others.
        let last = &streams[streams.len() - 1];
        append(&store, last, vec![event("A")]).await;
        let (fold, _) = load(&store, last, NOW).await;
        assert_eq!(keep(&store, last, &fold).await, Ok(Written::Yes));
        assert_eq!(kept(&browser.storage).await.len(), SNAPSHOTS_PER_SET_MAX);
        append(&store, "elsewhere", vec![event("A")]).await;
        let (fold, _) = load(&store, "elsewhere", NOW).await;
        assert_eq!(keep(&store, "elsewhere", &fold).await, Ok(Written::Yes));
        assert_eq!(kept(&browser.storage).await.len(), SNAPSHOTS_PER_SET_MAX + 1);
    });
}

#[test]
fn what_cannot_be_read_goes_first() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        let streams = streams_of_one_set(SNAPSHOTS_PER_SET_MAX + 1);
        for stream in &streams[..SNAPSHOTS_PER_SET_MAX] {
            append(&store, stream, vec![event("A")]).await;
            let (fold, _) = load(&store, stream, NOW).await;
            keep(&store, stream, &fold).await.unwrap();
        }
        let damaged = key(AGGREGATE, &name(&streams[5]));
        let write = GuardedWrite {
            expect: Vec::new(),
            deletes: Vec::new(),
            puts: vec![(Area::Snapshots, damaged, b"damaged".to_vec())],
            layout: LayoutChange::Keep,
            durability: Durability::Memory,
        };
        browser.storage.write(write).await.unwrap();
        let last = &streams[SNAPSHOTS_PER_SET_MAX];
        append(&store, last, vec![event("A")]).await;
        let (fold, _) = load(&store, last, NOW).await;
        assert_eq!(keep(&store, last, &fold).await, Ok(Written::Yes));
        for (number, stream) in streams.iter().enumerate() {
            assert_eq!(is_kept(&browser.storage, stream).await, number != 5, "{stream}");
        }
    });
}
