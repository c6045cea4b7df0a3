//! A compaction that nothing disturbs.

use everfold::layout::plan::LARGE_TIMES;
use everfold::layout::root::Root;
use everfold::storage::memory::MemoryStorage;
use everfold::testing::prng::Prng;

use crate::layout::lived::Shape;
use crate::one_tab::{Browser, in_browser};

use super::laid::{compact, history, lay, on_demand};
use super::stored::Stored;

/// Lays a history a part at a time, and compacts after each part.
async fn check(browser: Browser, seed: u64) {
    println!("seed {seed}");
    let mut prng = Prng::new(seed);
    let shape = Shape::any(&mut prng);
    let commits = history(&mut prng, shape);
    let unit_entries_max = *prng.pick(&[20, 100, 1_000, 65_536]);
    println!("{shape:?}, units of {unit_entries_max}");
    let store = browser.open_with(on_demand(unit_entries_max)).await.unwrap();
    let mut laid = 0;
    while laid < commits.len() {
        let count = prng.between(1..=commits.len() as u64).min((commits.len() - laid) as u64) as usize;
        lay(&browser.storage, &commits[laid..laid + count], prng.between(1..=20) as usize).await;
        laid += count;
        let before = Stored::read(&browser.storage).await;
        before.check_shape();
        let compacted = compact(&store).await.unwrap();
        let after = Stored::read(&browser.storage).await;
        assert_eq!(after.check(&commits[..laid]), 0, "events are still there that are hidden");
        assert!(after.log.is_empty() && after.root.staged.is_empty());
        assert_eq!(after.orphans.len(), 0);
        check_few_runs(&after.root, unit_entries_max);
        assert_eq!(compacted.unit_count, after.units.len() as u64);
        assert_eq!(compacted.erased_count, (count_entries(&before) - count_entries(&after)) as u64);
        check_idle(&browser.storage, &compact(&store).await.unwrap(), &after).await;
    }
}

/// Each run is large beside those after it, but for those of the newest units that one may be made of.
fn check_few_runs(root: &Root, unit_entries_max: u64) {
    let mut entry_count = 0;
    let newest = root.units.iter().rev().take_while(|unit| {
        entry_count += unit.entry_count;
        entry_count <= unit_entries_max
    });
    let newest_count = newest.count().max(1);
    let mut newer_count = 0;
    for run in root.runs.iter().rev().skip(newest_count) {
        let count = run.last.0 - run.first.0 + 1;
        assert!(newer_count * LARGE_TIMES < count, "{:?}", root.runs);
        newer_count += count;
    }
}

/// Where there is nothing to do, nothing is done.
async fn check_idle(storage: &MemoryStorage, compacted: &everfold::store::Compacted, before: &Stored) {
    assert_eq!((compacted.bytes_before, compacted.erased_count), (compacted.bytes_after, 0));
    assert_eq!(Stored::read(storage).await.head, before.head);
}

fn count_entries(stored: &Stored) -> usize {
    let blocks = stored.units.iter().flat_map(|unit| unit.blocks.iter().map(|block| block.len()));
    blocks.chain(stored.log.iter().map(|record| record.len())).sum()
}

#[test]
fn everything_comes_into_units_and_says_what_it_said() {
    for seed in 0..25 {
        in_browser(|browser| check(browser, seed));
    }
}

#[test]
fn a_log_of_small_commits_takes_less_room() {
    in_browser(|browser| async move {
        let shape = Shape {
            commit_count: 3_000,
            commit_entries_max: 1,
            stream_count: 20,
            facts_permille: 0,
            large_permille: 0,
        };
        let commits = history(&mut Prng::new(1), shape);
        let store = browser.open_with(on_demand(65_536)).await.unwrap();
        lay(&browser.storage, &commits, 1).await;
        let compacted = compact(&store).await.unwrap();
        assert!(compacted.bytes_after * 2 < compacted.bytes_before, "{compacted:?}");
    });
}

#[test]
fn nothing_is_done_to_a_log_without_events() {
    in_browser(|browser| async move {
        let store = browser.open_with(on_demand(65_536)).await.unwrap();
        let compacted = compact(&store).await.unwrap();
        assert_eq!((compacted.unit_count, compacted.bytes_before), (0, compacted.bytes_after));
        assert_eq!(Stored::read(&browser.storage).await.root.next_number, 0);
    });
}
