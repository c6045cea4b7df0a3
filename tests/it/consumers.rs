//! Consumers: when another tab takes over, in virtual time, and what becomes of one that is changed while it is led. That
//! nothing is lost or out of order, whatever befalls tabs, is the simulator's to show.

mod bytes;
mod damage;

use std::cell::RefCell;
use std::rc::Rc;

use everfold::consumer::Watch;
use everfold::error::Error;
use everfold::event::Position;
use everfold::log::Expected;
use everfold::query::Query;
use everfold::store::{
    AppendRequest, Consumer, ConsumerChange, ConsumerRequest, Handout, Report, Store, Turn,
};
use everfold::testing::executor::{Executor, Scheduler, TabId};
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};
use everfold::testing::simulated_storage::{SimulatedDatabase, SimulatedStorage, Weather};

use crate::one_tab::{RELAXED, event, of_types, write};

/// After so long another tab has taken over, whatever became of the one that led.
const TAKEOVER_MS_MAX: u64 = 5_000;

type TabStore = Store<SimulatedStorage, SimulatedHost>;

/// A browser with tabs that share a database.
#[derive(Clone)]
struct Tabs {
    scheduler: Scheduler,
    origin: SimulatedOrigin,
    database: SimulatedDatabase,
    /// What was handled: by which tab, at which position, when.
    handled: Rc<RefCell<Vec<(TabId, u64, u64)>>>,
}

/// Whether the browser has locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locks {
    Some,
    None,
}

/// What becomes of the tab that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Crashes,
    Freezes,
    Stops,
}

/// Of announcements, half are lost.
fn in_tabs<T>(seed: u64, locks: Locks, body: impl AsyncFnOnce(Tabs) -> T) -> T {
    in_tabs_that_lose(seed, locks, 500, body)
}

fn in_tabs_that_lose<T>(seed: u64, locks: Locks, lost_permille: u64, body: impl AsyncFnOnce(Tabs) -> T) -> T {
    let executor = Executor::new(seed);
    let scheduler = executor.scheduler();
    let weather = Weather { step_ms_max: 5, ..Weather::default() };
    let database = SimulatedDatabase::new(&scheduler, weather);
    let origin = SimulatedOrigin::new(&scheduler, Announcements { lost_permille, delay_ms_max: 20 });
    if locks == Locks::None {
        origin.take_locks_away();
    }
    let tabs = Tabs { scheduler, origin, database, handled: Rc::default() };
    executor.run_until(body(tabs)).expect("the test comes to an end")
}

fn request(name: &str) -> ConsumerRequest {
    ConsumerRequest { name: name.into(), after: Position::START, query: Query::everything(), batch: 1 }
}

impl Tabs {
    async fn open(&self) -> (TabId, TabStore) {
        let tab = self.origin.tab();
        let host = self.origin.host(tab, "test");
        let store = Store::open(self.database.handle(tab), host, RELAXED, |_| ()).await;
        (tab, store.expect("a whole database opens"))
    }

    /// Consumes in a tab. Each event takes so long, and meanwhile it is said that it is worked on.
    fn consume(&self, tab: TabId, store: &TabStore, duration_ms: u64) -> impl Fn() + use<> {
        let consumer = store.consumer(request("mails"));
        let control = consumer.control();
        self.scheduler.spawn(tab, handle_all(self.clone(), tab, consumer, duration_ms));
        move || control.stop()
    }

    fn now_ms(&self) -> u64 {
        self.scheduler.now_ms()
    }

    /// Waits until somebody has handled this position, and gives who, and when for the first time.
    async fn handled(&self, position: u64) -> (TabId, u64) {
        loop {
            let found = self.handled.borrow().iter().find(|it| it.1 == position).copied();
            if let Some((tab, _, at_ms)) = found {
                return (tab, at_ms);
            }
            self.scheduler.sleep(1).await;
        }
    }
}

