//! Every point at which a storage can fail, in a session that appends, marks and reads.

use everfold::error::{Detail, Error, WriteOutcome};
use everfold::log::Expected;
use everfold::store::{AppendRequest, Appended, Mark};
use everfold::testing::faulty_storage::{Fault, Operation, Target};

use crate::one_tab::{
    Browser, TestStore, append_if, commit, event, in_browser, mark, numbered, read_all, read_stream,
    whole_log, whole_stream, write,
};

/// How many appends a session makes: some awaited one by one, the rest at once.
const APPEND_COUNT: u128 = 8;
const AWAITED_COUNT: u128 = 4;

#[test]
fn whatever_fails_wherever_it_fails_each_event_is_there_once() {
    for fault in Fault::ALL {
        let mut point_count = 0;
        while strike(fault, point_count) {
            point_count += 1;
            assert!(point_count < 1_000, "{fault:?} never misses the session");
        }
        assert!(10 < point_count, "{fault:?} met only {point_count} operations");
    }
}

/// Runs a session whose operation number `spared` fails. `false` when the session has no such operation.
fn strike(fault: Fault, spared: u64) -> bool {
    let place = format!("{fault:?} after {spared}");
    let struck = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = std::rc::Rc::clone(&struck);
    in_browser(|browser| async move {
        browser.faults.arm(Target::Every, spared, fault);
        let store = open_at_last(&browser).await;
        let outcomes = session(&store).await;
        seen.set(browser.faults.struck() == 1);
        browser.faults.disarm();
        check_log(&browser, &outcomes, &place).await;
        for number in 1..=APPEND_COUNT {
            append_numbered(&store, number)
                .await
                .unwrap_or_else(|error| panic!("{place}: {number}: {error}"));
        }
        let other = browser.open().await;
        let words = read_all(&other, whole_log()).await.expect("a whole log");
        assert_eq!(words.split(' ').count() as u128, APPEND_COUNT, "{place}: {words}");
    });
    struck.get()
}

/// A user whose page failed to open reloads it.
async fn open_at_last(browser: &Browser) -> TestStore {
    match browser.try_open().await {
        Ok(store) => store,
        Err(error) => {
            assert!(matches!(error.code(), "STORAGE_FAILED" | "QUOTA_EXCEEDED"), "{error}");
            browser.open().await
        }
    }
}

async fn session(store: &TestStore) -> Vec<Result<Appended, Error>> {
    let mut outcomes = Vec::new();
    for number in 1..=AWAITED_COUNT {
        outcomes.push(append_numbered(store, number).await);
        // A read may fail too; what it may not do is to disturb what comes after.
        let _ = read_all(store, whole_log()).await;
    }
    let burst: Vec<_> =
        (AWAITED_COUNT + 1..=APPEND_COUNT).map(|number| store.append(request(number)).1).collect();
    for outcome in burst {
        outcomes.push(outcome.await);
    }
    outcomes
}

fn request(number: u128) -> AppendRequest {
    let stream = format!("stream-{}", number % 3);
    let writes = vec![write(&stream, Expected::Any, vec![numbered("Made", number)])];
    AppendRequest { writes, condition: None, durability: None }
}

async fn append_numbered(store: &TestStore, number: u128) -> Result<Appended, Error> {
    store.append(request(number)).1.await
}

/// What was acknowledged is where it was said to be; what was refused is not there; what is unknown may be.
async fn check_log(browser: &Browser, outcomes: &[Result<Appended, Error>], place: &str) {
    let store = browser.open().await;
    let mut count_min = 0;
    let mut count_max = 0;
    for (number, outcome) in (1..).zip(outcomes) {
        let page = store.event(crate::one_tab::id(number), None).await.expect("a read");
        let stands_at = page.entries().next().map(|entry| entry.position);
        match outcome {
            Ok(appended) => {
                assert!(!appended.duplicate, "{place}: {number} was appended for the first time");
                assert_eq!(stands_at, appended.writes[0].first_position, "{place}: {number}");
                count_min += 1;
                count_max += 1;
            }
            Err(error) => match error.detail() {
                Detail::StorageFailed { outcome: WriteOutcome::Unknown, ids, .. } => {
                    assert_eq!(ids, &[crate::one_tab::id(number)], "{place}");
                    count_max += 1;
                }
                Detail::StorageFailed { .. } | Detail::QuotaExceeded { .. } => {
                    assert_eq!(stands_at, None, "{place}: {number} was refused");
                }
                _ => panic!("{place}: {error}"),
            },
        }
    }
    let words = read_all(&store, whole_log()).await.expect("a whole log");
    let count = words.split(' ').filter(|word| !word.is_empty()).count();
    assert!((count_min..=count_max).contains(&count), "{place}: {words}");
    assert_eq!(store.position().0 as usize, count, "{place}: positions are dense");
}

