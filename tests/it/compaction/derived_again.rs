//! The root and the directory are made again, while storages fail, tabs die, and others do the same or compact.

use std::cell::Cell;
use std::rc::Rc;

use everfold::error::{Detail, Error};
use everfold::host::Host;
use everfold::layout::RunNumber;
use everfold::layout::keys::{ROOT, RunRecord};
use everfold::storage::{
    Area, Direction, GuardedWrite, Key, KeyRange, LayoutChange, PageRequest, Storage, Written,
};
use everfold::store::{AllRead, OpenOptions, Store, StreamList};
use everfold::testing::executor::TabId;
use everfold::testing::faulty_storage::{Fault, Target};
use everfold::testing::prng::Prng;
use futures_util::future::{join3, join4};

use crate::layout::lived::Shape;
use crate::one_tab::{Browser, in_browser, of_types, whole_log};

use super::background::EAGER;
use super::laid::{compact, history, lay, on_demand};
use super::stored::Stored;
use super::tabs::{Locks, Tabs};

const SHAPE: Shape =
    Shape { commit_count: 40, commit_entries_max: 3, stream_count: 7, facts_permille: 80, large_permille: 0 };

/// What is lost of a log before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Nothing,
    Root,
    Pages,
}

impl Loss {
    pub async fn strike(self, storage: &impl Storage) {
        let deletes = match self {
            Self::Nothing => Vec::new(),
            Self::Root => vec![(Area::Index, Key::text(ROOT).into())],
            Self::Pages => pages_of(storage).await,
        };
        write(storage, deletes, Vec::new()).await;
    }
}

async fn write(storage: &impl Storage, deletes: Vec<(Area, KeyRange)>, puts: Vec<(Area, Key, Vec<u8>)>) {
    let (layout, durability) = (LayoutChange::Keep, storage.strongest_durability());
    let write = GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

async fn pages_of(storage: &impl Storage) -> Vec<(Area, KeyRange)> {
    let direction = Direction::Forwards;
    let (area, range, count_max) = (Area::Index, KeyRange::default(), usize::MAX);
    let found = storage.read(PageRequest { area, range, direction, count_max }.into()).await;
    let records = found.expect("a storage that was not made to fail").pages.into_iter().flatten();
    let is_page = |key: &Key| RunRecord::of(key).is_some_and(|(_, kind)| kind == RunRecord::Page(0));
    records.map(|record| record.key).filter(is_page).map(|key| (area, key.into())).collect()
}

/// Opens a log with a loss, and asks what only the directory knows, with a fault after so many operations. `false`
/// where there are not so many.
fn strike(loss: Loss, fault: Fault, spared: u64) -> bool {
    let place = format!("{loss:?} lost, {fault:?} after {spared}");
    let is_struck = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_struck);
    in_browser(|browser| async move {
        let commits = history(&mut Prng::new(3), SHAPE);
        let store = browser.open_with(on_demand(20)).await.unwrap();
        let (older, newer) = commits.split_at(30);
        lay(&browser.storage, older, 2).await;
        compact(&store).await.unwrap();
        lay(&browser.storage, newer, 2).await;
        store.close().await;
        loss.strike(&browser.storage).await;

        browser.faults.arm(Target::Every, spared, fault);
        if let Err(error) = open_and_ask(&browser, on_demand(20)).await {
            let is_expected =
                matches!(error.detail(), Detail::QuotaExceeded { .. } | Detail::StorageFailed { .. });
            assert!(is_expected, "{place}: {error}");
        }
        seen.set(browser.faults.struck() == 1);
        browser.faults.disarm();

        open_and_ask(&browser, on_demand(20)).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        Stored::read(&browser.storage).await.check(&commits);
        let store = browser.open_with(on_demand(20)).await.unwrap();
        compact(&store).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        let after = Stored::read(&browser.storage).await;
        assert_eq!(after.check(&commits), 0, "{place}");
        assert!(after.orphans.is_empty() && after.log.is_empty(), "{place}: {:?}", after.orphans);
    });
    is_struck.get()
}

async fn open_and_ask(browser: &Browser, options: OpenOptions) -> Result<(), Error> {
    let store = browser.open_with(options).await?;
    ask(&store).await
}

/// Asks for what all of the directory is read for.
async fn ask<S: Storage, H: Host>(store: &Store<S, H>) -> Result<(), Error> {
    let list = StreamList { prefix: String::new(), after: None, limit: 1_000 };
    store.streams(&list).await?;
    for fact in ["$deleted", "$truncated"] {
        let read = AllRead { query: of_types(&[fact]), ..whole_log() };
        store.read_all(&read).await?;
    }
    Ok(())
}

#[test]
fn whatever_fails_while_it_is_made_again_nothing_is_lost_and_it_is_made_in_the_end() {
    for loss in [Loss::Root, Loss::Pages] {
        for fault in Fault::ALL {
            let mut point_count = 0;
            while strike(loss, fault, point_count) {
                point_count += 1;
                assert!(point_count < 1_000, "{fault:?} never misses");
            }
            assert!(8 < point_count, "{loss:?}, {fault:?}: only {point_count} operations");
        }
    }
}

/// What a tab does when it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Work {
    loss: Loss,
    options: OpenOptions,
    /// Whether another tab died before it, in the middle of a compaction.
    follows_a_crash: bool,
}