async fn handle_all(
    tabs: Tabs,
    tab: TabId,
    mut consumer: Consumer<SimulatedStorage, SimulatedHost>,
    duration_ms: u64,
) {
    while let Ok(Some(handout)) = consumer.next().await {
        if !pass(&tabs.scheduler, &mut consumer, duration_ms).await {
            continue;
        }
        for position in positions(&handout) {
            tabs.handled.borrow_mut().push((tab, position, tabs.scheduler.now_ms()));
        }
    }
}

/// Lets time pass. Gives whether the lead is still held.
async fn pass(
    scheduler: &Scheduler,
    consumer: &mut Consumer<SimulatedStorage, SimulatedHost>,
    duration_ms: u64,
) -> bool {
    let mut left_ms = duration_ms;
    while Watch::LOOK_MS < left_ms {
        scheduler.sleep(Watch::LOOK_MS).await;
        left_ms -= Watch::LOOK_MS;
        if consumer.report(&Report::Pending).await == Ok(Turn::Lost) {
            return false;
        }
    }
    scheduler.sleep(left_ms).await;
    true
}

fn positions(handout: &Handout) -> Vec<u64> {
    handout.page.entries().map(|entry| entry.position.0).collect()
}

async fn add(store: &TabStore, stream: &str, event_type: &str) {
    let writes = vec![write(stream, Expected::Any, vec![event(event_type)])];
    let append = AppendRequest { writes, condition: None, durability: None };
    store.append(append).1.await.expect("an append that expects nothing");
}

/// The longest that it took, over many lives.
fn longest_takeover_ms(fate: Fate, locks: Locks, lost_permille: u64) -> u64 {
    let takeover_ms = |seed| {
        in_tabs_that_lose(seed, locks, lost_permille, async |tabs: Tabs| {
            let (leader, first) = tabs.open().await;
            let stop = tabs.consume(leader, &first, 10);
            add(&first, "a", "A").await;
            assert_eq!(tabs.handled(1).await.0, leader);
            let mut others = Vec::new();
            for _ in 0..2 {
                let (tab, store) = tabs.open().await;
                drop(tabs.consume(tab, &store, 10));
                others.push(store);
            }
            // Who watches is anywhere between two looks.
            tabs.scheduler.sleep(3_000 + 37 * seed).await;
            match fate {
                Fate::Crashes => tabs.origin.crash(leader),
                Fate::Freezes => tabs.scheduler.freeze(leader),
                Fate::Stops => stop(),
            }
            let began_ms = tabs.now_ms();
            add(&others[0], "a", "B").await;
            let (tab, at_ms) = tabs.handled(2).await;
            assert_ne!(tab, leader, "seed {seed}");
            at_ms - began_ms
        })
    };
    (0..100).map(takeover_ms).max().unwrap_or_default()
}

#[track_caller]
fn check_takeover(fate: Fate, locks: Locks, lost_permille: u64, expected_ms_max: u64) {
    let longest_ms = longest_takeover_ms(fate, locks, lost_permille);
    println!("{fate:?}, locks: {locks:?}: at most {longest_ms} ms");
    assert!(longest_ms <= expected_ms_max, "{fate:?}, {locks:?}: {longest_ms} ms");
}

#[test]
fn another_tab_takes_over_within_five_seconds_whatever_becomes_of_the_leader() {
    for locks in [Locks::Some, Locks::None] {
        for fate in [Fate::Crashes, Fate::Freezes, Fate::Stops] {
            check_takeover(fate, locks, 500, TAKEOVER_MS_MAX);
        }
    }
}

#[test]
fn with_locks_another_tab_takes_over_at_once_when_the_leader_crashes_or_stops() {
    check_takeover(Fate::Crashes, Locks::Some, 0, 200);
    check_takeover(Fate::Stops, Locks::Some, 0, 200);
}

#[test]
fn who_takes_long_keeps_the_lead() {
    for locks in [Locks::Some, Locks::None] {
        in_tabs(1, locks, async |tabs: Tabs| {
            let (leader, first) = tabs.open().await;
            drop(tabs.consume(leader, &first, 30_000));
            let (tab, second) = tabs.open().await;
            drop(tabs.consume(tab, &second, 10));
            add(&first, "a", "A").await;
            add(&second, "a", "B").await;
            assert_eq!(tabs.handled(1).await.0, leader, "{locks:?}");
            assert_eq!(tabs.handled(2).await.0, leader, "{locks:?}");
        });
    }
}

