//! What a writer may expect of a stream, and what comes of it.

use everfold::error::{ActualRevision, Detail, Error, Violation};
use everfold::log::Expected;
use everfold::store::Mark;

use crate::one_tab::{TestStore, append, append_if, commit, event, in_one_tab, mark, revision, write};

/// Each cell says what an append of one event comes to: the revision that it gets, or a code.
const MATRIX: &str = "
    expected     | never existed | live at 1     | deleted at 1  | tombstoned
    any          | 0             | 2             | 2             | STREAM_DELETED
    noStream     | 0             | WRONG live    | 2             | STREAM_DELETED
    streamExists | WRONG none    | 2             | WRONG deleted | STREAM_DELETED
    0            | WRONG none    | WRONG live    | WRONG deleted | STREAM_DELETED
    1            | WRONG none    | 2             | 2             | STREAM_DELETED
    2            | WRONG none    | WRONG live    | WRONG deleted | STREAM_DELETED
";

#[test]
fn every_expectation_meets_every_state_as_the_table_says() {
    let mut rows = MATRIX.trim().lines().map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let states = rows.next().expect("a header");
    let mut cell_count = 0;
    for row in rows {
        for (state, outcome) in states.iter().zip(&row).skip(1) {
            check_cell(row[0], state, outcome);
            cell_count += 1;
        }
    }
    assert_eq!(cell_count, 24);
}

#[track_caller]
fn check_cell(expected: &str, state: &str, outcome: &str) {
    let (place, wanted) = (format!("{expected} on {state}"), outcome.to_owned());
    let expected = parse_expected(expected);
    let state = state.to_owned();
    in_one_tab(|store| async move {
        bring_to(&store, &state).await;
        let found = match append_if(&store, "cart-1", expected, vec![event("Next")]).await {
            Ok(appended) => appended.writes[0].first_revision.expect("one event").to_string(),
            Err(error) => match error.detail() {
                Detail::WrongExpectedRevision { violations } => match violations[0].actual {
                    ActualRevision::NoStream => "WRONG none".to_owned(),
                    ActualRevision::Deleted => "WRONG deleted".to_owned(),
                    ActualRevision::At(revision) => {
                        assert_eq!(revision.0, 1, "{place}");
                        "WRONG live".to_owned()
                    }
                },
                _ => error.code().to_owned(),
            },
        };
        assert_eq!(found, wanted, "{place}");
    });
}

fn parse_expected(word: &str) -> Expected {
    match word {
        "any" => Expected::Any,
        "noStream" => Expected::NoStream,
        "streamExists" => Expected::StreamExists,
        number => revision(number.parse().expect("a revision")),
    }
}

async fn bring_to(store: &TestStore, state: &str) {
    append(store, "other-1", vec![event("Noise")]).await;
    if state != "never existed" {
        append(store, "cart-1", vec![event("First"), event("Second")]).await;
    }
    match state {
        "deleted at 1" => drop(mark(store, "cart-1", Mark::Delete).await.expect("a deletion")),
        "tombstoned" => drop(mark(store, "cart-1", Mark::Tombstone).await.expect("a tombstone")),
        _ => {}
    }
}

#[test]
fn only_the_first_append_after_a_deletion_finds_no_stream() {
    in_one_tab(|store| async move {
        bring_to(&store, "deleted at 1").await;
        append_if(&store, "cart-1", Expected::NoStream, vec![event("Again")]).await.expect("a new life");
        let refused = append_if(&store, "cart-1", Expected::NoStream, vec![event("Again")]).await;
        assert_eq!(refused.map_err(|error| error.code()), Err("WRONG_EXPECTED_REVISION"));
    });
}

