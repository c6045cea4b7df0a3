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

/// Runs appends, and gives what another tab heard meanwhile: the time and the position.
fn heard(
    seed: u64,
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
        let store = Store::open(storage, host, RELAXED, |_| ()).await.expect("a new store");
        appends(&store, &|duration_ms| scheduler.sleep(duration_ms)).await;
        scheduler.sleep(1).await;
    };
    executor.run_until(run).expect("the appends end");
    heard.take()
}

#[test]
fn an_append_is_announced_at_once() {
    let heard = heard(1, async |store, sleep| {
        for pause_ms in [10, 1, 50, 0] {
            append(store, "a", vec![event("A"), event("B")]).await;
            sleep(pause_ms).await;
        }
    });
    assert_eq!(heard, [(0, 2), (10, 4), (11, 6), (61, 8)]);
}

#[test]
fn of_appends_in_a_row_some_are_announced_once_and_the_last_always_is() {
    let mut announcements = 0;
    for seed in 0..100 {
        let heard = heard(seed, async |store, _| {
            for _ in 0..20 {
                append(store, "a", vec![event("A")]).await;
            }
        });
        // On their way they overtake each other.
        let mut positions: Vec<u64> = heard.iter().map(|(_, position)| *position).collect();
        positions.sort_unstable();
        assert!(positions.is_sorted_by(|one, next| one < next), "seed {seed}: {positions:?}");
        assert_eq!((positions.first(), positions.last()), (Some(&1), Some(&20)), "seed {seed}");
        announcements += positions.len();
    }
    assert!(announcements < 100 * 20, "nothing is gathered");
}

#[test]
fn what_is_unsaid_is_said_before_a_store_is_closed() {
    for seed in 0..100 {
        let heard = heard(seed, async |store, _| {
            for _ in 0..3 {
                append(store, "a", vec![event("A")]).await;
            }
            store.close().await;
        });
        assert!(heard.contains(&(0, 3)), "seed {seed}: {heard:?}");
    }
}