#[test]
fn a_leader_that_was_frozen_wakes_up_to_be_told_that_it_leads_no_more() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (leader, first) = tabs.open().await;
        drop(tabs.consume(leader, &first, 2_000));
        let (tab, second) = tabs.open().await;
        drop(tabs.consume(tab, &second, 10));
        add(&second, "a", "A").await;
        tabs.scheduler.sleep(500).await;
        tabs.scheduler.freeze(leader);
        add(&second, "a", "B").await;
        assert_eq!(tabs.handled(2).await.0, tab);
        tabs.scheduler.thaw(leader);
        add(&second, "a", "C").await;
        assert_eq!(tabs.handled(3).await.0, tab);
        tabs.scheduler.sleep(60_000).await;
        let handled: Vec<(TabId, u64)> =
            tabs.handled.borrow().iter().map(|(tab, position, _)| (*tab, *position)).collect();
        assert_eq!(handled, [(tab, 1), (tab, 2), (tab, 3)]);
    });
}

/// A consumer of one tab, with nobody else about.
async fn next(consumer: &mut Consumer<SimulatedStorage, SimulatedHost>) -> Result<Vec<u64>, String> {
    match consumer.next().await {
        Ok(Some(handout)) => Ok(positions(&handout)),
        Ok(None) => Err("ended".to_owned()),
        Err(error) => Err(Error::code(&error).to_owned()),
    }
}

#[test]
fn who_takes_the_lead_back_is_handed_what_was_in_hand_when_it_was_lost() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (_, store) = tabs.open().await;
        for event_type in ["A", "B", "C"] {
            add(&store, "a", event_type).await;
        }
        let mut consumer = store.consumer(request("mails"));
        assert_eq!(next(&mut consumer).await, Ok(vec![1]));
        assert_eq!(next(&mut consumer).await, Ok(vec![2]));
        let reset = ConsumerChange::Reset { after: Position(1) };
        assert_eq!(store.change_consumer("mails", &reset).await, Ok(true));
        // What was handed out before the reset does not count as handled.
        assert_eq!(consumer.report(&Report::Pending).await, Ok(Turn::Lost));
        assert_eq!(next(&mut consumer).await, Ok(vec![2]));
        assert_eq!(next(&mut consumer).await, Ok(vec![3]));
        assert_eq!(store.change_consumer("mails", &ConsumerChange::Remove).await, Ok(true));
        assert_eq!(next(&mut consumer).await, Err("ended".to_owned()));
        assert_eq!(store.consumers().await, Ok(Vec::new()));
    });
}

#[test]
fn what_a_tab_parks_another_one_passes_over_and_has_tried_again() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (first_tab, first) = tabs.open().await;
        for (stream, event_type) in [("a", "A"), ("b", "B"), ("a", "C")] {
            add(&first, stream, event_type).await;
        }
        let mut consumer = first.consumer(request("mails"));
        assert_eq!(next(&mut consumer).await, Ok(vec![1]));
        let parked = Report::Parked { attempts: 1, reason: "no".into() };
        assert_eq!(consumer.report(&parked).await, Ok(Turn::Done));
        assert_eq!(next(&mut consumer).await, Ok(vec![2]));
        tabs.origin.crash(first_tab);

        let (_, second) = tabs.open().await;
        let mut consumer = second.consumer(request("mails"));
        assert_eq!(next(&mut consumer).await, Ok(vec![2]));
        // A third tab asks for it.
        let (_, third) = tabs.open().await;
        let retry = ConsumerChange::Retry { event: None };
        assert_eq!(third.change_consumer("mails", &retry).await, Ok(true));
        let mut order = Vec::new();
        for _ in 0..2 {
            order.extend(next(&mut consumer).await.expect("events"));
        }
        assert_eq!(order, [1, 3]);
        let control = consumer.control();
        control.stop();
        assert_eq!(next(&mut consumer).await, Err("ended".to_owned()));
        let infos = second.consumers().await.expect("they are listed");
        assert_eq!((infos[0].position, infos[0].is_led), (Position(3), false));
    });
}

