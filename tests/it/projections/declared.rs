//! Projections that are documents: read, folded and written by the store alone, whatever fails and whoever takes over.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use everfold::documents::DocumentReducer;
use everfold::error::Error;
use everfold::event::{EventType, Json, NewEvent, Position};
use everfold::host::Host;
use everfold::projection::range::EntryRange;
use everfold::projection::{Definition, Index};
use everfold::query::Query;
use everfold::reducer::{IndexPaths, Versions};
use everfold::storage::{Direction, Storage};
use everfold::store::{Begin, Carried, CarriedOn, CarryOn, Claim, Find, Projection, Store};
use everfold::testing::faulty_storage::{Fault, Target};
use everfold::testing::prng::Prng;
use futures_util::FutureExt;

use crate::one_tab::{TestStore, append, in_browser};

const ON: &str = r#"{
    "Added": { "$inc": { "sum": "$data.n" }, "$set": { "group": "$data.group" } },
    "Removed": { "$if": "$state", "$remove": true }
}"#;
const BY_GROUP: &str = "[\"byGroup\",[\"group\"],false]";

/// A stream, and what was added to its document; nothing where that was taken away.
type Happened = (String, Option<(i64, &'static str)>);
/// Sums and groups by streams.
type Sums = BTreeMap<String, (i64, &'static str)>;

fn sums() -> Projection {
    let indexes = vec![Index { text: Rc::from(BY_GROUP), value_count: 1 }];
    Projection { name: Rc::from("sums"), definition: Definition { version: 1, fingerprint: 7, indexes } }
}

fn reducer(versions: Versions) -> DocumentReducer {
    DocumentReducer::compile(ON, None, vec![IndexPaths::of_values(["group"])], versions).expect("a document")
}

fn history(seed: u64, count: usize) -> Vec<Happened> {
    let mut prng = Prng::new(seed);
    (0..count)
        .map(|_| {
            let stream = format!("s-{}", prng.below(20));
            let added = (prng.below(9) as i64 - 4, *prng.pick(&["a", "b", "c"]));
            (stream, (!prng.chance(200)).then_some(added))
        })
        .collect()
}

fn event_of(happened: &Happened) -> NewEvent {
    let (event_type, data) = match happened.1 {
        Some((n, group)) => ("Added", format!("{{\"n\":{n},\"group\":\"{group}\"}}")),
        None => ("Removed", "null".to_owned()),
    };
    let data = Some(Json::parse(data).expect("good JSON"));
    NewEvent { data, ..NewEvent::new(EventType::new(event_type).expect("a good type")) }
}

async fn fill(store: &TestStore, history: &[Happened]) {
    for happened in history {
        append(store, &happened.0, vec![event_of(happened)]).await;
    }
}

fn naive(history: &[Happened], position: Position) -> Sums {
    let mut sums = Sums::new();
    for (stream, added) in &history[..position.0 as usize] {
        match added {
            Some((n, group)) => {
                let sum = sums.entry(stream.clone()).or_insert((0, group));
                *sum = (sum.0 + n, group);
            }
            None => drop(sums.remove(stream)),
        }
    }
    sums
}

/// Carries a build on until it has reached the end of the log, or another one has the right.
async fn fold_all<S: Storage, H: Host>(
    store: &Store<S, H>,
    reducer: &DocumentReducer,
    mut claim: Claim,
) -> Result<Option<CarriedOn>, Error> {
    let subscription = Rc::new(RefCell::new(Some(store.subscribe(claim.position, Query::everything()))));
    loop {
        let projection = sums();
        let mut next = || {
            let slot = Rc::clone(&subscription);
            let taken = slot.borrow_mut().take();
            async move {
                let mut subscription = taken.expect("asked once at a time");
                let page = subscription.next().await;
                *slot.borrow_mut() = Some(subscription);
                page
            }
            .boxed_local()
        };
        let carried = store.carry_on(CarryOn { projection, claim, reducer }, &mut next).await?;
        let Carried::On(on) = carried else { return Ok(None) };
        if on.is_written {
            (claim.position, claim.is_answering) = (on.position, claim.is_answering || on.is_ready);
        }
        // Where all is written already, nothing else comes.
        let is_over = claim.is_answering && store.position() <= on.position;
        if is_over || on.is_ready || on.failure.is_some() || on.older.is_some() {
            return Ok(Some(on));
        }
    }
}

async fn check_answers<S: Storage, H: Host>(store: &Store<S, H>, expected: &Sums, place: &str) {
    let find = |index: Option<&str>| Find {
        name: Rc::from("sums"),
        index: index.map(Rc::from),
        range: EntryRange::within(&[], &[], None, Direction::Forwards),
        limit: 100,
    };
    let text = |(sum, group): &(i64, &str)| format!("{{\"sum\":{sum},\"group\":\"{group}\"}}");
    let found = store.find_documents(&find(None)).await.unwrap().unwrap();
    let found: BTreeMap<String, String> =
        found.rows.iter().map(|(key, text)| (key.to_string(), text.to_string())).collect();
    let wanted: BTreeMap<String, String> =
        expected.iter().map(|(key, sum)| (key.clone(), text(sum))).collect();
    assert_eq!(found, wanted, "{place}");
    let found = store.find_documents(&find(Some(BY_GROUP))).await.unwrap().unwrap();
    let found: Vec<String> = found.rows.iter().map(|(key, _)| key.to_string()).collect();
    let mut wanted: Vec<(&str, String)> =
        expected.iter().map(|(key, (_, group))| (*group, key.clone())).collect();
    wanted.sort();
    assert_eq!(found, wanted.into_iter().map(|(_, key)| key).collect::<Vec<_>>(), "{place}");
}

/// Begins, claims and carries on, with a fault after so many operations. `false` where there are not so many.
fn strike(fault: Fault, spared: u64) -> bool {
    let place = format!("{fault:?} after {spared}");
    let is_struck = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_struck);
    in_browser(|browser| async move {
        let history = history(3, 60);
        let reducer = reducer(Versions::default());
        let store = browser.open().await;
        fill(&store, &history).await;
        browser.faults.arm(Target::Every, spared, fault);
        let ended = async {
            store.project(&sums(), Begin::IfNew).await?;
            match store.claim(&sums()).await? {
                Some(claim) => fold_all(&store, &reducer, claim).await,
                None => Ok(None),
            }
        };
        let ended = ended.await;
        seen.set(browser.faults.struck() == 1);
        browser.faults.disarm();
        if let Err(error) = ended {
            assert!(["STORAGE_FAILED", "QUOTA_EXCEEDED"].contains(&error.code()), "{place}: {error}");
        }
        // Whatever it was, the documents are those of the checkpoint, and the work goes on from there.
        let other = browser.open().await;
        for store in [&store, &other] {
            if let Some(position) = store.standing(&sums(), None).await.unwrap().answering {
                check_answers(store, &naive(&history, position), &place).await;
            }
        }
        other.project(&sums(), Begin::IfNew).await.unwrap();
        let claim = other.claim(&sums()).await.unwrap().unwrap();
        fold_all(&other, &reducer, claim).await.unwrap().unwrap();
        for store in [&store, &other] {
            check_answers(store, &naive(&history, Position(60)), &place).await;
        }
    });
    is_struck.get()
}

#[test]
fn whatever_fails_each_event_is_in_the_documents_once() {
    for fault in Fault::ALL {
        let point_count = (0..200).take_while(|spared| strike(fault, *spared)).count();
        assert!((4..150).contains(&point_count), "{fault:?} met {point_count} operations");
    }
}

#[test]
fn who_has_lost_the_right_writes_nothing() {
    in_browser(|browser| async move {
        let history = history(5, 40);
        let reducer = reducer(Versions::default());
        let (one, other) = (browser.open().await, browser.open().await);
        fill(&one, &history).await;
        one.project(&sums(), Begin::IfNew).await.unwrap();
        let first = one.claim(&sums()).await.unwrap().unwrap();
        let second = other.claim(&sums()).await.unwrap().unwrap();
        assert!(fold_all(&one, &reducer, first).await.unwrap().is_none(), "the right is another's");
        assert_eq!(one.standing(&sums(), None).await.unwrap().own, Some(Position::START));
        assert!(fold_all(&other, &reducer, second).await.unwrap().is_some());
        check_answers(&one, &naive(&history, Position(40)), "taken over").await;
    });
}

#[test]
fn events_of_another_version_are_handed_back_once_all_before_them_are_written() {
    in_browser(|browser| async move {
        let mut history = history(7, 10);
        history.push(("s-1".to_owned(), Some((100, "a"))));
        let store = browser.open().await;
        fill(&store, &history[..10]).await;
        let older = reducer(Versions::new([(Rc::from("Added"), 2)]));
        store.project(&sums(), Begin::IfNew).await.unwrap();
        let claim = store.claim(&sums()).await.unwrap().unwrap();
        let on = fold_all(&store, &older, claim).await.unwrap().unwrap();
        let page = on.older.expect("the page that has them");
        assert_eq!((on.position, on.is_written, page.events.len()), (Position::START, false, 10));
        // Those who know how make them such of today: here each is handed over as it is.
        let entries = page.entries().map(|entry| given(&entry)).collect();
        let carry_on = CarryOn { projection: sums(), claim, reducer: &older };
        let end = Position(10);
        let carried = store.carry_on_by(carry_on, entries, end, everfold::store::Ready::Now).await.unwrap();
        let Carried::On(on) = carried else { panic!("it is lost") };
        assert!(on.is_written && on.is_ready && on.failure.is_none());
        check_answers(&store, &naive(&history, end), "by hand").await;
    });
}

/// An event as it stands in the log.
fn given(entry: &everfold::codec::Entry<'_>) -> everfold::store::GivenEvent {
    let everfold::codec::Body::Event { revision, event_type, data, metadata, .. } = &entry.body else {
        panic!("there are no facts")
    };
    everfold::store::GivenEvent {
        event_type: Rc::from(*event_type),
        stream: Rc::from(entry.stream),
        data: data.map(Rc::from),
        metadata: metadata.map(Rc::from),
        revision: Some(revision.0),
        position: entry.position.0,
        time: entry.time,
    }
}
