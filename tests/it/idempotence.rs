//! Appending the same events again.

use everfold::error::Error;
use everfold::event::{Json, NewEvent};
use everfold::log::Expected;
use everfold::store::{Appended, Mark};

use crate::one_tab::{
    TestStore, append, append_if, append_unless, commit, event, id, in_one_tab, mark, numbered, of_types,
    read_all, revision, whole_log, write,
};

/// A stream `cart-1` with the events 1, 2 and 3, and one of another stream between them.
async fn three_events(store: &TestStore) {
    append(store, "cart-1", vec![numbered("One", 1), numbered("Two", 2)]).await;
    append(store, "other-1", vec![numbered("Two", 2)]).await;
    append(store, "cart-1", vec![numbered("Three", 3)]).await;
}

#[track_caller]
fn check(events: Vec<NewEvent>, expected: Expected, outcome: &str) {
    let wanted = outcome.to_owned();
    in_one_tab(|store| async move {
        three_events(&store).await;
        let found = describe(append_if(&store, "cart-1", expected, events).await);
        assert_eq!(found, wanted);
        let position_after = if wanted.starts_with("new") { 5 } else { 4 };
        assert_eq!(store.position().0, position_after, "{wanted}");
    });
}

fn describe(outcome: Result<Appended, Error>) -> String {
    match outcome {
        Ok(appended) => {
            let write = &appended.writes[0];
            let kind = if appended.duplicate { "duplicate" } else { "new" };
            let revisions = (write.first_revision.unwrap().0, write.last_revision.unwrap().0);
            let positions = (write.first_position.unwrap().0, write.last_position.0);
            format!("{kind} {revisions:?} at {positions:?}")
        }
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn a_repetition_gets_the_places_of_the_originals_whatever_is_expected() {
    for expected in [Expected::Any, Expected::NoStream, Expected::StreamExists, revision(0), revision(77)] {
        check(vec![numbered("One", 1), numbered("Two", 2)], expected, "duplicate (0, 1) at (1, 2)");
        check(vec![numbered("Two", 2), numbered("Three", 3)], expected, "duplicate (1, 2) at (2, 4)");
        check(vec![numbered("Three", 3)], expected, "duplicate (2, 2) at (4, 4)");
    }
}

#[test]
fn whatever_is_not_a_whole_repetition_is_a_conflict() {
    let any = Expected::Any;
    check(vec![numbered("Three", 3), numbered("Four", 4)], any, "ID_CONFLICT");
    check(vec![numbered("Four", 4), numbered("Three", 3)], any, "ID_CONFLICT");
    check(vec![numbered("Three", 3), event("Made")], any, "ID_CONFLICT");
    check(vec![numbered("Two", 2), numbered("One", 1)], any, "ID_CONFLICT");
    check(vec![numbered("One", 1), numbered("Three", 3)], any, "ID_CONFLICT");
    check(vec![numbered("Other", 1)], any, "ID_CONFLICT");
    check(vec![numbered("New", 9), numbered("New", 9)], any, "ID_CONFLICT");
    check(vec![NewEvent { data: None, ..numbered("One", 1) }], any, "ID_CONFLICT");
}

#[test]
fn an_id_of_another_stream_is_free() {
    check(vec![numbered("New", 5)], Expected::Any, "new (3, 3) at (5, 5)");
    in_one_tab(|store| async move {
        three_events(&store).await;
        let appended = append(&store, "third-1", vec![numbered("One", 1)]).await;
        assert!(!appended.duplicate);
    });
}

#[test]
fn data_is_compared_as_json() {
    let with = |text: &str| NewEvent { data: Some(Json::parse(text).unwrap()), ..numbered("Made", 7) };
    #[track_caller]
    fn check(first: NewEvent, second: NewEvent, outcome: Result<bool, &'static str>) {
        in_one_tab(|store| async move {
            append(&store, "a", vec![first]).await;
            let again = append_if(&store, "a", Expected::Any, vec![second]).await;
            assert_eq!(again.map(|it| it.duplicate).map_err(|error| error.code()), outcome);
        });
    }
    check(with(r#"{"a":1,"b":[2]}"#), with(r#"{ "b" : [2.0], "a" : 1e0 }"#), Ok(true));
    check(with(r#"{"a":"\u00e9"}"#), with(r#"{"a":"é"}"#), Ok(true));
    check(with(r#"{"a":1}"#), with(r#"{"a":2}"#), Err("ID_CONFLICT"));
    check(with(r#"{"a":1}"#), with(r#"{"a":1,"b":null}"#), Err("ID_CONFLICT"));
    check(with("[1,2]"), with("[2,1]"), Err("ID_CONFLICT"));
}

#[test]
fn a_repetition_passes_a_condition_that_it_would_fail() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![numbered("Made", 1)]).await;
        let again = append_unless(&store, of_types(&["Made"]), 0, "a", vec![numbered("Made", 1)]).await;
        assert!(again.expect("a repetition").duplicate);
    });
}

#[test]
fn a_repetition_of_several_streams_is_one_too() {
    in_one_tab(|store| async move {
        let writes = || {
            vec![
                write("a", Expected::NoStream, vec![numbered("One", 1)]),
                write("b", Expected::NoStream, vec![numbered("Two", 2), numbered("Three", 3)]),
            ]
        };
        let first = commit(&store, writes()).await.expect("new events");
        let again = commit(&store, writes()).await.expect("a repetition");
        assert!(again.duplicate);
        assert_eq!(again.writes, first.writes);
        assert_eq!(again.last_position, first.last_position);
    });
}

#[test]
fn hiding_events_frees_their_ids_at_once() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![numbered("One", 1)]).await;
        mark(&store, "a", Mark::Delete).await.expect("a deletion");
        let appended = append(&store, "a", vec![numbered("One", 1)]).await;
        assert!(!appended.duplicate);
        assert_eq!(appended.writes[0].first_revision.unwrap().0, 1);
        let again = append(&store, "a", vec![numbered("One", 1)]).await;
        assert!(again.duplicate);
        assert_eq!(again.writes[0].first_revision.unwrap().0, 1);
    });
}

#[test]
fn repetitions_in_one_group_are_judged_in_their_order() {
    in_one_tab(|store| async move {
        let request = |number| everfold::store::AppendRequest {
            writes: vec![write("a", Expected::Any, vec![numbered("One", number)])],
            condition: None,
            durability: None,
        };
        let (_, first) = store.append(request(1));
        let (_, again) = store.append(request(1));
        let (_, other) = store.append(request(2));
        assert!(!first.await.unwrap().duplicate);
        assert!(again.await.unwrap().duplicate);
        assert!(!other.await.unwrap().duplicate);
        assert_eq!(read_all(&store, whole_log()).await.unwrap(), "1:One 2:One");
    });
}

#[test]
fn an_event_is_found_by_its_id() {
    in_one_tab(|store| async move {
        three_events(&store).await;
        let found = |number, stream| {
            let store = store.clone();
            async move {
                let page = store.event(id(number), stream).await.expect("a read");
                page.entries().map(|entry| entry.position.0).collect::<Vec<_>>()
            }
        };
        assert_eq!(found(3, None).await, [4]);
        assert_eq!(found(2, None).await, [2]);
        assert_eq!(found(2, Some("other-1")).await, [3]);
        assert_eq!(found(3, Some("other-1")).await, [] as [u64; 0]);
        assert_eq!(found(9, None).await, [] as [u64; 0]);
        mark(&store, "cart-1", Mark::Delete).await.expect("a deletion");
        assert_eq!(found(3, None).await, [] as [u64; 0]);
    });
}
