//! Subscriptions: what is told, when, and how they end. That nothing is missed or told twice is the simulator's to show.

use std::cell::RefCell;
use std::rc::Rc;

use everfold::error::Error;
use everfold::event::Position;
use everfold::query::Query;
use everfold::storage::memory::MemoryStorage;
use everfold::store::{EventPage, Mark, Store, Subscription};
use everfold::testing::executor::{Executor, Scheduler};
use everfold::testing::faulty_storage::{Fault, FaultyStorage, Operation, Target};
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedOrigin};
use everfold::testing::simulated_storage::{SimulatedDatabase, Weather};

use crate::damage::{change_log, flip, four_records};
use crate::one_tab::{Browser, RELAXED, TestStore, append, event, in_browser, mark, of_types};

type TestSubscription = Subscription<FaultyStorage<MemoryStorage>, SimulatedHost>;

/// A page as `position:type` words, then `to` where it ends, and `end` where that is the end of the log.
fn words(page: &EventPage) -> String {
    let mut words: Vec<String> = page
        .entries()
        .map(|entry| match entry.body {
            everfold::codec::Body::Event { event_type, .. } => format!("{}:{event_type}", entry.position),
            everfold::codec::Body::Fact(fact) => format!("{}:{}", entry.position, fact.type_name()),
        })
        .collect();
    words.push(page.next.map_or_else(|| format!("end {}", page.as_of), |next| format!("to {next}")));
    words.join(" ")
}

async fn next(subscription: &mut TestSubscription) -> String {
    outcome(subscription.next().await)
}

fn outcome(page: Result<Option<EventPage>, Error>) -> String {
    match page {
        Ok(Some(page)) => words(&page),
        Ok(None) => "stopped".to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

/// Takes pages in the background, and notes them with the time.
fn follow(
    scheduler: &Scheduler,
    browser: &Browser,
    mut subscription: TestSubscription,
) -> Rc<RefCell<Vec<String>>> {
    let told = Rc::<RefCell<Vec<String>>>::default();
    let (taker, clock) = (Rc::clone(&told), scheduler.clone());
    scheduler.spawn(browser.host().tab(), async move {
        let mut is_over = false;
        while !is_over {
            let page = subscription.next().await;
            is_over = !matches!(page, Ok(Some(_)));
            taker.borrow_mut().push(format!("{} ms: {}", clock.now_ms(), outcome(page)));
        }
    });
    told
}

fn subscribe(store: &TestStore, after: u64) -> TestSubscription {
    store.subscribe(Position(after), Query::everything())
}

#[test]
fn a_subscription_gives_what_is_there_and_then_what_comes() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        append(&store, "a", vec![event("A"), event("B")]).await;
        let mut all = subscribe(&store, 0);
        let mut late = subscribe(&store, 1);
        let mut facts = store.subscribe(Position::START, of_types(&["$deleted"]));
        assert_eq!(next(&mut all).await, "1:A 2:B end 2");
        assert_eq!(next(&mut late).await, "2:B end 2");
        assert_eq!(next(&mut facts).await, "end 2");
        append(&store, "b", vec![event("C")]).await;
        mark(&store, "a", Mark::Delete).await.expect("a deletion");
        assert_eq!(next(&mut all).await, "3:C end 4");
        assert_eq!(next(&mut facts).await, "4:$deleted end 4");
        let mut hidden = subscribe(&store, 0);
        assert_eq!(next(&mut hidden).await, "3:C end 4");
    });
}

#[test]
fn what_other_tabs_append_is_noticed_within_seconds_though_no_announcement_arrives() {
    in_browser(|browser| async move {
        let (store, other) = (browser.open().await, browser.open().await);
        let told = follow(browser.scheduler(), &browser, subscribe(&store, 0));
        browser.sleep(1_000).await;
        append(&other, "a", vec![event("A")]).await;
        browser.sleep(60_000).await;
        append(&other, "a", vec![event("B")]).await;
        browser.sleep(60_000).await;
        assert_eq!(*told.borrow(), ["0 ms: end 0", "5000 ms: 1:A end 1", "65000 ms: 2:B end 2"]);
    });
}

#[test]
fn while_the_storage_fails_it_tries_again() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        append(&store, "a", vec![event("A")]).await;
        browser.faults.arm(Target::Only(Operation::Read), 0, Fault::Disconnected);
        let told = follow(browser.scheduler(), &browser, subscribe(&store, 0));
        browser.sleep(1_000).await;
        assert_eq!(browser.faults.struck(), 1);
        assert_eq!(*told.borrow(), ["100 ms: 1:A end 1"]);
    });
}

#[test]
fn one_that_is_stopped_or_whose_store_is_closed_ends_while_it_waits() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        let (stopped, closed) = (subscribe(&store, 0), subscribe(&store, 0));
        let control = stopped.control();
        let ends = [stopped, closed].map(|subscription| follow(browser.scheduler(), &browser, subscription));
        browser.sleep(10).await;
        control.stop();
        browser.sleep(10).await;
        store.close().await;
        browser.sleep(10).await;
        assert_eq!(*ends[0].borrow(), ["0 ms: end 0", "10 ms: stopped"]);
        assert_eq!(*ends[1].borrow(), ["0 ms: end 0", "20 ms: CLOSED"]);
    });
}

#[test]
fn a_database_that_is_destroyed_ends_it_within_seconds() {
    let executor = Executor::new(1);
    let scheduler = executor.scheduler();
    let database = SimulatedDatabase::new(&scheduler, Weather::default());
    let origin = SimulatedOrigin::new(&scheduler, Announcements { lost_permille: 1_000, delay_ms_max: 0 });
    let run = async {
        let host = origin.host(origin.tab(), "test");
        let store =
            Store::open(database.handle(host.tab()), host, RELAXED, |_| ()).await.expect("a new store");
        let mut subscription = store.subscribe(Position::START, Query::everything());
        assert!(subscription.next().await.expect("an empty log").is_some());
        database.destroy();
        let error = subscription.next().await.expect_err("nothing can come any more");
        (error.code(), scheduler.now_ms())
    };
    assert_eq!(executor.run_until(run), Ok(("CLOSED", 5_000)));
}

#[test]
fn damage_ends_it_and_one_after_the_damage_goes_on() {
    in_browser(|browser| async move {
        four_records(&browser).await;
        change_log(&browser.storage, 2, flip).await;
        let store = browser.open().await;
        let mut subscription = subscribe(&store, 0);
        assert_eq!(next(&mut subscription).await, "1:A to 1");
        assert_eq!(next(&mut subscription).await, "CORRUPT_DATA");
        assert_eq!(subscription.control().looked_at(), Position(1));
        assert_eq!(next(&mut subscribe(&store, 3)).await, "4:D 5:E end 5");
    });
}

#[test]
fn an_error_is_told_once_to_each_who_asks() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        let mut subscription = subscribe(&store, 0);
        store.close().await;
        for _ in 0..2 {
            let error: Result<_, Error> = subscription.next().await.map(|page| page.is_some());
            assert_eq!(error.expect_err("the store is closed").code(), "CLOSED");
        }
    });
}
