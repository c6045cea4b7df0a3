//! While pages of the log are handed out, what comes after them is read already.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;

use everfold::error::Error;
use everfold::event::{EventType, Json, NewEvent, Position, StreamName};
use everfold::layout::keys::{ROOT, UnitRecord};
use everfold::layout::root::Root;
use everfold::log::Expected;
use everfold::reducer::Program;
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Direction, Key, Request};
use everfold::store::{AllRead, AppendRequest, EventPage, OpenOptions, Store, WriteRequest};
use everfold::testing::executor::{Executor, Scheduler};
use everfold::testing::faulty_storage::{Fault, Faults, FaultyStorage, Operation, Target};
use everfold::testing::prng::Prng;
use everfold::testing::reads;
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};
use everfold::testing::watched_storage::{Watch, WatchedStorage};

use futures_util::future::join;

use crate::compacted::by_hand::copy;
use crate::compaction::laid::{compact, on_demand};
use crate::one_tab::{whole_log, whole_stream};

type WatchedStore = Store<WatchedStorage<FaultyStorage<MemoryStorage>>, SimulatedHost>;

/// Payload of an event, in bytes: the events of a unit come to more than one page, and those of two to more than one portion.
const PAYLOAD_BYTES: usize = 48 * 1024;
const UNIT_EVENTS: u64 = 30;
const UNITS: u64 = 4;
/// What was appended since, and is read from records of the log.
const TAIL_EVENTS: u64 = 10;
const EVENTS: u64 = UNITS * UNIT_EVENTS + TAIL_EVENTS;

/// A compacted log, and who watches the storage of one store that is opened on it.
struct Scene {
    scheduler: Scheduler,
    origin: SimulatedOrigin,
    database: MemoryStorage,
    watch: Watch,
    faults: Faults,
}

impl Scene {
    async fn open(&self, options: OpenOptions) -> WatchedStore {
        self.open_watched(&self.watch, options).await
    }

    async fn open_watched(&self, watch: &Watch, options: OpenOptions) -> WatchedStore {
        let storage = FaultyStorage::new(self.database.handle(), &self.faults);
        let host = self.origin.host(self.origin.tab(), "test");
        Store::open(WatchedStorage::new(storage, watch), host, options, |_| ()).await.unwrap()
    }

    /// The same log, of which a test may make something else.
    async fn copied(&self) -> Self {
        let (database, watch, faults) = (MemoryStorage::new(), Watch::default(), Faults::default());
        copy(&self.database, &database).await;
        let (scheduler, origin) = (self.scheduler.clone(), self.origin.clone());
        Self { scheduler, origin, database, watch, faults }
    }

    /// Lets everything come to rest that was begun.
    async fn rest(&self) {
        self.scheduler.sleep(1).await;
    }

    /// A store that has read nothing yet, and nothing taken down.
    async fn open_unread(&self) -> WatchedStore {
        let store = self.open(on_demand(UNIT_EVENTS)).await;
        self.rest().await;
        self.watch.take_reads();
        store
    }
}

#[track_caller]
fn on_the_scene<F: Future<Output = ()>>(test: impl FnOnce(Scene) -> F) {
    let executor = Executor::new(1);
    let announcements = Announcements { lost_permille: 1_000, delay_ms_max: 0 };
    let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
    let (database, watch, faults) = (MemoryStorage::new(), Watch::default(), Faults::default());
    let scene = Scene { scheduler: executor.scheduler(), origin, database, watch, faults };
    let test = async {
        let store = scene.open(on_demand(UNIT_EVENTS)).await;
        let mut prng = Prng::new(1);
        for _ in 0..UNITS {
            append(&store, &mut prng, UNIT_EVENTS).await;
            compact(&store).await.unwrap();
        }
        append(&store, &mut prng, TAIL_EVENTS).await;
        store.close().await;
        drop(store);
        test(scene).await;
    };
    executor.run_until(test).unwrap();
}

