//! The code of compaction cannot be had: what does not need it goes on, what does is refused, and all is well once it can be.

use std::ops::ControlFlow;

use everfold::error::Error;
use everfold::store::StreamList;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::Supplements;

use crate::layout::lived::Shape;
use crate::one_tab::{Browser, TestStore, append, event, in_browser, whole_log};

use super::background::EAGER;
use super::derived_again::Loss;
use super::laid::{compact, history, lay, on_demand};
use super::stored::Stored;

const SHAPE: Shape =
    Shape { commit_count: 40, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

/// Longer than nothing is tried after a failure.
const PAUSE_MS: u64 = 3_000;

async fn laid(browser: &Browser) {
    browser.open().await.close().await;
    lay(&browser.storage, &history(&mut Prng::new(1), SHAPE), 2).await;
}

async fn ask(store: &TestStore) -> Result<(), Error> {
    let list = StreamList { prefix: String::new(), after: None, limit: 1_000 };
    store.streams(&list).await.map(drop)
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), "SUPPLEMENT_UNAVAILABLE", "{error}");
    assert!(error.is_retryable());
}

#[test]
fn appends_and_reads_go_on_and_what_is_due_is_compacted_later() {
    in_browser(|browser| async move {
        laid(&browser).await;
        browser.set_supplements(Supplements::Missing);
        let store = browser.open_with(EAGER).await.unwrap();
        for _ in 0..3 {
            append(&store, "s", vec![event("A")]).await;
            browser.sleep(PAUSE_MS).await;
        }
        store.read_all(&whole_log()).await.unwrap();
        assert_eq!(Stored::read(&browser.storage).await.root.units.len(), 0, "it was compacted without code");

        browser.set_supplements(Supplements::There);
        browser.sleep(PAUSE_MS).await;
        append(&store, "s", vec![event("A")]).await;
        browser.sleep(PAUSE_MS).await;
        assert!(!Stored::read(&browser.storage).await.root.units.is_empty(), "it was not compacted later");
        store.close().await;
    });
}

#[test]
fn a_store_closes_while_there_is_none() {
    in_browser(|browser| async move {
        laid(&browser).await;
        browser.set_supplements(Supplements::Missing);
        let store = browser.open_with(EAGER).await.unwrap();
        browser.sleep(1).await;
        store.close().await;
    });
}

#[test]
fn a_compaction_that_is_asked_for_is_refused_and_done_when_it_is_asked_for_again() {
    in_browser(|browser| async move {
        laid(&browser).await;
        let store = browser.open().await;
        browser.set_supplements(Supplements::Missing);
        check_refused(store.compact(|_| ControlFlow::Continue(())).await);
        browser.set_supplements(Supplements::There);
        compact(&store).await.unwrap();
        store.close().await;
    });
}

#[test]
fn a_lost_directory_is_made_again_when_it_is_asked_for_again() {
    for loss in [Loss::Root, Loss::Pages] {
        in_browser(|browser| async move {
            laid(&browser).await;
            let store = browser.open_with(on_demand(25)).await.unwrap();
            compact(&store).await.unwrap();
            store.close().await;
            loss.strike(&browser.storage).await;
            browser.set_supplements(Supplements::Missing);
            let opened = browser.open_with(on_demand(25)).await;
            match opened {
                Ok(store) => {
                    check_refused(ask(&store).await);
                    browser.set_supplements(Supplements::There);
                    ask(&store).await.unwrap();
                }
                Err(error) => {
                    check_refused::<()>(Err(error));
                    browser.set_supplements(Supplements::There);
                    ask(&browser.open_with(on_demand(25)).await.unwrap()).await.unwrap();
                }
            }
        });
    }
}
