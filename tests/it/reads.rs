//! Reading: bounds, directions, pages, and the state that a reader sees.

use everfold::event::{Position, Revision, UnixMillis};
use everfold::query::Query;
use everfold::storage::Direction::{self, Backwards, Forwards};
use everfold::store::{AllRead, Count, CountBy, Mark, StreamList, StreamRead};

use crate::one_tab::{
    TestStore, append, at, event, in_one_tab, item, mark, name, of_types, query, read_all, read_stream,
    tagged, whole_log, whole_stream,
};

/// Five events of one stream, with one of another after each.
async fn interleaved(store: &TestStore) {
    for event_type in ["A", "B", "C", "D", "E"] {
        append(store, "main-1", vec![event(event_type)]).await;
        append(store, "side-1", vec![event("x")]).await;
    }
}

#[track_caller]
fn check_stream(from: u64, before: Option<u64>, direction: Direction, limit: Option<u64>, words: &str) {
    let words = words.to_owned();
    in_one_tab(|store| async move {
        interleaved(&store).await;
        let read = StreamRead {
            from: Revision(from),
            before: before.map(Revision),
            direction,
            limit,
            ..whole_stream("main-1")
        };
        assert_eq!(read_stream(&store, read).await.expect("a read"), words);
    });
}

#[test]
fn a_stream_is_read_from_inclusive_to_before_exclusive_in_either_order() {
    check_stream(0, None, Forwards, None, "0:A 1:B 2:C 3:D 4:E");
    check_stream(0, None, Backwards, None, "4:E 3:D 2:C 1:B 0:A");
    check_stream(1, Some(3), Forwards, None, "1:B 2:C");
    check_stream(1, Some(3), Backwards, None, "2:C 1:B");
    check_stream(3, None, Forwards, Some(1), "3:D");
    check_stream(0, None, Backwards, Some(2), "4:E 3:D");
    check_stream(0, Some(0), Forwards, None, "");
    check_stream(9, None, Forwards, None, "");
    check_stream(3, Some(2), Backwards, None, "");
    check_stream(0, None, Forwards, Some(0), "");
    check_stream(0, Some(1 << 53), Backwards, Some(1), "4:E");
}

#[track_caller]
fn check_all(after: u64, before: Option<u64>, direction: Direction, limit: Option<u64>, words: &str) {
    let words = words.to_owned();
    in_one_tab(|store| async move {
        interleaved(&store).await;
        let read =
            AllRead { after: Position(after), before: before.map(Position), direction, limit, ..whole_log() };
        assert_eq!(read_all(&store, read).await.expect("a read"), words);
    });
}

#[test]
fn the_log_is_read_between_two_exclusive_bounds_in_either_order() {
    check_all(0, Some(4), Forwards, None, "1:A 2:x 3:B");
    check_all(7, None, Forwards, None, "8:x 9:E 10:x");
    check_all(7, None, Backwards, None, "10:x 9:E 8:x");
    check_all(2, Some(5), Backwards, None, "4:x 3:B");
    check_all(0, None, Backwards, Some(1), "10:x");
    check_all(0, Some(0), Forwards, None, "");
    check_all(0, Some(1), Backwards, None, "");
    check_all(10, None, Forwards, None, "");
    check_all(u64::MAX, None, Forwards, None, "");
}

#[track_caller]
fn check_query(query: Query, words: &str) {
    let forwards = words.to_owned();
    let backwards = words.split(' ').rev().collect::<Vec<_>>().join(" ");
    in_one_tab(|store| async move {
        append(&store, "cart-1", vec![tagged("Made", &["red", "big"]), event("Kept")]).await;
        append(&store, "cart-2", vec![tagged("Made", &["red"])]).await;
        append(&store, "user-1", vec![event("Made")]).await;
        mark(&store, "cart-2", Mark::Truncate { before: Revision(1) }).await.expect("a truncation");
        append(&store, "cart-2", vec![event("Kept")]).await;
        for (direction, words) in [(Forwards, forwards), (Backwards, backwards)] {
            let read = AllRead { direction, query: query.clone(), ..whole_log() };
            assert_eq!(read_all(&store, read).await.expect("a read"), words);
        }
    });
}

