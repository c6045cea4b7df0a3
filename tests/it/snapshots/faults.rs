//! Every point at which a storage can fail while a snapshot is looked for or kept.

use std::cell::Cell;
use std::rc::Rc;

use everfold::store::SnapshotRead;
use everfold::testing::faulty_storage::{Fault, Target};

use crate::one_tab::{append, event, in_browser, name};

use super::{AGGREGATE, NOW, REDUCER, keep, load, load_plainly};

/// Looks for a snapshot and keeps another one, with a fault after so many operations. `false` where there are not so
/// many.
fn strike(fault: Fault, spared: u64) -> bool {
    let place = format!("{fault:?} after {spared}");
    let is_struck = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_struck);
    in_browser(|browser| async move {
        let store = browser.open().await;
        for _ in 0..2 {
            append(&store, "stream", (0..3).map(|_| event("A")).collect()).await;
            let (fold, _) = load(&store, "stream", NOW).await;
            keep(&store, "stream", &fold).await.unwrap();
            append(&store, "stream", vec![event("A")]).await;
        }
        let (fold, _) = load(&store, "stream", NOW).await;
        let (aggregate, stream) = (AGGREGATE.to_owned(), name("stream"));
        let read = SnapshotRead {
            aggregate,
            stream,
            reducer: REDUCER,
            event_count_min: 1,
            before: None,
            as_of: None,
        };

        browser.faults.arm(Target::Every, spared, fault);
        let found = store.snapshot(&read).await.map(drop);
        let kept = keep(&store, "stream", &fold).await.map(drop);
        seen.set(browser.faults.struck() == 1);
        browser.faults.disarm();
        for error in [found, kept].into_iter().filter_map(Result::err) {
            assert!(["STORAGE_FAILED", "QUOTA_EXCEEDED"].contains(&error.code()), "{place}: {error}");
        }
        for store in [&store, &browser.open().await] {
            let (fold, _) = load(store, "stream", NOW).await;
            assert_eq!(fold, load_plainly(store, "stream", NOW, fold.as_of).await, "{place}");
        }
        append(&store, "stream", vec![event("A")]).await;
    });
    is_struck.get()
}

#[test]
fn whatever_fails_wherever_it_fails_loads_say_what_is_so() {
    for fault in Fault::ALL {
        let point_count = (0..100).take_while(|spared| strike(fault, *spared)).count();
        assert!((3..50).contains(&point_count), "{fault:?} met {point_count} operations");
    }
}
