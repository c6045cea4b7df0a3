//! What other tabs are told of appends, and when.

use std::cell::RefCell;
use std::rc::Rc;

use everfold::host::Host;
use everfold::storage::memory::MemoryStorage;
use everfold::store::Store;
use everfold::testing::executor::Executor;
use everfold::testing::faulty_storage::{Faults, FaultyStorage};
use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};

use crate::one_tab::{RELAXED, TestStore, append, event};

/// Whether anybody looks at the tab that appends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Seen,
    Hidden,
}

/// Runs appends, and gives what another tab heard meanwhile: the time and the position.
fn heard(
    seed: u64,
    tab: Tab,
    appends: impl AsyncFn(&TestStore, &dyn Fn(u64) -> everfold::testing::executor::Sleep),
) -> Vec<(u64, u64)> {
    let executor = Executor::new(seed);
    let scheduler = executor.scheduler();
    let origin = SimulatedOrigin::new(&scheduler, Announcements { lost_permille: 0, delay_ms_max: 0 });
    let listener = origin.host(origin.tab(), "test");
    let heard = Rc::<RefCell<Vec<(u64, u64)>>>::default();
    let (notes, clock) = (Rc::clone(&heard), scheduler.clone());
    scheduler.spawn(listener.tab(), async move {
        while let Some(position) = listener.heard().await {
            notes.borrow_mut().push((clock.now_ms(), position.0));
        }
    });
    let run = async {
        let storage = FaultyStorage::new(MemoryStorage::new(), &Faults::default());
        let host = origin.host(origin.tab(), "test");
        if tab == Tab::Hidden {
            host.hide();
        }
        let store = Store::open(storage, host, RELAXED, |_| ()).await.expect("a new store");
        appends(&store, &|duration_ms| scheduler.sleep(duration_ms)).await;
        scheduler.sleep(20).await;
    };
    executor.run_until(run).expect("the appends end");
    heard.take()
}

#[test]
fn an_append_is_announced_at_once_unless_another_was_within_10_ms() {
    let check = |tab, expected| {
        let heard = heard(1, tab, async |store, sleep| {
            for pause_ms in [10, 1, 3, 50, 0] {
                append(store, "a", vec![event("A"), event("B")]).await;
                sleep(pause_ms).await;
            }
        });
        assert_eq!(heard, expected);
    };
    check(Tab::Seen, vec![(0, 2), (10, 4), (20, 8), (64, 10)]);
    check(Tab::Hidden, vec![(0, 2), (10, 4), (11, 6), (14, 8), (64, 10)]);
}

#[test]
fn of_appends_in_a_row_the_first_is_announced_at_once_and_the_last_within_10_ms() {
    for seed in 0..100 {
        let heard = heard(seed, Tab::Seen, async |store, _| {
            for _ in 0..20 {
                append(store, "a", vec![event("A")]).await;
            }
        });
        assert_eq!(heard, [(0, 1), (10, 20)], "seed {seed}");
    }
}

#[test]
fn what_is_unsaid_is_said_before_a_store_is_closed() {
    for seed in 0..100 {
        let heard = heard(seed, Tab::Seen, async |store, _| {
            for _ in 0..3 {
                append(store, "a", vec![event("A")]).await;
            }
            store.close().await;
        });
        assert!(heard.contains(&(0, 3)), "seed {seed}: {heard:?}");
    }
}