#[test]
fn a_query_filters_the_log_and_passes_over_what_is_hidden() {
    check_query(Query::everything(), "1:Made 2:Kept 4:Made 6:Kept");
    check_query(of_types(&["Made"]), "1:Made 4:Made");
    check_query(of_types(&["$truncated"]), "5:$truncated");
    check_query(of_types(&["$truncated", "Kept"]), "2:Kept 5:$truncated 6:Kept");
    check_query(query(vec![item(&[], &["red"], &[], &[])]), "1:Made");
    check_query(query(vec![item(&[], &[], &["cart-2", "user-1"], &[])]), "4:Made 6:Kept");
    check_query(query(vec![item(&[], &[], &[], &["cart"])]), "1:Made 2:Kept 6:Kept");
    check_query(query(vec![item(&["$truncated"], &[], &["cart-2"], &[])]), "5:$truncated");
    check_query(query(vec![item(&["Nothing"], &[], &[], &[])]), "");
}

#[test]
fn times_select_since_inclusive_until_exclusive() {
    in_one_tab(|store| async move {
        let events = vec![at("A", 10), at("B", 30), at("C", 20), at("D", -5)];
        append(&store, "a", events).await;
        let read = |since, until| AllRead {
            since: Some(UnixMillis(since)),
            until: Some(UnixMillis(until)),
            ..whole_log()
        };
        assert_eq!(read_all(&store, read(10, 30)).await.unwrap(), "1:A 3:C");
        assert_eq!(read_all(&store, read(-5, 11)).await.unwrap(), "1:A 4:D");
        assert_eq!(read_all(&store, read(31, 40)).await.unwrap(), "");
    });
}

#[test]
fn a_reader_sees_the_state_that_its_first_page_found() {
    in_one_tab(|store| async move {
        for _ in 0..3 {
            append(&store, "a", (0..3_000).map(|_| event("x")).collect()).await;
        }
        let first = store.read_all(&whole_log()).await.expect("a read");
        assert!(first.next.is_some(), "the log must need several pages");
        append(&store, "a", vec![event("Late")]).await;
        mark(&store, "a", Mark::Delete).await.expect("a deletion");
        let mut seen = first.events.len();
        let mut read = AllRead { as_of: Some(first.as_of), ..whole_log() };
        let mut next = first.next;
        while let Some(after) = next {
            read.after = Position(after);
            let page = store.read_all(&read).await.expect("a read");
            seen += page.events.len();
            next = page.next;
        }
        assert_eq!(seen, 9_000);
        assert_eq!(read_all(&store, whole_log()).await.unwrap(), "");
    });
}

