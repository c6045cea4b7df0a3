//! A stream that was hidden more often than is told apart is read as any other.

use everfold::event::{Position, Revision};
use everfold::store::{Mark, StreamRead};

use crate::one_tab::{
    Browser, TestStore, append, event, in_browser, mark, numbered, read_stream, whole_stream,
};

use super::laid::compact;

/// More times than are told apart.
const TIMES: u64 = 66;
const STREAM: &str = "s";

/// Deletes the stream and writes it again, with the same id each time.
async fn begin_anew(store: &TestStore, times: u64) {
    for _ in 0..times {
        mark(store, STREAM, Mark::Delete).await.expect("a mark");
        append(store, STREAM, vec![numbered("A", 7)]).await;
    }
}

/// Two tabs on a stream that is compacted, of which only the first has ever asked for it. Both know what came since.
async fn two_tabs(browser: &Browser, times: u64) -> [TestStore; 2] {
    let one = browser.open().await;
    append(&one, STREAM, vec![numbered("A", 7)]).await;
    compact(&one).await.expect("a whole log");
    let other = browser.open().await;
    begin_anew(&one, times).await;
    assert_eq!(read_stream(&other, whole_stream("another")).await, Ok(String::new()));
    [one, other]
}

#[test]
fn a_tab_that_asks_for_it_late_sees_it_as_others_do_and_knows_its_ids() {
    for times in [1, 62, 63, 64, 65, TIMES, 200] {
        in_browser(|browser| async move {
            let [one, other] = two_tabs(&browser, times).await;
            compact(&one).await.expect("a whole log");
            let expected = format!("{times}:A");
            for store in [&one, &other] {
                assert_eq!(read_stream(store, whole_stream(STREAM)).await.as_ref(), Ok(&expected), "{times}");
                let again = append(store, STREAM, vec![numbered("A", 7)]).await;
                assert!(again.duplicate, "after {times} times an id is stored twice");
            }
        });
    }
}

#[test]
fn a_tab_that_knows_more_of_it_than_units_do_sees_it_as_others_do() {
    in_browser(|browser| async move {
        let [one, other] = two_tabs(&browser, 30).await;
        compact(&one).await.expect("a whole log");
        begin_anew(&one, 50).await;
        for store in [&one, &other] {
            assert_eq!(read_stream(store, whole_stream(STREAM)).await, Ok("80:A".to_owned()));
            assert!(append(store, STREAM, vec![numbered("A", 7)]).await.duplicate);
        }
    });
}

#[test]
fn who_began_to_read_before_it_was_hidden_reads_all_of_it() {
    in_browser(|browser| async move {
        const EVENTS: usize = 5_000;
        let store = browser.open().await;
        append(&store, STREAM, (0..EVENTS).map(|_| event("A")).collect()).await;
        let first = store.read_stream(&whole_stream(STREAM)).await.expect("a page");
        let next = first.next.expect("more than a page");
        begin_anew(&store, TIMES).await;
        let (from, as_of) = (Revision(next), Some(first.as_of));
        let rest = StreamRead { from, as_of, ..whole_stream(STREAM) };
        let rest = read_stream(&store, rest).await.expect("the rest of it");
        assert_eq!(first.entries().count() + rest.split(' ').count(), EVENTS);
    });
}

#[test]
fn it_is_counted_among_the_streams() {
    in_browser(|browser| async move {
        let store = browser.open().await;
        append(&store, "older", vec![event("A")]).await;
        compact(&store).await.expect("a whole log");
        append(&store, STREAM, vec![event("A")]).await;
        begin_anew(&store, TIMES).await;
        let stats = store.stats().await.expect("a whole log");
        assert_eq!((stats.stream_count, stats.event_count), (2, 2));
        assert!(Position::START < store.position());
    });
}
