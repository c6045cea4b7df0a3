//! What takes the place of records of the log is no less durable than they may have been.

use everfold::layout::keys::{ROOT, RunRecord};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Durability, GuardedWrite, Key, LayoutChange};
use everfold::store::{OpenOptions, Store};
use everfold::testing::executor::Executor;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};
use everfold::testing::watched_storage::{Watch, WatchedStorage};

use crate::layout::lived::Shape;

use super::laid::{compact, history, lay, on_demand};

const SHAPE: Shape =
    Shape { commit_count: 60, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

/// Compacts a log on a storage that could flush, and hands over all writes.
#[track_caller]
fn check(check: impl FnOnce(Vec<GuardedWrite>)) {
    let executor = Executor::new(1);
    let announcements = Announcements { lost_permille: 1_000, delay_ms_max: 0 };
    let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
    let test = async {
        let (inner, watch) = (MemoryStorage::new(), Watch::default());
        let storage = WatchedStorage::new(inner.handle(), &watch).as_durable_as(Durability::Strict);
        let host = origin.host(origin.tab(), "test");
        let options = OpenOptions { durability: Durability::Relaxed, ..on_demand(20) };
        let store = Store::open(storage, host, options, |_| ()).await.unwrap();
        let commits = history(&mut Prng::new(1), SHAPE);
        let (older, newer) = commits.split_at(20);
        watch.take_writes();
        for commits in [older, newer] {
            lay(&inner, commits, 2).await;
            compact(&store).await.unwrap();
        }
        watch.take_writes()
    };
    check(executor.run_until(test).unwrap());
}

#[test]
fn every_swap_is_flushed_although_appends_are_not() {
    check(|writes| {
        let (staged, swaps): (Vec<_>, Vec<_>) =
            writes.iter().partition(|write| !matches!(write.layout, LayoutChange::Next { .. }));
        assert!(2 < swaps.len(), "{} swaps", swaps.len());
        assert!(swaps.iter().all(|write| write.durability == Durability::Strict));
        // Nobody looks for what is staged: it need be there no sooner than the swap.
        assert!(staged.iter().all(|write| write.durability == Durability::Relaxed));
        let is_of_log = |write: &GuardedWrite| write.deletes.iter().any(|(area, _)| *area == Area::Log);
        assert!(swaps.iter().any(|write| is_of_log(write)) && !staged.iter().any(|write| is_of_log(write)));
    });
}

#[test]
fn every_write_holds_to_the_root_that_the_one_before_it_left_and_to_its_claim() {
    check(|writes| {
        let (mut root, mut claim) = (None, None);
        for write in writes {
            let mut held = vec![(Area::Index, Key::text(ROOT), root.clone())];
            held.extend(claim.clone());
            assert_eq!(write.expect, held);
            let is_root = |(area, key, _): &&(Area, Key, _)| (*area, key) == (Area::Index, &Key::text(ROOT));
            let put = write.puts.iter().find(is_root).map(|(.., bytes)| bytes.clone());
            assert!(
                put.is_some() || !matches!(write.layout, LayoutChange::Next { .. }),
                "a swap without a root"
            );
            root = put.or(root);
            let is_claim =
                |key: &Key| matches!(RunRecord::of(key), Some((_, record)) if record == RunRecord::Index);
            let claimed = write.puts.into_iter().find(|(_, key, _)| is_claim(key));
            claim = match write.layout {
                LayoutChange::Keep | LayoutChange::Hold { .. } => {
                    claimed.map(|(area, key, token)| (area, key, Some(token))).or(claim)
                }
                LayoutChange::Next { .. } => None,
            };
        }
        assert!(root.is_some());
    });
}
