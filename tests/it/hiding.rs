//! Deleting, tombstoning, truncating.

use everfold::event::Revision;
use everfold::log::Expected;
use everfold::store::{Mark, MarkRequest, StreamLife};

use crate::one_tab::{
    TestStore, append, event, in_one_tab, mark, name, of_types, read_all, read_stream, revision, whole_log,
    whole_stream,
};

async fn stream_of(store: &TestStore) -> String {
    read_stream(store, whole_stream("a")).await.expect("a read")
}

async fn three_events(store: &TestStore) {
    append(store, "a", vec![event("A"), event("B"), event("C")]).await;
}

async fn position_of(store: &TestStore, what: Mark) -> Option<u64> {
    mark(store, "a", what).await.expect("a mark").position.map(|position| position.0)
}

#[test]
fn a_deleted_stream_is_empty_and_continues_where_it_ended() {
    in_one_tab(|store| async move {
        three_events(&store).await;
        assert_eq!(position_of(&store, Mark::Delete).await, Some(4));
        assert_eq!(stream_of(&store).await, "");
        assert_eq!(store.stream_info("a").await.unwrap().unwrap().life, StreamLife::Deleted);
        append(&store, "a", vec![event("D")]).await;
        assert_eq!(stream_of(&store).await, "3:D");
        assert_eq!(store.stream_info("a").await.unwrap().unwrap().life, StreamLife::Live);
        assert_eq!(read_all(&store, whole_log()).await.unwrap(), "5:D");
    });
}

#[test]
fn a_tombstoned_stream_is_empty_and_stays_so() {
    in_one_tab(|store| async move {
        three_events(&store).await;
        assert_eq!(position_of(&store, Mark::Tombstone).await, Some(4));
        assert_eq!(stream_of(&store).await, "");
        assert_eq!(store.stream_info("a").await.unwrap().unwrap().life, StreamLife::Tombstoned);
        assert_eq!(
            mark(&store, "a", Mark::Delete).await.map_err(|error| error.code()),
            Err("STREAM_DELETED")
        );
        let truncate = Mark::Truncate { before: Revision(1) };
        assert_eq!(mark(&store, "a", truncate).await.map_err(|error| error.code()), Err("STREAM_DELETED"));
    });
}

#[test]
fn a_truncated_stream_shows_what_is_not_before_the_revision() {
    in_one_tab(|store| async move {
        three_events(&store).await;
        assert_eq!(position_of(&store, Mark::Truncate { before: Revision(2) }).await, Some(4));
        assert_eq!(stream_of(&store).await, "2:C");
        // What hides nothing more is no fact.
        assert_eq!(position_of(&store, Mark::Truncate { before: Revision(1) }).await, None);
        // Past the end it hides what there is, and nothing that comes later.
        assert_eq!(position_of(&store, Mark::Truncate { before: Revision(99) }).await, Some(5));
        append(&store, "a", vec![event("D")]).await;
        assert_eq!(stream_of(&store).await, "3:D");
        assert_eq!(store.stream_info("a").await.unwrap().unwrap().life, StreamLife::Live);
    });
}

#[test]
fn a_mark_that_holds_already_writes_nothing() {
    in_one_tab(|store| async move {
        assert_eq!(position_of(&store, Mark::Delete).await, None);
        assert_eq!(position_of(&store, Mark::Truncate { before: Revision(3) }).await, None);
        three_events(&store).await;
        assert_eq!(position_of(&store, Mark::Delete).await, Some(4));
        assert_eq!(position_of(&store, Mark::Delete).await, None);
        assert_eq!(position_of(&store, Mark::Tombstone).await, Some(5));
        assert_eq!(position_of(&store, Mark::Tombstone).await, None);
        assert_eq!(store.position().0, 5);
    });
}

#[test]
fn a_name_can_be_tombstoned_before_it_was_ever_used() {
    in_one_tab(|store| async move {
        assert_eq!(position_of(&store, Mark::Tombstone).await, Some(1));
        let info = store.stream_info("a").await.unwrap().unwrap();
        assert_eq!((info.life, info.revision, info.count), (StreamLife::Tombstoned, None, 0));
    });
}

#[test]
fn a_mark_is_bound_to_what_is_expected() {
    in_one_tab(|store| async move {
        three_events(&store).await;
        let marked = |expected| {
            let request = MarkRequest { stream: name("a"), expected, mark: Mark::Delete, durability: None };
            let store = store.clone();
            async move { store.mark(request).await.map_err(|error| error.code()) }
        };
        assert_eq!(marked(revision(1)).await.map(drop), Err("WRONG_EXPECTED_REVISION"));
        assert_eq!(marked(Expected::NoStream).await.map(drop), Err("WRONG_EXPECTED_REVISION"));
        assert_eq!(marked(revision(2)).await.map(drop), Ok(()));
    });
}

#[test]
fn facts_are_read_by_name_and_say_what_they_did() {
    in_one_tab(|store| async move {
        three_events(&store).await;
        position_of(&store, Mark::Truncate { before: Revision(9) }).await;
        position_of(&store, Mark::Delete).await;
        position_of(&store, Mark::Tombstone).await;
        let read = everfold::store::AllRead {
            query: of_types(&["$deleted", "$tombstoned", "$truncated"]),
            ..whole_log()
        };
        let page = store.read_all(&read).await.expect("a read");
        let facts: Vec<_> = page
            .entries()
            .map(|entry| match entry.body {
                everfold::codec::Body::Fact(fact) => format!("{fact:?}"),
                everfold::codec::Body::Event { .. } => panic!("an event"),
            })
            .collect();
        assert_eq!(facts, ["Truncated { before: Revision(3) }", "Deleted", "Tombstoned"]);
    });
}
