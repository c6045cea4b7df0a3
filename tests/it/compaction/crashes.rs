//! A tab that dies in the middle of a compaction.

use everfold::testing::executor::TabId;
use everfold::testing::prng::Prng;

use crate::layout::lived::Shape;

use super::laid::{compact, history, lay};
use super::stored::Stored;
use super::tabs::{Locks, Tabs};

const SHAPE: Shape =
    Shape { commit_count: 50, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

#[test]
fn a_crash_at_any_moment_leaves_the_log_whole_and_the_next_compaction_leaves_no_orphan() {
    let (mut undone_count, mut half_count, mut orphan_count, mut done_count) = (0, 0, 0, 0);
    for seed in 0..150 {
        let tabs = Tabs::new(seed, Locks::OfOrigin);
        let commits = history(&mut Prng::new(seed % 5), SHAPE);
        let storage = tabs.database.handle(TabId::BROWSER);
        let test = async {
            let (tab, store) = tabs.open(25).await;
            lay(&storage, &commits, 2).await;
            tabs.executor.scheduler().spawn(tab, async move {
                let _ = compact(&store).await;
            });
            tabs.executor.scheduler().sleep(seed * 4).await;
            tabs.origin.crash(tab);
            // What was on its way arrives.
            tabs.executor.scheduler().sleep(100).await;
            let left = Stored::read(&storage).await;
            let hidden_count = left.check(&commits);
            match (left.units.is_empty(), left.log.is_empty() && hidden_count == 0) {
                (true, _) => undone_count += 1,
                (false, false) => half_count += 1,
                (false, true) => done_count += 1,
            }
            orphan_count += usize::from(!left.orphans.is_empty());

            let (_, store) = tabs.open(25).await;
            compact(&store).await.unwrap();
            let after = Stored::read(&storage).await;
            assert_eq!(after.check(&commits), 0, "seed {seed}");
            assert!(after.orphans.is_empty() && after.log.is_empty(), "seed {seed}: {:?}", after.orphans);
        };
        tabs.executor.run_until(test).unwrap();
    }
    let counts = [undone_count, half_count, orphan_count, done_count];
    assert!(counts.iter().all(|count| 5 < *count), "undone, half done, with orphans, done: {counts:?}");
}