#[test]
fn an_append_of_no_events_checks_its_expectation_and_changes_nothing() {
    in_one_tab(|store| async move {
        append(&store, "cart-1", vec![event("First")]).await;
        let kept = append_if(&store, "cart-1", revision(0), vec![]).await.expect("a true expectation");
        assert_eq!(kept.writes[0].first_revision, None);
        assert_eq!(kept.writes[0].last_revision.map(|revision| revision.0), Some(0));
        assert_eq!(kept.last_position.0, 1);
        let refused = append_if(&store, "cart-1", revision(1), vec![]).await;
        assert_eq!(refused.map_err(|error| error.code()), Err("WRONG_EXPECTED_REVISION"));
        append_if(&store, "cart-2", Expected::NoStream, vec![]).await.expect("a true expectation");
        assert_eq!(store.stream_info("cart-2").await.expect("a read"), None);
        assert_eq!(store.position().0, 1);
    });
}

#[test]
fn a_commit_is_refused_whole_and_names_every_violation() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![event("First")]).await;
        let writes = vec![
            write("a", revision(7), vec![event("Next")]),
            write("b", Expected::Any, vec![event("Next")]),
            write("c", Expected::StreamExists, vec![]),
        ];
        let refused = commit(&store, writes).await.expect_err("two false expectations");
        let Detail::WrongExpectedRevision { violations } = refused.detail() else { panic!("{refused}") };
        let streams: Vec<_> = violations.iter().map(|violation| violation.stream.as_str()).collect();
        assert_eq!(streams, ["a", "c"]);
        assert_eq!(store.position().0, 1);
        assert_eq!(store.stream_info("b").await.expect("a read"), None);
    });
}

#[test]
fn a_stream_may_stand_in_a_commit_twice_under_one_expectation() {
    in_one_tab(|store| async move {
        let writes = vec![
            write("a", Expected::NoStream, vec![event("One")]),
            write("b", Expected::Any, vec![event("Two")]),
            write("a", Expected::Any, vec![event("Three")]),
        ];
        let appended = commit(&store, writes).await.expect("one expectation");
        let revisions: Vec<_> = appended.writes.iter().map(|write| write.last_revision.unwrap().0).collect();
        assert_eq!(revisions, [0, 0, 1]);
        let writes = vec![write("a", revision(1), vec![]), write("a", revision(2), vec![])];
        let refused = commit(&store, writes).await.expect_err("two expectations");
        assert_eq!(refused.code(), "INVALID_ARGUMENT");
        assert!(refused.to_string().starts_with("writes[1].expected"), "{refused}");
    });
}

#[test]
fn tombstones_are_judged_before_expectations_and_named_together() {
    in_one_tab(|store| async move {
        for stream in ["a", "b"] {
            append(&store, stream, vec![event("First")]).await;
            mark(&store, stream, Mark::Tombstone).await.expect("a tombstone");
        }
        let writes = vec![write("a", revision(9), vec![]), write("b", Expected::Any, vec![event("Next")])];
        let refused = commit(&store, writes).await.expect_err("two tombstones");
        let Detail::StreamDeleted { streams, .. } = refused.detail() else { panic!("{refused}") };
        assert_eq!(streams, &["a", "b"]);
    });
}

#[test]
fn a_message_names_some_violations_and_the_fields_all() {
    #[track_caller]
    fn check(count: usize, end: &str) {
        let violation = |number| Violation {
            stream: format!("cart-{number}"),
            expected: Expected::NoStream,
            actual: ActualRevision::Deleted,
        };
        let violations: Vec<Violation> = (1..=count).map(violation).collect();
        let error = Error::new(Detail::WrongExpectedRevision { violations });
        let message = error.to_string();
        assert!(message.starts_with("stream \"cart-1\": expected no stream, found "), "{message}");
        assert!(message.ends_with(end), "{message}");
        assert!(message.len() < 600, "{message}");
        let Detail::WrongExpectedRevision { violations } = error.detail() else { panic!("{error}") };
        assert_eq!(violations.len(), count);
    }
    check(1, "a deleted stream");
    check(5, "found a deleted stream");
    check(6, "; and 1 more");
    check(10_000, "; and 9995 more");
}
