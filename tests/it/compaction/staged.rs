//! What a compaction has staged and not finished, beside the loss of what it was made of.

use std::collections::BTreeSet;

use everfold::layout::keys::{ROOT, RunRecord, UnitRecord};
use everfold::layout::{RunNumber, UnitNumber};
use everfold::storage::{Area, Key};
use everfold::testing::executor::TabId;
use everfold::testing::prng::Prng;

use crate::layout::lived::Shape;
use crate::one_tab::whole_log;

use super::laid::{compact, history, lay, on_demand};
use super::set_back::{copy, lose_pages};
use super::stored::Stored;
use super::tabs::{Locks, Tabs};

/// So that a unit has several blocks.
const SHAPE: Shape = Shape {
    commit_count: 12,
    commit_entries_max: 3,
    stream_count: 7,
    facts_permille: 0,
    large_permille: 400,
};

/// The numbers of units under which anything stands.
fn numbers(tabs: &Tabs) -> BTreeSet<u64> {
    let keys = copy(&tabs.database).into_keys().filter(|(area, _)| *area == Area::Units);
    keys.filter_map(|(_, key)| UnitRecord::of(&key)).map(|(number, _)| number.0).collect()
}

/// Two units, of which a tab that died has staged what they were to become. Gives its number.
async fn stage(tabs: &Tabs) -> u64 {
    let commits = history(&mut Prng::new(5), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let scheduler = tabs.executor.scheduler();
    let (tab, store) = tabs.open(1_000).await;
    let (older, newer) = commits.split_at(9);
    lay(&storage, older, 2).await;
    compact(&store).await.unwrap();
    lay(&storage, newer, 2).await;
    scheduler.spawn(tab, async move { drop(compact(&store).await) });
    // The tail comes first.
    let is_merging = |stored: &Stored| stored.log.is_empty() && stored.root.units.len() == 2;
    let mut staged = None;
    for _ in 0..10_000 {
        scheduler.sleep(1).await;
        let stored = Stored::read(&storage).await;
        let living: BTreeSet<u64> = stored.root.units.iter().map(|unit| unit.number.0).collect();
        staged = numbers(tabs).difference(&living).next().copied().filter(|_| is_merging(&stored));
        if staged.is_some() {
            break;
        }
    }
    tabs.origin.crash(tab);
    scheduler.sleep(100).await;
    staged.expect("something is staged")
}

/// Loses the records of units that `is_lost` names, and the root.
fn lose(tabs: &Tabs, is_lost: impl Fn(u64, UnitRecord) -> bool) {
    for (area, key) in copy(&tabs.database).into_keys() {
        let unit = UnitRecord::of(&key).filter(|_| area == Area::Units);
        if unit.is_some_and(|(number, record)| is_lost(number.0, record)) || key == Key::text(ROOT) {
            tabs.database.replace(area, key, None);
        }
    }
}

#[test]
fn what_was_staged_in_part_is_not_taken_for_units_that_are_lost_as_a_whole() {
    let tabs = Tabs::new(1, Locks::OfOrigin);
    tabs.executor
        .run_until(async {
            let staged = stage(&tabs).await;
            let (records, unit) = (copy(&tabs.database), UnitNumber(staged));
            let blocks = records.keys().filter_map(|(_, key)| UnitRecord::of(key));
            let last = blocks.filter_map(|(number, record)| match record {
                UnitRecord::Block(block) if number == unit => Some(block),
                _ => None,
            });
            let last = last.max().expect("blocks were staged");
            assert!(1 < last.0, "only {} blocks were staged", last.0 + 1);
            let is_last = |record| record == UnitRecord::Block(last) || record == UnitRecord::Filter(last);
            lose(&tabs, |number, record| number != staged || is_last(record));

            let opened = tabs.opening(tabs.origin.tab(), on_demand(1_000)).await;
            let error = match opened {
                Err(error) => error,
                Ok(store) => store.read_all(&whole_log()).await.expect_err("what is lost was read"),
            };
            assert_eq!(error.code(), "CORRUPT_DATA", "{error}");
        })
        .unwrap();
}

#[test]
fn with_a_claim_goes_what_was_staged_under_it() {
    let tabs = Tabs::new(1, Locks::OfOrigin);
    tabs.executor
        .run_until(async {
            let staged = stage(&tabs).await;
            lose_pages(&tabs).await;
            let claim = RunRecord::Index.key(RunNumber(staged));
            assert!(!copy(&tabs.database).contains_key(&(Area::Index, claim)), "the claim is still there");
            assert!(!numbers(&tabs).contains(&staged), "what was staged is still there");
        })
        .unwrap();
}

#[test]
fn with_a_claim_goes_what_stands_under_numbers_that_were_never_given() {
    let tabs = Tabs::new(1, Locks::OfOrigin);
    tabs.executor
        .run_until(async {
            let commits = history(&mut Prng::new(5), SHAPE);
            let storage = tabs.database.handle(TabId::BROWSER);
            let (older, newer) = commits.split_at(9);
            let (_, store) = tabs.open(1_000).await;
            lay(&storage, older, 2).await;
            compact(&store).await.unwrap();
            let number = Stored::read(&storage).await.root.next_number;
            let keys_of = |number| {
                let unit = |record: UnitRecord| (Area::Units, record.key(UnitNumber(number)));
                let run = |record: RunRecord| (Area::Index, record.key(RunNumber(number)));
                [unit(UnitRecord::Header), unit(UnitRecord::Remains(7)), run(RunRecord::Page(7))]
            };
            let left: Vec<_> = [number, number + 1, number + 1_000].into_iter().flat_map(keys_of).collect();
            for (area, key) in &left {
                tabs.database.replace(*area, key.clone(), Some(vec![1; 20]));
            }

            lay(&storage, newer, 2).await;
            compact(&store).await.unwrap();
            let records = copy(&tabs.database);
            for key in left {
                // Where the number was given since, what stands there is its own.
                assert!(records.get(&key).is_none_or(|bytes| *bytes != [1; 20]), "{key:?} is still there");
            }
            Stored::read(&storage).await.check(&commits);
        })
        .unwrap();
}
