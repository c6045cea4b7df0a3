//! Several tabs that compact at once while others append.

use everfold::testing::executor::TabId;
use everfold::testing::prng::Prng;
use futures_util::future::join3;

use crate::layout::lived::Shape;

use super::laid::{compact, history, lay};
use super::stored::Stored;
use super::tabs::{Locks, Tabs};

const SHAPE: Shape =
    Shape { commit_count: 80, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

/// Two tabs compact while the newer half of a history is appended. Gives how many of their compactions gave up.
#[track_caller]
fn check(seed: u64, locks: Locks) -> usize {
    let tabs = Tabs::new(seed, locks);
    let commits = history(&mut Prng::new(seed), SHAPE);
    let (older, newer) = commits.split_at(commits.len() / 2);
    let storage = tabs.database.handle(TabId::BROWSER);
    let test = async {
        let (_, one) = tabs.open(25).await;
        let (_, other) = tabs.open(40).await;
        lay(&storage, older, 2).await;
        let appending = async {
            for (commit, number) in newer.iter().zip(0..) {
                lay(&storage, std::slice::from_ref(commit), 1).await;
                if number % 8 == 0 {
                    Stored::read(&storage).await;
                }
            }
        };
        let (first, second, ()) = join3(compact(&one), compact(&other), appending).await;
        let failed = [first, second].into_iter().filter_map(Result::err);
        let failed_count = failed.inspect(|error| assert_eq!(error.code(), "STORAGE_FAILED")).count();
        Stored::read(&storage).await.check(&commits);
        compact(&one).await.unwrap();
        let after = Stored::read(&storage).await;
        assert_eq!(after.check(&commits), 0, "seed {seed}");
        assert!(after.orphans.is_empty() && after.log.is_empty(), "seed {seed}");
        failed_count
    };
    tabs.executor.run_until(test).unwrap()
}

#[test]
fn with_locks_one_waits_for_the_other() {
    for seed in 0..40 {
        assert_eq!(check(seed, Locks::OfOrigin), 0, "seed {seed}");
    }
}

#[test]
fn without_locks_one_may_give_up_and_nothing_is_lost() {
    let failed_count: usize = (0..60).map(|seed| check(seed, Locks::Missing)).sum();
    println!("{failed_count} of 120 compactions gave up");
    assert!(failed_count < 30, "{failed_count} of 120 compactions gave up");
}
