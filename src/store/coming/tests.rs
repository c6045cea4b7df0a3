//! What was asked for early is let go as soon as it is clear that nobody will need it.

use std::future::Future;
use std::ops::ControlFlow;

use crate::event::{EventType, Json, NewEvent, Position, StreamName};
use crate::log::Expected;
use crate::storage::memory::MemoryStorage;
use crate::storage::{Durability, Head, Request};
use crate::store::{AllRead, AppendRequest, Bounds, OpenOptions, Store, WriteRequest};
use crate::testing::executor::{Executor, Scheduler};
use crate::testing::prng::Prng;
use crate::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};
use crate::testing::watched_storage::{Watch, WatchedStorage};

/// Of events so large, the units of a log have two pages each, and each unit is a portion.
const PAYLOAD_BYTES: usize = 48 * 1024;
const UNIT_EVENTS: u64 = 30;

/// A tab with a store.
struct Tab {
    store: Store<WatchedStorage<MemoryStorage>, SimulatedHost>,
    watch: Watch,
    scheduler: Scheduler,
    prng: Prng,
}

#[track_caller]
fn in_a_tab<F: Future<Output = ()>>(test: impl FnOnce(Tab) -> F) {
    let executor = Executor::new(1);
    let scheduler = executor.scheduler();
    let origin = SimulatedOrigin::new(&scheduler, Announcements { lost_permille: 1_000, delay_ms_max: 0 });
    let bounds = Bounds { unit_entries_max: UNIT_EVENTS, ..Bounds::ON_DEMAND };
    let options = OpenOptions { durability: Durability::Relaxed, bounds };
    let watch = Watch::default();
    let storage = WatchedStorage::new(MemoryStorage::new(), &watch);
    let test = async {
        let store = Store::open(storage, origin.host(origin.tab(), "test"), options, |_| ()).await.unwrap();
        test(Tab { store, watch, scheduler, prng: Prng::new(1) }).await;
    };
    executor.run_until(test).unwrap();
}

impl Tab {
    async fn append(&mut self, count: u64, payload_bytes: usize) {
        for _ in 0..count {
            let bytes = self.prng.bytes(payload_bytes);
            let text: String = bytes.into_iter().map(|byte| char::from(b'a' + byte % 26)).collect();
            let data = Json::parse(format!("\"{text}\"")).unwrap();
            let event = NewEvent { data: Some(data), ..NewEvent::new(EventType::new("Noted").unwrap()) };
            let stream = StreamName::new("stream").unwrap();
            let writes = vec![WriteRequest { stream, expected: Expected::Any, events: vec![event] }];
            self.store.append(AppendRequest { writes, condition: None, durability: None }).1.await.unwrap();
        }
    }

    /// Appends the events of some units.
    async fn append_units(&mut self, count: u64) {
        self.append(count * UNIT_EVENTS, PAYLOAD_BYTES).await;
        self.store.compact(|_| ControlFlow::Continue(())).await.unwrap();
    }

    /// Reads two pages, of which the second is followed by more. Gives what was read early.
    async fn read_two_pages(&self) -> Vec<Request> {
        let first = self.store.read_all(&AllRead::everything()).await.unwrap();
        let (after, as_of) = (Position(first.next.unwrap()), Some(first.as_of));
        let second = AllRead { after, as_of, ..AllRead::everything() };
        assert!(self.store.read_all(&second).await.unwrap().next.is_some());
        self.watch.take_reads();
        self.scheduler.sleep(1).await;
        self.watch.take_reads()
    }

    fn early_count(&self) -> usize {
        self.store.shared.early.borrow().coming.len()
    }
}

#[test]
fn a_store_that_is_closed_keeps_nothing_that_was_read_early() {
    in_a_tab(|mut tab| async move {
        tab.append_units(3).await;
        assert_eq!(tab.read_two_pages().await.len(), 1);
        assert_eq!(tab.early_count(), 1);
        tab.store.close().await;
        assert_eq!(tab.early_count(), 0);
    });
}

#[test]
fn the_next_read_of_the_log_lets_go_what_the_one_before_did_not_need() {
    in_a_tab(|mut tab| async move {
        tab.append_units(3).await;
        tab.read_two_pages().await;
        assert_eq!(tab.early_count(), 1);
        // What a page of it takes is at hand, so nothing is asked for in the place of what is let go.
        tab.store.read_all(&AllRead::everything()).await.unwrap();
        assert_eq!(tab.early_count(), 0);
    });
}

#[test]
fn nothing_is_kept_of_a_log_in_whose_place_there_is_another() {
    in_a_tab(|mut tab| async move {
        tab.append_units(3).await;
        tab.read_two_pages().await;
        let shared = &tab.store.shared;
        let seen = shared.index.borrow().head();
        assert!(shared.go_over(seen, Head::default(), None));
        assert_eq!(tab.early_count(), 0);
    });
}

#[test]
fn a_read_that_begins_anew_reads_early_anew() {
    in_a_tab(|mut tab| async move {
        tab.append_units(3).await;
        let once = tab.read_two_pages().await;
        tab.store.shared.cache.borrow_mut().clear();
        assert_eq!((once.len(), tab.read_two_pages().await), (1, once));
    });
}

#[test]
fn what_is_of_too_many_parts_is_not_read_early() {
    in_a_tab(|mut tab| async move {
        // A page is read from 2,048 records at most, and so would the third be.
        tab.append(6_000, 1).await;
        tab.store.shared.cache.borrow_mut().clear();
        assert_eq!(tab.read_two_pages().await.len(), 0);
        assert_eq!(tab.early_count(), 0);
    });
}
