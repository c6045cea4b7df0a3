//! Compaction that nobody asks for.

use std::cell::Cell;

use everfold::layout::plan::{Bounds, Tail};
use everfold::store::OpenOptions;
use everfold::testing::faulty_storage::{Fault, Target};
use everfold::testing::prng::Prng;

use crate::layout::lived::Shape;
use crate::one_tab::{RELAXED, append, event, in_browser};

use super::laid::{history, lay};
use super::stored::Stored;

const SHAPE: Shape = Shape {
    commit_count: 120,
    commit_entries_max: 3,
    stream_count: 7,
    facts_permille: 80,
    large_permille: 0,
};

/// A tail of so many events is compacted.
const TAIL_EVENTS: u64 = 10;

pub const EAGER: OpenOptions = OpenOptions {
    bounds: Bounds {
        tail: Tail { event_count: TAIL_EVENTS, stored_bytes: u64::MAX, record_count: u64::MAX },
        unit_entries_max: 40,
    },
    ..RELAXED
};

#[test]
fn what_is_due_is_done_after_opening_and_close_waits_for_its_end() {
    in_browser(|browser| async move {
        let commits = history(&mut Prng::new(1), SHAPE);
        browser.open().await.close().await;
        lay(&browser.storage, &commits, 2).await;
        let store = browser.open_with(EAGER).await.unwrap();
        browser.sleep(1_000).await;
        let after = Stored::read(&browser.storage).await;
        after.check(&commits);
        assert!(after.head.position.0 - after.root.covered.0 < TAIL_EVENTS);
        assert!(after.root.staged.is_empty() && after.orphans.is_empty());
        store.close().await;

        let more = history(&mut Prng::new(1), Shape { commit_count: 400, ..SHAPE });
        assert!(more.starts_with(&commits), "the log goes on as another");
        lay(&browser.storage, &more[commits.len()..], 2).await;
        let store = browser.open_with(EAGER).await.unwrap();
        store.close().await;
        let at_close = Stored::read(&browser.storage).await;
        browser.sleep(1_000).await;
        assert_eq!(Stored::read(&browser.storage).await.head, at_close.head, "it goes on after the end");
    });
}

/// Whether anybody looks at the tab that compacts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Seen,
    Hidden,
}

#[test]
fn a_close_waits_for_no_sleep_of_a_compaction_beside_appends_where_sleeps_may_be_late() {
    // After so many turns the compaction is under way, and looks whether appends wait.
    let has_slept = |tab| (0..40).any(|turns| closing_ms(tab, turns) != 0);
    assert_eq!([Tab::Seen, Tab::Hidden].map(has_slept), [true, false]);
}

/// How long it takes to close a store that compacts, and appends after so many turns.
fn closing_ms(tab: Tab, turns: usize) -> u64 {
    let closed_ms = Cell::new(0);
    let noted = &closed_ms;
    in_browser(|browser| async move {
        let commits = history(&mut Prng::new(1), SHAPE);
        browser.open().await.close().await;
        lay(&browser.storage, &commits, 2).await;
        let host = browser.host();
        if tab == Tab::Hidden {
            host.hide();
        }
        let store = browser.open_on(host, EAGER).await.unwrap();
        for _ in 0..turns {
            browser.scheduler().yield_now().await;
        }
        append(&store, "beside", vec![event("A")]).await;
        let start_ms = browser.scheduler().now_ms();
        store.close().await;
        noted.set(browser.scheduler().now_ms() - start_ms);
    });
    closed_ms.get()
}

#[test]
fn after_a_fault_it_tries_again_later_and_nobody_is_told() {
    for fault in Fault::ALL {
        for spared in 0..40 {
            in_browser(|browser| async move {
                let commits = history(&mut Prng::new(1), SHAPE);
                browser.open().await.close().await;
                lay(&browser.storage, &commits, 2).await;
                let store = browser.open_with(EAGER).await.unwrap();
                browser.faults.arm(Target::Every, spared, fault);
                browser.sleep(1_000).await;
                browser.faults.disarm();
                Stored::read(&browser.storage).await.check(&commits);
                store.close().await;
                let store = browser.open_with(EAGER).await.unwrap();
                browser.sleep(1_000).await;
                let after = Stored::read(&browser.storage).await;
                after.check(&commits);
                assert!(after.head.position.0 - after.root.covered.0 < TAIL_EVENTS, "{fault:?} {spared}");
                assert!(after.orphans.is_empty(), "{fault:?} {spared}");
                store.close().await;
            });
        }
    }
}
