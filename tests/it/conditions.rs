//! Append conditions, as the DCB specification has them.

use everfold::error::Detail;
use everfold::log::Expected;
use everfold::query::{AppendCondition, Query};
use everfold::store::{AppendRequest, Mark};

use crate::one_tab::{
    append, append_unless, event, in_browser, in_one_tab, item, mark, of_types, query, tagged, write,
};
use everfold::event::Position;

/// Appends a small log, and says which position makes the condition fail, if any.
#[track_caller]
fn check(query: Query, after: u64, matched: Option<u64>) {
    in_one_tab(|store| async move {
        append(&store, "course-1", vec![tagged("Defined", &["course:1"])]).await;
        append(&store, "student-7", vec![tagged("Registered", &["student:7"])]).await;
        append(&store, "course-1", vec![tagged("Subscribed", &["course:1", "student:7"])]).await;
        append(&store, "course-2", vec![tagged("Subscribed", &["course:2", "student:7"])]).await;
        mark(&store, "gone-1", Mark::Tombstone).await.expect("a tombstone");
        let outcome = append_unless(&store, query, after, "new-1", vec![event("New")]).await;
        let found = match outcome {
            Ok(_) => None,
            Err(error) => match error.detail() {
                Detail::AppendConditionFailed { matched } => Some(matched.position.0),
                _ => panic!("{error}"),
            },
        };
        assert_eq!(found, matched);
        assert_eq!(store.position().0, if matched.is_some() { 5 } else { 6 });
    });
}

#[test]
fn an_item_matches_any_of_its_types_and_all_of_its_tags() {
    check(of_types(&["Subscribed"]), 0, Some(3));
    check(of_types(&["Unknown", "Registered"]), 0, Some(2));
    check(of_types(&["Unknown"]), 0, None);
    check(query(vec![item(&[], &["student:7"], &[], &[])]), 0, Some(2));
    check(query(vec![item(&[], &["student:7", "course:2"], &[], &[])]), 0, Some(4));
    check(query(vec![item(&[], &["student:7", "course:3"], &[], &[])]), 0, None);
    check(query(vec![item(&["Defined"], &["student:7"], &[], &[])]), 0, None);
    check(query(vec![item(&["Defined"], &[], &[], &[]), item(&[], &["course:2"], &[], &[])]), 1, Some(4));
}

#[test]
fn an_item_matches_streams_and_categories() {
    check(query(vec![item(&[], &[], &["course-2"], &[])]), 0, Some(4));
    check(query(vec![item(&[], &[], &[], &["student"])]), 0, Some(2));
    check(query(vec![item(&["Subscribed"], &[], &[], &["course"])]), 0, Some(3));
    check(query(vec![item(&[], &[], &["course-1"], &["student"])]), 0, None);
}

#[test]
fn events_up_to_after_do_not_count() {
    check(of_types(&["Subscribed"]), 2, Some(3));
    check(of_types(&["Subscribed"]), 3, Some(4));
    check(of_types(&["Subscribed"]), 4, None);
    check(Query::everything(), 4, None);
    check(Query::everything(), 3, Some(4));
    check(Query::everything(), 1 << 52, None);
}

#[test]
fn facts_count_only_where_they_are_named() {
    check(of_types(&["$tombstoned"]), 0, Some(5));
    check(query(vec![item(&[], &[], &["gone-1"], &[])]), 0, None);
}

#[test]
fn hidden_events_do_not_count_even_where_they_were_hidden_by_another_tab() {
    in_browser(|browser| async move {
        let (one, other) = (browser.open().await, browser.open().await);
        append(&one, "a-1", vec![event("Seen")]).await;
        append(&one, "b-1", vec![event("Noise"), event("Seen")]).await;
        // The first tab has the event of `a-1` in its facts, and learns in its transaction that it is hidden.
        mark(&other, "a-1", Mark::Delete).await.expect("a deletion");
        let refused = append_unless(&one, of_types(&["Seen"]), 0, "c-1", vec![event("New")]).await;
        let Err(error) = refused else { panic!("the other event is still seen") };
        let Detail::AppendConditionFailed { matched } = error.detail() else { panic!("{error}") };
        assert_eq!(matched.position.0, 3);
        mark(&other, "b-1", Mark::Delete).await.expect("a deletion");
        append_unless(&one, of_types(&["Seen"]), 0, "c-1", vec![event("New")]).await.expect("nothing seen");
    });
}

#[test]
fn a_condition_sees_what_the_group_appended_before_it_and_not_its_own_events() {
    in_one_tab(|store| async move {
        let request = || AppendRequest {
            writes: vec![write("a", Expected::Any, vec![event("Once")])],
            condition: Some(AppendCondition {
                fail_if_events_match: of_types(&["Once"]),
                after: Position(0),
            }),
            durability: None,
        };
        let (_, first) = store.append(request());
        let (_, second) = store.append(request());
        first.await.expect("nothing stands yet");
        let refused = second.await.expect_err("the first stands");
        assert_eq!(refused.code(), "APPEND_CONDITION_FAILED");
    });
}

#[test]
fn what_is_judged_again_is_not_overtaken_by_what_was_queued_behind_it() {
    in_browser(|browser| async move {
        let (one, other) = (browser.open().await, browser.open().await);
        append(&one, "seen-1", vec![event("Seen")]).await;
        mark(&other, "seen-1", Mark::Delete).await.expect("a deletion");
        let condition = AppendCondition { fail_if_events_match: of_types(&["Seen"]), after: Position(0) };
        let request = |event_type, expected, condition| AppendRequest {
            writes: vec![write("target", expected, vec![event(event_type)])],
            condition,
            durability: None,
        };
        // The first tab's facts show the event; only its transaction learns that it is hidden.
        let (_, first) = one.append(request("First", Expected::NoStream, Some(condition)));
        let (_, second) = one.append(request("Second", crate::one_tab::revision(0), None));
        first.await.expect("nothing is seen any more");
        second.await.expect("the first went before");
    });
}