#[test]
fn pages_of_a_long_log_join_without_a_seam_in_either_direction() {
    in_one_tab(|store| async move {
        for batch in 0..4 {
            let events = (0..2_500).map(|index| at("x", batch * 2_500 + index));
            append(&store, if batch % 2 == 0 { "even" } else { "odd" }, events.collect()).await;
        }
        for direction in [Forwards, Backwards] {
            let all = read_all(&store, AllRead { direction, ..whole_log() }).await.unwrap();
            let mut positions: Vec<u64> =
                all.split(' ').map(|word| word.split(':').next().unwrap().parse().unwrap()).collect();
            if direction == Backwards {
                positions.reverse();
            }
            assert_eq!(positions, (1..=10_000).collect::<Vec<_>>());
            let stream = read_stream(&store, StreamRead { direction, ..whole_stream("odd") }).await.unwrap();
            let mut revisions: Vec<u64> =
                stream.split(' ').map(|word| word.split(':').next().unwrap().parse().unwrap()).collect();
            if direction == Backwards {
                revisions.reverse();
            }
            assert_eq!(revisions, (0..5_000).collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_limit_within_a_page_and_over_pages_is_exact() {
    in_one_tab(|store| async move {
        append(&store, "a", (0..9_000).map(|_| event("x")).collect()).await;
        for limit in [1, 4_095, 4_096, 4_097, 8_999, 9_000, 9_001] {
            for direction in [Forwards, Backwards] {
                let read = AllRead { limit: Some(limit), direction, ..whole_log() };
                let words = read_all(&store, read).await.unwrap();
                assert_eq!(words.split(' ').count() as u64, limit.min(9_000), "{limit} {direction:?}");
            }
        }
    });
}

#[test]
fn counts_add_up_by_every_key() {
    in_one_tab(|store| async move {
        let day_ms = 24 * 60 * 60 * 1_000;
        append(&store, "cart-1", vec![at("Made", 0), at("Kept", 1), at("Kept", day_ms)]).await;
        append(&store, "user-1", vec![at("Made", day_ms)]).await;
        append(&store, "gone-1", vec![at("Made", day_ms)]).await;
        mark(&store, "gone-1", Mark::Delete).await.expect("a deletion");
        let counts = |by, since: Option<i64>| {
            let store = store.clone();
            async move {
                let count = Count {
                    query: Query::everything(),
                    since: since.map(UnixMillis),
                    until: None,
                    by,
                    after: Position::START,
                    as_of: None,
                };
                let page = store.count(&count).await.expect("a count");
                assert_eq!(page.next, None);
                page.counts
                    .into_iter()
                    .map(|(key, count)| format!("{key}={count}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
        };
        assert_eq!(counts(CountBy::Nothing, None).await, "=4");
        assert_eq!(counts(CountBy::Nothing, Some(1)).await, "=3");
        assert_eq!(counts(CountBy::Type, None).await, "Kept=2 Made=2");
        assert_eq!(counts(CountBy::Category, None).await, "cart=3 user=1");
        assert_eq!(counts(CountBy::Stream, None).await, "cart-1=3 user-1=1");
        assert_eq!(counts(CountBy::Day, None).await, "1970-01-01=2 1970-01-02=2");
    });
}

#[test]
fn streams_are_listed_by_prefix_in_the_order_of_their_names() {
    in_one_tab(|store| async move {
        for stream in ["b-1", "a-2", "a-10", "é-1", "a-1", "Z"] {
            append(&store, stream, vec![event("x")]).await;
        }
        mark(&store, "a-10", Mark::Delete).await.expect("a deletion");
        let list = |prefix: &str, after: Option<&str>, limit| {
            let list = StreamList { prefix: prefix.to_owned(), after: after.map(str::to_owned), limit };
            let store = store.clone();
            async move {
                let infos = store.streams(&list).await.expect("a list");
                infos.iter().map(|info| info.stream.to_string()).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(list("", None, 99).await, "Z a-1 a-10 a-2 b-1 é-1");
        assert_eq!(list("a-", None, 99).await, "a-1 a-10 a-2");
        assert_eq!(list("a-", Some("a-1"), 1).await, "a-10");
        assert_eq!(list("a-", Some("A"), 99).await, "a-1 a-10 a-2");
        assert_eq!(list("a-", Some("b"), 99).await, "");
        assert_eq!(list("nothing", None, 99).await, "");
    });
}

#[test]
fn a_stream_tells_what_is_seen_of_it() {
    in_one_tab(|store| async move {
        append(&store, "a", vec![at("A", 5), at("B", 6), at("C", 7)]).await;
        let info = store.stream_info("a").await.unwrap().expect("a stream");
        let moments = |info: &everfold::store::StreamInfo| {
            (
                info.count,
                info.revision.map(|it| it.0),
                info.first_position.map(|it| it.0),
                info.last_position.map(|it| it.0),
                info.created_at.map(|it| it.0),
                info.updated_at.map(|it| it.0),
                info.truncated_before.0,
            )
        };
        assert_eq!(moments(&info), (3, Some(2), Some(1), Some(3), Some(5), Some(7), 0));
        mark(&store, "a", Mark::Truncate { before: Revision(2) }).await.expect("a truncation");
        let info = store.stream_info("a").await.unwrap().expect("a stream");
        assert_eq!(moments(&info), (1, Some(2), Some(3), Some(3), Some(7), Some(7), 2));
        mark(&store, "a", Mark::Delete).await.expect("a deletion");
        let info = store.stream_info("a").await.unwrap().expect("a stream");
        assert_eq!(moments(&info), (0, Some(2), None, None, None, None, 3));
        assert_eq!(store.stream_info("b").await.unwrap(), None);
        assert_eq!(info.stream, name("a"));
    });
}
