//! Everything that a store can be asked, asked of two.

use std::fmt::Debug;

use everfold::codec::{Body, Entry};
use everfold::error::Error;
use everfold::event::{Position, Revision, UnixMillis};
use everfold::log::Expected;
use everfold::query::{Query, QueryItem};
use everfold::storage::Direction;
use everfold::store::{
    AllRead, AppendRequest, Appended, Count, CountBy, StreamList, StreamRead, WriteRequest,
};
use everfold::testing::prng::Prng;

use crate::one_tab::{TestStore, event, id, item, name, query, whole_log, whole_stream};

use super::by_hand::Erasure;
use super::history::{History, TAGS, TYPES};

/// Both answers are the same; else the first lines that differ are shown.
#[track_caller]
fn same(question: &impl Debug, one: &impl Debug, other: &impl Debug) {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let mut lines = one.lines().zip(other.lines()).skip_while(|(one, other)| one == other);
    assert!(one == other, "{question:?}: {:#?}", lines.next());
}

/// An entry in words. Each store gives a fact an id of its own.
fn worded(entry: &Entry<'_>) -> String {
    match entry.body {
        Body::Event { .. } => format!("{entry:?}"),
        Body::Fact(fact) => format!("{} {} {:?} {fact:?}", entry.position, entry.stream, entry.time),
    }
}

pub async fn check_same(
    one: &TestStore,
    other: &TestStore,
    history: &History,
    prng: &mut Prng,
    erasure: Erasure,
) {
    for _ in 0..8 {
        let read = stream_read(history, prng);
        same(&read, &stream_of(one, read.clone()).await, &stream_of(other, read.clone()).await);
        let read = all_read(one, history, prng);
        same(&read, &all_of(one, read.clone()).await, &all_of(other, read.clone()).await);
        let count = count(one, history, prng);
        same(&count, &counted(one, count.clone()).await, &counted(other, count.clone()).await);
        let stream = history.stream(prng);
        same(&stream, &one.stream_info(&stream).await, &other.stream_info(&stream).await);
        let number = prng.below(history.id_count as u64 + 3);
        let of = prng.chance(500).then_some(stream.as_str());
        same(&(number, of), &event_of(one, number, of).await, &event_of(other, number, of).await);
        let list = StreamList {
            prefix: (*prng.pick(&["", "cart", "größe-1", "x"])).to_owned(),
            after: prng.chance(400).then(|| history.stream(prng)),
            limit: *prng.pick(&[1, 7, 1_000]),
        };
        same(&list, &one.streams(&list).await, &other.streams(&list).await);
    }
    if erasure == Erasure::Nothing {
        // A read that began before something was hidden still sees it, until it is erased.
        let as_of = Some(Position(prng.below(one.position().0 + 1)));
        let read = AllRead { as_of, ..whole_log() };
        same(&read, &all_of(one, read.clone()).await, &all_of(other, read.clone()).await);
        let read = StreamRead { as_of, ..stream_read(history, prng) };
        same(&read, &stream_of(one, read.clone()).await, &stream_of(other, read.clone()).await);
    }
    let (one, other) = (one.stats().await.expect("stats"), other.stats().await.expect("stats"));
    same(&"stats", &(one.event_count, one.stream_count), &(other.event_count, other.stream_count));
}

/// Appends the same to both, which judge it alike.
pub async fn append_to_both(one: &TestStore, other: &TestStore, history: &mut History, prng: &mut Prng) {
    for _ in 0..history.commit_count() {
        if history.is_mark(prng) {
            let mark = history.mark(prng);
            same(&mark, &one.mark(mark.clone()).await, &other.mark(mark.clone()).await);
            continue;
        }
        let request = request(one, history, prng);
        let (first, second) = (one.append(request.clone()).1.await, other.append(request.clone()).1.await);
        same(&request, &untimed(first), &untimed(second));
    }
}

fn untimed(result: Result<Appended, Error>) -> Result<Appended, (&'static str, String)> {
    result.map_err(|error| (error.code(), error.to_string()))
}

/// An append with an expectation, a condition, or ids that may stand there already.
fn request(store: &TestStore, history: &mut History, prng: &mut Prng) -> AppendRequest {
    let mut request = match prng.below(4) {
        0 if !history.repeatable.is_empty() => prng.pick(&history.repeatable).clone(),
        1 => {
            let stream = name(&history.stream(prng));
            let revision = Expected::Revision(Revision(prng.below(30)));
            let expected = *prng.pick(&[Expected::NoStream, Expected::StreamExists, revision]);
            let writes = vec![WriteRequest { stream, expected, events: vec![event("Expected")] }];
            AppendRequest { writes, condition: None, durability: None }
        }
        _ => history.commit(prng),
    };
    if prng.chance(200) {
        let after = Position(prng.below(store.position().0 + 1));
        let fail_if_events_match = query_of(history, prng);
        request.condition = Some(everfold::query::AppendCondition { fail_if_events_match, after });
    }
    for write in request.writes.iter_mut().flat_map(|write| &mut write.events) {
        // Both stores would make ids of their own.
        if write.id.is_none() {
            history.id_count += 1;
            write.id = Some(id(history.id_count));
        }
        write.time = Some(UnixMillis(1_700_000_000_000 + prng.below(100_000_000) as i64));
    }
    request
}