#[test]
fn a_leader_that_waits_hears_of_what_is_to_be_tried_again_though_no_announcement_arrives() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (leader, first) = tabs.open().await;
        add(&first, "a", "A").await;
        let mut consumer = first.consumer(request("mails"));
        assert_eq!(next(&mut consumer).await, Ok(vec![1]));
        let parked = Report::Parked { attempts: 1, reason: "no".into() };
        assert_eq!(consumer.report(&parked).await, Ok(Turn::Done));
        tabs.scheduler.spawn(leader, handle_all(tabs.clone(), leader, consumer, 0));
        tabs.scheduler.sleep(100).await;
        for _ in 0..20 {
            // Half of the announcements are lost.
            let (_, other) = tabs.open().await;
            let began_ms = tabs.now_ms();
            other
                .change_consumer("mails", &ConsumerChange::Retry { event: None })
                .await
                .expect("it is stored");
            let (_, at_ms) = tabs.handled(1).await;
            assert!(at_ms < began_ms + 6_000);
        }
    });
}

#[test]
fn nothing_is_written_while_nothing_comes_that_is_wanted() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (_, store) = tabs.open().await;
        let query = of_types(&["Wanted"]);
        let mut consumer = store.consumer(ConsumerRequest { query, ..request("mails") });
        add(&store, "a", "Wanted").await;
        assert_eq!(next(&mut consumer).await, Ok(vec![1]));
        let control = consumer.control();
        let tab = store.clone();
        let (scheduler, database) = (tabs.scheduler.clone(), tabs.database.clone());
        tabs.scheduler.spawn(TabId::BROWSER, async move {
            scheduler.sleep(100).await;
            let before = bytes::stored(&database, "mails");
            for _ in 0..10 {
                add(&tab, "a", "Other").await;
                scheduler.sleep(10_000).await;
            }
            assert_eq!(bytes::stored(&database, "mails"), before);
            assert_eq!(control.position(), Position(11));
            control.stop();
        });
        assert_eq!(next(&mut consumer).await, Err("ended".to_owned()));
    });
}

#[test]
fn a_watcher_that_is_stopped_ends_at_once_whenever_that_is() {
    for delay_ms in 0..40 {
        let took_ms = in_tabs_that_lose(delay_ms, Locks::Some, 0, async |tabs: Tabs| {
            let (leader, first) = tabs.open().await;
            drop(tabs.consume(leader, &first, 0));
            add(&first, "a", "A").await;
            tabs.handled(1).await;
            let (tab, second) = tabs.open().await;
            let mut consumer = second.consumer(request("mails"));
            let control = consumer.control();
            let scheduler = tabs.scheduler.clone();
            tabs.scheduler.spawn(tab, async move {
                scheduler.sleep(delay_ms).await;
                control.stop();
            });
            let began_ms = tabs.now_ms();
            assert_eq!(next(&mut consumer).await, Err("ended".to_owned()));
            tabs.now_ms() - began_ms - delay_ms
        });
        assert!(took_ms < 100, "stopped after {delay_ms} ms, it ended {took_ms} ms later");
    }
}

#[test]
fn a_batch_that_could_not_be_parked_is_stored_as_handled_once_it_is() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (_, store) = tabs.open().await;
        for event_type in ["A", "B", "C"] {
            add(&store, "a", event_type).await;
        }
        let mut consumer = store.consumer(ConsumerRequest { batch: 10, ..request("mails") });
        assert_eq!(next(&mut consumer).await, Ok(vec![1, 2, 3]));
        tabs.database.set_weather(Weather { step_ms_max: 5, quota_permille: 1_000, ..Weather::default() });
        let parked = Report::Parked { attempts: 1, reason: "no".into() };
        let refused = consumer.report(&parked).await.map_err(|error| error.code());
        assert_eq!(refused, Err("QUOTA_EXCEEDED"));
        tabs.database.set_weather(Weather { step_ms_max: 5, ..Weather::default() });
        // It is handled again, and that goes well.
        let control = consumer.control();
        control.stop();
        assert_eq!(next(&mut consumer).await, Err("ended".to_owned()));
        let infos = store.consumers().await.expect("they are listed");
        assert_eq!(infos[0].position, Position(3));
    });
}