/// A tab opens a log, does what is to be done, and dies after so long. `false` where it was through.
fn crash(work: Work, after_ms: u64) -> bool {
    let place = format!("{work:?}, after {after_ms} ms");
    let tabs = Tabs::new(after_ms % 7, Locks::OfOrigin);
    let commits = history(&mut Prng::new(after_ms % 5), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let scheduler = tabs.executor.scheduler();
    let is_through = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_through);
    let test = async {
        let (tab, store) = tabs.open(25).await;
        let (older, newer) = commits.split_at(20);
        lay(&storage, older, 2).await;
        compact(&store).await.unwrap();
        lay(&storage, newer, 2).await;
        if work.follows_a_crash {
            scheduler.spawn(tab, async move { drop(compact(&store).await) });
            scheduler.sleep(60).await;
        }
        tabs.origin.crash(tab);
        scheduler.sleep(100).await;
        work.loss.strike(&storage).await;

        let tab = tabs.origin.tab();
        let opening = tabs.opening(tab, work.options);
        scheduler.spawn(tab, async move {
            let store = opening.await.unwrap();
            if work.options == on_demand(25) {
                compact(&store).await.unwrap();
            }
            // Closing waits for what goes on in the background.
            store.close().await;
            seen.set(true);
        });
        scheduler.sleep(after_ms).await;
        tabs.origin.crash(tab);
        // What was on its way arrives.
        scheduler.sleep(100).await;

        let (_, store) = tabs.open(25).await;
        ask(&store).await.unwrap();
        Stored::read(&storage).await.check(&commits);
        compact(&store).await.unwrap();
        let after = Stored::read(&storage).await;
        assert_eq!(after.check(&commits), 0, "{place}");
        assert!(after.orphans.is_empty() && after.log.is_empty(), "{place}: {:?}", after.orphans);
    };
    tabs.executor.run_until(test).unwrap();
    !is_through.get()
}

#[test]
fn a_tab_may_die_at_any_moment_of_whatever_it_does_with_a_log() {
    for loss in [Loss::Nothing, Loss::Root, Loss::Pages] {
        for options in [on_demand(25), EAGER] {
            for follows_a_crash in [false, true] {
                let work = Work { loss, options, follows_a_crash };
                let mut after_ms = 0;
                while crash(work, after_ms) {
                    after_ms += 7;
                    assert!(after_ms < 10_000, "{work:?} never ends");
                }
                println!("{work:?} is through after {after_ms} ms");
            }
        }
    }
}

/// Two tabs find that the root or pages are lost, while a third compacts and others append.
fn race(seed: u64, loss: Loss, locks: Locks) {
    let tabs = Tabs::new(seed, locks);
    let commits = history(&mut Prng::new(seed), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let test = async {
        let (_, open_before) = tabs.open(25).await;
        let (older, newer) = commits.split_at(25);
        lay(&storage, older, 2).await;
        compact(&open_before).await.unwrap();
        loss.strike(&storage).await;
        let appending = async {
            for commit in newer {
                lay(&storage, std::slice::from_ref(commit), 1).await;
            }
        };
        let opening = || async {
            let (_, store) = tabs.open(25).await;
            ask(&store).await.unwrap();
        };
        let (compacted, (), (), ()) = join4(compact(&open_before), opening(), opening(), appending).await;
        if let Err(error) = compacted {
            assert_eq!((error.code(), locks), ("STORAGE_FAILED", Locks::Missing), "{error}");
        }
        opening().await;
        Stored::read(&storage).await.check(&commits);
        compact(&open_before).await.unwrap();
        let after = Stored::read(&storage).await;
        assert_eq!(after.check(&commits), 0, "seed {seed}");
        assert!(after.orphans.is_empty() && after.log.is_empty(), "seed {seed}: {:?}", after.orphans);
    };
    tabs.executor.run_until(test).unwrap();
}

#[test]
fn tabs_make_it_again_at_once_while_another_compacts() {
    for seed in 0..30 {
        for loss in [Loss::Root, Loss::Pages] {
            println!("seed {seed}, {loss:?}");
            race(seed, loss, if seed % 3 == 0 { Locks::Missing } else { Locks::OfOrigin });
        }
    }
}

/// Two tabs find that the root is lost, one so long after the other. Meanwhile what a compaction staged that died is lost
/// too: so they do not agree which numbers were given.
fn stagger(start_ms: u64, loss_ms: u64) {
    let tabs = Tabs::new(loss_ms, Locks::OfOrigin);
    let commits = history(&mut Prng::new(3), SHAPE);
    let storage = tabs.database.handle(TabId::BROWSER);
    let scheduler = tabs.executor.scheduler();
    let test = async {
        let (_, store) = tabs.open(12).await;
        lay(&storage, &commits, 2).await;
        compact(&store).await.unwrap();
        let root = Stored::read(&storage).await.root;
        assert!(3 < root.units.len(), "{} units", root.units.len());
        let staged = RunRecord::Page(0).key(RunNumber(root.next_number + 1));
        write(&storage, Vec::new(), vec![(Area::Index, staged.clone(), vec![1; 20])]).await;
        Loss::Root.strike(&storage).await;
        let open_after = async |delay_ms| {
            scheduler.sleep(delay_ms).await;
            let (_, store) = tabs.open(12).await;
            ask(&store).await.unwrap();
        };
        let losing = async {
            scheduler.sleep(loss_ms).await;
            write(&storage, vec![(Area::Index, staged.into())], Vec::new()).await;
        };
        join3(open_after(0), open_after(start_ms), losing).await;
        Stored::read(&storage).await.check(&commits);
    };
    tabs.executor.run_until(test).unwrap();
}

#[test]
fn of_two_tabs_that_make_it_again_neither_writes_over_what_the_other_has_staged() {
    for start_ms in 0..12 {
        for loss_ms in 0..16 {
            println!("{start_ms} ms, {loss_ms} ms");
            stagger(start_ms, loss_ms);
        }
    }
}