/// Appends events whose texts do not become shorter by being packed.
async fn append(store: &WatchedStore, prng: &mut Prng, count: u64) {
    for _ in 0..count {
        let text: String =
            prng.bytes(PAYLOAD_BYTES).into_iter().map(|it| char::from(b'0' + it % 64)).collect();
        let data = Json::parse(format!("\"{}\"", text.replace('\\', "~"))).unwrap();
        let event = NewEvent { data: Some(data), ..NewEvent::new(EventType::new("Noted").unwrap()) };
        let stream = StreamName::new(format!("stream-{}", prng.below(3))).unwrap();
        let writes = vec![WriteRequest { stream, expected: Expected::Any, events: vec![event] }];
        store.append(AppendRequest { writes, condition: None, durability: None }).1.await.unwrap();
    }
}

/// A read of everything, a page at a time.
struct Reading<'a> {
    scene: &'a Scene,
    store: &'a WatchedStore,
    read: AllRead,
    positions: Vec<u64>,
    is_over: bool,
}

impl<'a> Reading<'a> {
    fn new(scene: &'a Scene, store: &'a WatchedStore, direction: Direction) -> Self {
        let read = AllRead { direction, ..whole_log() };
        Self { scene, store, read, positions: Vec::new(), is_over: false }
    }

    /// Reads a page. Gives what was read of the storage for it, while it was waited for.
    async fn page(&mut self) -> Result<Vec<Request>, Error> {
        self.scene.watch.take_reads();
        let page = self.store.read_all(&self.read).await?;
        let reads = self.scene.watch.take_reads();
        self.take(&page);
        Ok(reads)
    }

    fn take(&mut self, page: &EventPage) {
        self.positions.extend(page.entries().map(|entry| entry.position.0));
        self.read.as_of = Some(page.as_of);
        match (page.next, self.read.direction) {
            (None, _) => self.is_over = true,
            (Some(next), Direction::Forwards) => self.read.after = Position(next),
            (Some(next), Direction::Backwards) => self.read.before = Some(Position(next)),
        }
    }

    /// What was read after a page had been handed out.
    async fn read_early(&self) -> Vec<Request> {
        self.scene.rest().await;
        self.scene.watch.take_reads()
    }

    /// Everything was read that was appended.
    #[track_caller]
    fn check_all(&mut self) {
        if self.read.direction == Direction::Backwards {
            self.positions.reverse();
        }
        assert_eq!(self.positions, (1..=EVENTS).collect::<Vec<_>>());
    }
}

/// The number of a unit, or `THE_LOG`, or `THE_DIRECTORY`.
const THE_LOG: u64 = u64::MAX;
const THE_DIRECTORY: u64 = u64::MAX - 1;

/// Of which units anything was asked for, in the order of the requests.
fn asked_in(reads: &[Request]) -> Vec<u64> {
    let number_of = |area: Area, key: &Key| match area {
        Area::Units => UnitRecord::of(key).map(|(unit, _)| unit.0),
        Area::Log => Some(THE_LOG),
        _ => Some(THE_DIRECTORY),
    };
    let mut asked: Vec<u64> = Vec::new();
    for read in reads {
        let firsts = read.pages.iter().filter_map(|page| Some((page.area, page.range.from.as_ref()?)));
        let keys = read.keys.iter().map(|(area, key)| (*area, key)).chain(firsts);
        asked.extend(keys.filter_map(|(area, key)| number_of(area, key)));
    }
    asked.dedup();
    asked
}

/// The units that live, in the order of the log.
async fn living_units(database: &MemoryStorage) -> Vec<u64> {
    let stored = reads::value(database, Area::Index, &Key::text(ROOT)).await.unwrap().unwrap();
    Root::from_bytes(&stored).unwrap().units.iter().map(|unit| unit.number.0).collect()
}