fn stream_read(history: &History, prng: &mut Prng) -> StreamRead {
    let stream = history.stream(prng);
    StreamRead {
        from: Revision(*prng.pick(&[0, 0, 3, 50])),
        before: prng.chance(300).then(|| Revision(prng.below(100))),
        direction: direction(prng),
        limit: prng.chance(300).then(|| prng.between(1..=20)),
        ..whole_stream(&stream)
    }
}

fn direction(prng: &mut Prng) -> Direction {
    *prng.pick(&[Direction::Forwards, Direction::Backwards])
}

fn all_read(store: &TestStore, history: &History, prng: &mut Prng) -> AllRead {
    let position = store.position().0;
    AllRead {
        after: Position(if prng.chance(500) { 0 } else { prng.below(position + 1) }),
        before: prng.chance(300).then(|| Position(prng.below(position + 2))),
        since: prng.chance(100).then(|| UnixMillis(1_700_000_000_000 + prng.below(100_000_000) as i64)),
        until: prng.chance(100).then(|| UnixMillis(1_700_000_000_000 + prng.below(100_000_000) as i64)),
        direction: direction(prng),
        limit: prng.chance(300).then(|| prng.between(1..=50)),
        query: query_of(history, prng),
        ..whole_log()
    }
}

fn query_of(history: &History, prng: &mut Prng) -> Query {
    if prng.chance(250) {
        return Query::everything();
    }
    query((0..*prng.pick(&[1, 1, 2])).map(|_| item_of(history, prng)).collect())
}

fn item_of(history: &History, prng: &mut Prng) -> QueryItem {
    let mut types: Vec<&str> = TYPES.iter().copied().filter(|_| prng.chance(150)).collect();
    if prng.chance(100) {
        types.extend(["$deleted", "$truncated", "$tombstoned"]);
    }
    let tags: Vec<&str> = TAGS.iter().copied().filter(|_| prng.chance(150)).collect();
    let streams: Vec<String> = (0..prng.below(3)).map(|_| history.stream(prng)).collect();
    let streams: Vec<&str> = streams.iter().map(String::as_str).filter(|_| prng.chance(500)).collect();
    let categories = *prng.pick(&[&[][..], &[], &["cart"], &["größe", "nothing"]]);
    item(&types, &tags, &streams, categories)
}

fn count(store: &TestStore, history: &History, prng: &mut Prng) -> Count {
    let read = all_read(store, history, prng);
    let by = *prng.pick(&[CountBy::Nothing, CountBy::Type, CountBy::Category, CountBy::Stream, CountBy::Day]);
    let AllRead { query, since, until, after, .. } = read;
    Count { query, since, until, by, after, as_of: None }
}

async fn counted(store: &TestStore, mut count: Count) -> Vec<(String, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    loop {
        let page = store.count(&count).await.expect("a count");
        for (key, number) in page.counts {
            *counts.entry(key).or_insert(0) += number;
        }
        let Some(next) = page.next else { return counts.into_iter().filter(|(_, it)| 0 < *it).collect() };
        assert!(count.after < next, "a count does not go on");
        (count.after, count.as_of) = (next, Some(page.as_of));
    }
}

async fn event_of(store: &TestStore, number: u64, stream: Option<&str>) -> Vec<String> {
    let page = store.event(id(u128::from(number)), stream).await.expect("a read");
    page.entries().map(|entry| worded(&entry)).collect()
}

async fn stream_of(store: &TestStore, mut read: StreamRead) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        let page = store.read_stream(&read).await.expect("a read");
        events.extend(page.entries().map(|entry| worded(&entry)));
        let Some(next) = page.next else { return events };
        match read.direction {
            Direction::Forwards => read.from = Revision(next),
            Direction::Backwards => read.before = Some(Revision(next)),
        }
        read.as_of = Some(page.as_of);
        read.limit = read.limit.map(|limit| limit - page.events.len() as u64);
    }
}

async fn all_of(store: &TestStore, mut read: AllRead) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        let page = store.read_all(&read).await.expect("a read");
        events.extend(page.entries().map(|entry| worded(&entry)));
        let Some(next) = page.next else { return events };
        match read.direction {
            Direction::Forwards => read.after = Position(next),
            Direction::Backwards => read.before = Some(Position(next)),
        }
        read.as_of = Some(page.as_of);
        read.limit = read.limit.map(|limit| limit - page.events.len() as u64);
    }
}