/// The answer to a single append whose commit fails so.
#[track_caller]
fn check_answer(fault: Fault, code: Option<&str>) {
    let code = code.map(str::to_owned);
    in_browser(|browser| async move {
        let store = browser.open().await;
        browser.faults.arm(Target::Only(Operation::Commit), 0, fault);
        let outcome = append_if(&store, "a", Expected::NoStream, vec![event("Made")]).await;
        assert_eq!(outcome.as_ref().err().map(|error| error.code().to_owned()), code);
        assert_eq!(browser.faults.struck(), 1);
        if let Ok(appended) = outcome {
            assert!(!appended.duplicate);
            assert_eq!(appended.writes[0].first_revision.map(|revision| revision.0), Some(0));
        }
        let there = read_stream(&store, whole_stream("a")).await.expect("a read");
        assert_eq!(there, if code.is_none() { "0:Made" } else { "" });
    });
}

#[test]
fn a_lost_answer_is_looked_up_and_never_reported_as_a_failure() {
    check_answer(Fault::AnswerLost, None);
    check_answer(Fault::CommitLost, None);
    check_answer(Fault::Delayed(50), None);
}

#[test]
fn a_failure_that_wrote_nothing_says_so() {
    check_answer(Fault::Refused, Some("STORAGE_FAILED"));
    check_answer(Fault::AbortedAtCommit, Some("STORAGE_FAILED"));
    check_answer(Fault::Disconnected, Some("STORAGE_FAILED"));
    check_answer(Fault::NoRoom, Some("QUOTA_EXCEEDED"));
}

#[test]
fn a_lost_answer_to_a_mark_is_looked_up_too() {
    for fault in [Fault::AnswerLost, Fault::CommitLost] {
        in_browser(|browser| async move {
            let store = browser.open().await;
            append_if(&store, "a", Expected::Any, vec![event("Made")]).await.expect("an append");
            browser.faults.arm(Target::Only(Operation::Commit), 0, fault);
            let marked = mark(&store, "a", Mark::Delete).await.expect("a deletion");
            assert_eq!(marked.position.map(|position| position.0), Some(2));
            assert_eq!(browser.faults.struck(), 1);
            assert_eq!(store.position().0, 2);
        });
    }
}

#[test]
fn one_members_fault_is_its_own() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        // The group fails, and then the first of its members; the others are written one by one.
        browser.faults.arm(Target::Only(Operation::Commit), 0, Fault::NoRoom);
        let burst: Vec<_> = (1..=3).map(|number| store.append(request(number)).1).collect();
        let again = browser.faults.clone();
        let mut outcomes = Vec::new();
        for outcome in burst {
            outcomes.push(outcome.await.map_err(|error| error.code()));
            again.disarm();
        }
        assert!(outcomes.iter().all(Result::is_ok), "the room came back: {outcomes:?}");
        assert_eq!(store.position().0, 3);
    });
}

#[test]
fn a_commit_of_several_streams_survives_a_lost_answer_whole() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        browser.faults.arm(Target::Only(Operation::Commit), 0, Fault::AnswerLost);
        let writes = vec![
            write("a", Expected::NoStream, vec![event("One"), event("Two")]),
            write("b", Expected::NoStream, vec![event("Three")]),
        ];
        let appended = commit(&store, writes).await.expect("a commit");
        assert_eq!(appended.last_position.0, 3);
        assert_eq!(read_all(&store, whole_log()).await.unwrap(), "1:One 2:Two 3:Three");
    });
}