fn check_read_ahead(direction: Direction) {
    on_the_scene(|scene| async move {
        let store = scene.open_unread().await;
        let mut expected = living_units(&scene.database).await;
        match direction {
            // The first unit is read for the first page.
            Direction::Forwards => drop(expected.remove(0)),
            // The first page is one of the tail, which was read when the store was opened.
            Direction::Backwards => expected.reverse(),
        }
        let mut reading = Reading::new(&scene, &store, direction);
        reading.page().await.unwrap();
        assert_eq!(asked_in(&reading.read_early().await), [0_u64; 0], "a first page is often the only one");
        let mut early = Vec::new();
        while !reading.is_over {
            let reads = reading.page().await.unwrap();
            assert!(reads.is_empty(), "after {:?} a page waits for {reads:?}", reading.positions.last());
            early.extend(asked_in(&reading.read_early().await));
        }
        reading.check_all();
        assert_eq!(early, expected);
    });
}

#[test]
fn after_its_first_page_a_read_of_the_log_waits_for_no_unit_and_each_is_read_once() {
    check_read_ahead(Direction::Forwards);
    check_read_ahead(Direction::Backwards);
}

#[test]
fn while_the_newest_state_is_found_out_what_is_known_is_read_already() {
    on_the_scene(|scene| async move {
        let store = scene.open_unread().await;
        let first_unit = living_units(&scene.database).await[0];
        scene.watch.hold_reads();
        let read = whole_log();
        let mut page = pin!(store.read_all(&read));
        let is_ready = poll_once(page.as_mut()).await.is_some();
        assert!(!is_ready);
        scene.rest().await;
        let mut asked = asked_in(&scene.watch.take_reads());
        asked.sort_unstable();
        assert_eq!(asked, [first_unit, THE_LOG]);
        scene.watch.let_reads_go();
        page.await.unwrap();
        assert_eq!(asked_in(&scene.watch.take_reads()), [0_u64; 0]);

        scene.watch.hold_reads();
        let read = whole_stream("stream-1");
        let mut page = pin!(store.read_stream(&read));
        let is_ready = poll_once(page.as_mut()).await.is_some();
        assert!(!is_ready);
        scene.rest().await;
        let mut asked = asked_in(&scene.watch.take_reads());
        asked.sort_unstable();
        assert_eq!(asked, [THE_DIRECTORY, THE_LOG]);
        scene.watch.let_reads_go();
        page.await.unwrap();
    });
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// When what was asked for early fails.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// While nobody waits for it.
    BeforeItIsNeeded,
    /// While a page waits for it.
    WhileItIsWaitedFor,
}

async fn check_fault(scene: &Scene, fault: Fault, moment: Moment) {
    let store = scene.open_unread().await;
    let mut reading = Reading::new(scene, &store, Direction::Forwards);
    reading.page().await.unwrap();
    scene.faults.arm(Target::Only(Operation::Read), 0, fault);
    scene.watch.hold_reads();
    // What it needs is at hand, so it can be no fault of its own.
    reading.page().await.unwrap();
    let early = reading.read_early().await;
    assert_eq!(asked_in(&early), [living_units(&scene.database).await[1]]);
    let release = async {
        match moment {
            Moment::BeforeItIsNeeded => scene.watch.let_reads_go(),
            Moment::WhileItIsWaitedFor => {}
        }
        // Long enough for the page of the next unit to be asked for, which waits.
        scene.scheduler.sleep(100).await;
        assert_eq!(scene.faults.struck() == 1, matches!(moment, Moment::BeforeItIsNeeded));
        scene.watch.let_reads_go();
    };
    let read_on = async {
        let mut again = Vec::new();
        while !reading.is_over {
            scene.rest().await;
            again.extend(reading.page().await.unwrap());
        }
        again
    };
    let (again, ()) = join(read_on, release).await;
    assert_eq!(scene.faults.struck(), 1);
    reading.check_all();
    let is_late = matches!(fault, Fault::Delayed(_));
    let expected: &[Request] = if is_late { &[] } else { &early };
    assert_eq!(again, expected, "{fault:?} {moment:?}: what failed early is asked for again when it is due");
}

