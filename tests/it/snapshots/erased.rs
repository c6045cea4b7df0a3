//! What a compaction erases is erased from snapshots too, whoever writes them whenever.

use std::cell::Cell;

use everfold::event::Revision;
use everfold::storage::Written;
use everfold::store::Mark;
use everfold::testing::faulty_storage::{Fault, Operation, Target};
use futures_util::future::join;

use crate::compaction::laid::{compact, on_demand};
use crate::one_tab::{Browser, TestStore, append, event, in_browser, mark};

use super::{NOW, is_kept, keep, kept, load};

const TRUNCATED: Mark = Mark::Truncate { before: Revision(2) };

/// Streams of five events each, with a snapshot each.
async fn scene(browser: &Browser, streams: &[&str]) -> TestStore {
    let store = browser.open_with(on_demand(12)).await.unwrap();
    for stream in streams {
        append(&store, stream, (0..5).map(|_| event("A")).collect()).await;
        keep_newest(&store, stream).await;
    }
    store
}

async fn keep_newest(store: &TestStore, stream: &str) {
    let (fold, _) = load(store, stream, NOW).await;
    assert_eq!(keep(store, stream, &fold).await, Ok(Written::Yes), "{stream}");
}

#[test]
fn what_is_hidden_goes_with_the_compaction_that_erases_it_and_nothing_else_goes() {
    for what in [Mark::Delete, Mark::Tombstone, TRUNCATED] {
        for is_compacted_before in [false, true] {
            in_browser(|browser| async move {
                let store = scene(&browser, &["marked", "marked-1", "other"]).await;
                if is_compacted_before {
                    compact(&store).await.unwrap();
                }
                mark(&store, "marked", what).await.unwrap();
                assert!(is_kept(&browser.storage, "marked").await, "nothing is erased yet");
                let compacted = compact(&store).await.unwrap();
                assert_ne!(compacted.erased_count, 0);
                assert!(!is_kept(&browser.storage, "marked").await, "{what:?}");
                assert_eq!(kept(&browser.storage).await.len(), 2, "{what:?}");
                // What is kept of what is left stays.
                if what == TRUNCATED {
                    keep_newest(&store, "marked").await;
                    append(&store, "other", vec![event("B")]).await;
                    compact(&store).await.unwrap();
                    assert!(is_kept(&browser.storage, "marked").await);
                }
            });
        }
    }
}

#[test]
fn where_much_is_erased_at_once_all_snapshots_go() {
    in_browser(|browser| async move {
        let streams: Vec<String> = (0..80).map(|number| format!("stream-{number}")).collect();
        let names: Vec<&str> = streams.iter().map(String::as_str).collect();
        let store = scene(&browser, &names).await;
        let store = {
            drop(store);
            browser.open_with(on_demand(10_000)).await.unwrap()
        };
        for stream in &streams[..70] {
            mark(&store, stream, Mark::Delete).await.unwrap();
        }
        compact(&store).await.unwrap();
        assert_eq!(kept(&browser.storage).await, []);
    });
}

#[test]
fn a_tab_that_has_folded_before_cannot_bring_back_what_was_erased_meanwhile() {
    for what in [Mark::Delete, Mark::Tombstone, TRUNCATED] {
        in_browser(|browser| async move {
            let store = scene(&browser, &["marked"]).await;
            let slow = browser.open().await;
            append(&slow, "marked", vec![event("A")]).await;
            let (fold, _) = load(&slow, "marked", NOW).await;
            mark(&store, "marked", what).await.unwrap();
            compact(&store).await.unwrap();
            assert_eq!(keep(&slow, "marked", &fold).await, Ok(Written::Refused), "{what:?}");
            assert_eq!(kept(&browser.storage).await, [], "{what:?}");
        });
    }
}

#[test]
fn a_write_that_comes_late_is_refused_where_something_was_erased_meanwhile() {
    for what in [Mark::Delete, Mark::Tombstone, TRUNCATED] {
        in_browser(|browser| async move {
            let slow = browser.open().await;
            append(&slow, "marked", (0..5).map(|_| event("A")).collect()).await;
            let (fold, _) = load(&slow, "marked", NOW).await;
            let elsewhere = browser.beside(&browser.storage);
            let is_erased = Cell::new(false);
            let erasing = async {
                let store = elsewhere.open_with(on_demand(12)).await.unwrap();
                mark(&store, "marked", what).await.unwrap();
                compact(&store).await.unwrap();
                is_erased.set(true);
            };
            // The facts were looked at, and nothing is hidden yet.
            browser.faults.arm(Target::Only(Operation::Write), 0, Fault::Delayed(10_000));
            let keeping = async {
                let written = keep(&slow, "marked", &fold).await;
                assert!(is_erased.get(), "the write was not late enough");
                written
            };
            let (written, ()) = join(keeping, erasing).await;
            assert_eq!((written, browser.faults.struck()), (Ok(Written::Refused), 1), "{what:?}");
            assert_eq!(kept(&browser.storage).await, [], "{what:?}");
        });
    }
}
