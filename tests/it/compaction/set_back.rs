//! A root that is set back to an older one, as a disk that loses writes may do it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use everfold::layout::keys::{ROOT, RunRecord};
use everfold::storage::{Area, Direction, Key, KeyRange, PageRequest, Request};
use everfold::store::StreamList;
use everfold::testing::executor::TabId;
use everfold::testing::prng::Prng;
use everfold::testing::simulated_storage::SimulatedDatabase;

use crate::layout::lived::Shape;

use super::laid::{compact, history, lay, on_demand};
use super::stored::Stored;
use super::tabs::{Locks, TabStore, Tabs};

const SHAPE: Shape =
    Shape { commit_count: 30, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

/// All records of a database.
pub type Copied = BTreeMap<(Area, Key), Vec<u8>>;

pub fn copy(database: &SimulatedDatabase) -> Copied {
    let page = |area| PageRequest {
        area,
        range: KeyRange::default(),
        direction: Direction::Forwards,
        count_max: usize::MAX,
    };
    let request = Request { pages: Area::ALL.map(page).to_vec(), ..Request::default() };
    let pages = database.look(&request).expect("a head").pages;
    let records =
        Area::ALL.into_iter().zip(pages).flat_map(|(area, page)| page.into_iter().map(move |it| (area, it)));
    records.map(|(area, record)| ((area, record.key), record.value)).collect()
}

/// Has a database hold what was copied, and nothing else.
fn restore(database: &SimulatedDatabase, copied: &Copied) {
    for (area, key) in copy(database).into_keys() {
        database.replace(area, key, None);
    }
    for ((area, key), value) in copied {
        database.replace(*area, key.clone(), Some(value.clone()));
    }
}

fn root_of(copied: &Copied) -> Option<Vec<u8>> {
    copied.get(&(Area::Index, Key::text(ROOT))).cloned()
}

/// All is there, and what does not live is gone with the next compaction.
async fn check_whole(tabs: &Tabs, commits: &[crate::codec::sample::Commit], place: &str) {
    let storage = tabs.database.handle(TabId::BROWSER);
    let (_, store) = tabs.open(25).await;
    ask(&store).await;
    compact(&store).await.unwrap_or_else(|error| panic!("{place}: {error}"));
    let after = Stored::read(&storage).await;
    assert_eq!(after.check(commits), 0, "{place}");
    assert!(after.orphans.is_empty() && after.log.is_empty(), "{place}: {:?}", after.orphans);
}

async fn ask(store: &TabStore) {
    let list = StreamList { prefix: String::new(), after: None, limit: 1_000 };
    store.streams(&list).await.expect("what can be made again");
}

/// A tab compacts. After so many of its operations another has compacted the same, and the root is set back to what
/// the first has read. `false` where it has not so many.
fn compact_beside(older_count: usize, spared: u64) -> bool {
    let place = format!("{older_count} commits before, after {spared} operations");
    let tabs = Tabs::new(spared, Locks::Missing);
    let commits = history(&mut Prng::new(5), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let is_struck = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_struck);
    let test = async {
        let (_, other) = tabs.open(25).await;
        let (older, newer) = commits.split_at(older_count);
        lay(&storage, older, 2).await;
        compact(&other).await.unwrap();
        lay(&storage, newer, 2).await;
        let before = copy(&tabs.database);
        compact(&other).await.unwrap();
        let mut after = copy(&tabs.database);
        restore(&tabs.database, &before);
        match root_of(&before) {
            Some(root) => after.insert((Area::Index, Key::text(ROOT)), root),
            None => after.remove(&(Area::Index, Key::text(ROOT))),
        };

        let tab = tabs.origin.tab();
        let handle = tabs.database.handle(tab);
        let store = tabs.opening_on(tab, handle.clone(), on_demand(25)).await.unwrap();
        let database = tabs.database.clone();
        handle.light_fuse(spared, move || {
            restore(&database, &after);
            is_struck.set(true);
        });
        if let Err(error) = compact(&store).await {
            assert_eq!(error.code(), "STORAGE_FAILED", "{place}: {error}");
        }
        handle.put_fuse_out();
        check_whole(&tabs, &commits, &place).await;
    };
    tabs.executor.run_until(test).unwrap();
    seen.get()
}

#[test]
fn what_another_has_compacted_survives_when_the_root_is_set_back_under_who_compacts() {
    for older_count in [0, 12, 20] {
        let mut spared = 0;
        while compact_beside(older_count, spared) {
            spared += 1;
            assert!(spared < 1_000, "it never ends");
        }
        assert!(3 < spared, "only {spared} operations");
    }
}

/// Loses the pages of the directory, which is made again.
pub async fn lose_pages(tabs: &Tabs) {
    for (area, key) in copy(&tabs.database).into_keys() {
        if area == Area::Index && matches!(RunRecord::of(&key), Some((_, RunRecord::Page(_)))) {
            tabs.database.replace(area, key, None);
        }
    }
    let (_, store) = tabs.open(25).await;
    ask(&store).await;
}

#[test]
fn what_was_staged_is_deleted_although_the_root_that_knew_of_it_was_set_back_and_the_directory_made_again() {
    let tabs = Tabs::new(1, Locks::OfOrigin);
    let commits = history(&mut Prng::new(5), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let scheduler = tabs.executor.scheduler();
    let test = async {
        let (tab, store) = tabs.open(25).await;
        let (older, newer) = commits.split_at(12);
        lay(&storage, older, 2).await;
        compact(&store).await.unwrap();
        lay(&storage, newer, 2).await;
        let before = copy(&tabs.database);
        let unit_count = |copied: &Copied| copied.keys().filter(|(area, _)| *area == Area::Units).count();
        scheduler.spawn(tab, async move { drop(compact(&store).await) });
        while unit_count(&copy(&tabs.database)) == unit_count(&before) {
            scheduler.sleep(1).await;
        }
        tabs.origin.crash(tab);
        scheduler.sleep(100).await;
        tabs.database.replace(Area::Index, Key::text(ROOT), root_of(&before));
        assert!(!Stored::read(&storage).await.orphans.is_empty(), "nothing was staged");
        lose_pages(&tabs).await;
        check_whole(&tabs, &commits, "staged, set back, made again").await;
    };
    tabs.executor.run_until(test).unwrap();
}

/// Tabs compact and die, while the root is set back and pages of the directory are lost, again and again.
fn live(seed: u64) {
    let tabs = Tabs::new(seed, Locks::OfOrigin);
    let mut prng = Prng::new(seed);
    let commits = history(&mut Prng::new(seed % 5), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let scheduler = tabs.executor.scheduler();
    let mut trace = Vec::new();
    let test = async {
        tabs.open(25).await;
        let (mut laid, mut roots) = (0, Vec::new());
        for _ in 0..prng.between(4..=16) {
            roots.push(root_of(&copy(&tabs.database)));
            match prng.below(5) {
                0 if laid < commits.len() => {
                    let count = prng.between(1..=8).min((commits.len() - laid) as u64) as usize;
                    lay(&storage, &commits[laid..laid + count], 2).await;
                    laid += count;
                    trace.push(format!("{count} commits"));
                }
                0 | 1 => {
                    let (tab, store) = tabs.open(25).await;
                    scheduler.spawn(tab, async move { drop(compact(&store).await) });
                    let after_ms = prng.below(60);
                    scheduler.sleep(after_ms).await;
                    roots.push(root_of(&copy(&tabs.database)));
                    tabs.origin.crash(tab);
                    scheduler.sleep(100).await;
                    trace.push(format!("dies after {after_ms} ms"));
                }
                2 | 3 => {
                    let place = roots.len() - 1 - prng.index(roots.len().min(6));
                    tabs.database.replace(Area::Index, Key::text(ROOT), roots[place].clone());
                    trace.push(format!("root {place} of {}", roots.len()));
                }
                _ => {
                    lose_pages(&tabs).await;
                    trace.push("pages lost".to_owned());
                }
            }
        }
        // So that there is something to compact.
        lay(&storage, &commits[laid..], 2).await;
        check_whole(&tabs, &commits, &format!("seed {seed}: {trace:?}")).await;
    };
    tabs.executor.run_until(test).unwrap();
}

#[test]
fn however_often_a_root_is_set_back_all_is_there_and_nothing_that_does_not_live() {
    for seed in 0..300 {
        println!("seed {seed}");
        live(seed);
    }
}