#[test]
fn attempts_are_counted_also_of_what_is_tried_again_after_it_was_parked() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (_, store) = tabs.open().await;
        add(&store, "a", "A").await;
        let mut consumer = store.consumer(request("mails"));
        assert_eq!(next(&mut consumer).await, Ok(vec![1]));
        let parked = Report::Parked { attempts: 1, reason: "no".into() };
        assert_eq!(consumer.report(&parked).await, Ok(Turn::Done));
        let retry = ConsumerChange::Retry { event: None };
        assert_eq!(store.change_consumer("mails", &retry).await, Ok(true));
        for attempts in [0, 1, 2] {
            let handout = consumer.next().await.expect("a handout").expect("it goes on");
            assert_eq!((positions(&handout), handout.attempts), (vec![1], attempts));
            assert_eq!(consumer.report(&Report::Failed { pause_ms: 0 }).await, Ok(Turn::Done));
            // Its tab is closed, and another one goes on.
            assert_eq!(consumer.report(&Report::Returned).await, Ok(Turn::Done));
            consumer.control().stop();
            assert_eq!(next(&mut consumer).await, Err("ended".to_owned()));
            consumer = store.consumer(request("mails"));
        }
    });
}

#[test]
fn who_begins_with_another_query_goes_on_from_where_it_is_and_who_had_the_old_one_ends() {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (_, old_store) = tabs.open().await;
        let (_, store) = tabs.open().await;
        let asked = |types: &[&str]| ConsumerRequest { query: of_types(types), ..request("mails") };
        let [mut leader, mut watcher] = [asked(&["A"]), asked(&["A"])].map(|asked| old_store.consumer(asked));
        add(&store, "a", "A").await;
        assert_eq!(next(&mut leader).await, Ok(vec![1]));
        watcher.begin().await.expect("it is stored");

        let mut new = store.consumer(asked(&["A", "B"]));
        new.begin().await.expect("it is stored");
        for event_type in ["B", "A", "B"] {
            add(&store, "a", event_type).await;
        }
        for old in [&mut leader, &mut watcher] {
            let refused = old.next().await.map(|_| ()).expect_err("its query is another");
            assert_eq!(refused.code(), "INVALID_ARGUMENT", "{refused}");
        }
        // What the old one had in hand comes again.
        for position in 1..=4 {
            assert_eq!(next(&mut new).await, Ok(vec![position]));
        }
    });
}

#[test]
fn who_pauses_keeps_the_lead_without_a_write_and_loses_it_only_when_the_pause_is_over() {
    const PAUSE_MS: u64 = 60_000;
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (leader, first) = tabs.open().await;
        let (tab, second) = tabs.open().await;
        add(&first, "a", "A").await;
        let mut consumer = first.consumer(request("mails"));
        assert_eq!(next(&mut consumer).await, Ok(vec![1]));
        drop(tabs.consume(tab, &second, 0));
        assert_eq!(consumer.report(&Report::Failed { pause_ms: PAUSE_MS }).await, Ok(Turn::Done));
        let (paused_ms, stored) = (tabs.now_ms(), bytes::stored(&tabs.database, "mails"));
        tabs.scheduler.sleep(PAUSE_MS).await;
        assert_eq!(bytes::stored(&tabs.database, "mails"), stored);
        // It does not come back.
        tabs.scheduler.freeze(leader);
        let (by, at_ms) = tabs.handled(1).await;
        assert!(
            by == tab && at_ms - paused_ms <= PAUSE_MS + TAKEOVER_MS_MAX,
            "{by:?} after {} ms",
            at_ms - paused_ms
        );
    });
}