#[test]
fn a_fault_of_what_is_read_early_fails_no_page_and_it_is_read_again_when_it_is_due() {
    on_the_scene(|scene| async move {
        for fault in Fault::ALL {
            check_fault(&scene, fault, Moment::BeforeItIsNeeded).await;
            check_fault(&scene, fault, Moment::WhileItIsWaitedFor).await;
        }
    });
}

/// When another tab compacts.
#[derive(Debug, Clone, Copy)]
enum Swap {
    /// After the next unit was read early.
    AfterTheRead,
    /// While the read of the next unit is on its way.
    BeforeTheRead,
    /// After it was read early, and the tab itself has found out meanwhile.
    Noticed,
}

async fn check_swap(scene: &Scene, swap: Swap, direction: Direction) {
    let store = scene.open_unread().await;
    let mut reading = Reading::new(scene, &store, direction);
    reading.page().await.unwrap();
    while asked_in(&reading.read_early().await).is_empty() {
        if let Swap::BeforeTheRead = swap {
            scene.watch.hold_reads();
        }
        reading.page().await.unwrap();
    }
    let before = living_units(&scene.database).await;
    // Two units become one, as large as it may be.
    let other = scene.open_watched(&Watch::default(), on_demand(3 * UNIT_EVENTS)).await;
    compact(&other).await.unwrap();
    let after = living_units(&scene.database).await;
    assert!(before.iter().all(|unit| !after.contains(unit)), "{before:?} became {after:?}");
    scene.watch.let_reads_go();
    scene.rest().await;
    if let Swap::Noticed = swap {
        let read = whole_stream("stream-1");
        store.read_stream(&read).await.unwrap();
    }
    while !reading.is_over {
        reading.page().await.unwrap();
    }
    reading.check_all();
}

#[test]
fn another_tab_may_compact_between_what_is_read_early_and_its_use() {
    on_the_scene(|scene| async move {
        for swap in [Swap::AfterTheRead, Swap::BeforeTheRead, Swap::Noticed] {
            for direction in [Direction::Forwards, Direction::Backwards] {
                println!("{swap:?} {direction:?}");
                check_swap(&scene.copied().await, swap, direction).await;
            }
        }
    });
}

#[test]
fn a_store_that_is_closed_while_it_reads_early_reads_no_more_and_lets_go_of_its_storage() {
    on_the_scene(|scene| async move {
        let store = scene.open_unread().await;
        let mut reading = Reading::new(&scene, &store, Direction::Forwards);
        reading.page().await.unwrap();
        scene.watch.hold_reads();
        reading.page().await.unwrap();
        assert_eq!(reading.read_early().await.len(), 1);
        store.close().await;
        let error = reading.page().await.unwrap_err();
        assert_eq!(error.code(), "CLOSED");
        scene.watch.let_reads_go();
        assert_eq!(reading.read_early().await, []);
        assert!(scene.watch.is_watching());
        drop(store);
        assert!(!scene.watch.is_watching(), "what was read early keeps the store");
    });
}

/// Folds all streams. Gives the units that were asked for.
async fn units_of_fold(scene: &Scene, store: &WatchedStore) -> Vec<u64> {
    let count = Program::compile(r#"{ "*": { "$inc": { "count": 1 } } }"#, r#"{ "count": 0 }"#).unwrap();
    scene.watch.take_reads();
    let folded = store.load_all(&count, None, |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!(folded.streams.iter().map(|(_, state)| state.count).sum::<u64>(), EVENTS);
    let asked: BTreeSet<u64> = asked_in(&scene.watch.take_reads()).into_iter().collect();
    asked.into_iter().filter(|number| *number < THE_DIRECTORY).collect()
}

#[test]
fn the_first_fold_of_a_long_log_keeps_none_of_its_blocks_and_the_second_all_that_it_reads() {
    on_the_scene(|scene| async move {
        let store = scene.open_unread().await;
        let all = living_units(&scene.database).await;
        assert_eq!(units_of_fold(&scene, &store).await, all);
        assert_eq!(units_of_fold(&scene, &store).await, all);
        assert_eq!(units_of_fold(&scene, &store).await, Vec::<u64>::new());
    });
}
