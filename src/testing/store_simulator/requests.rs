//! Draws what the tabs ask for: few streams, few ids and few tags, so that requests get in each other's way.

use crate::event::{EventType, Json, NewEvent, Position, Revision, StreamName, Tag, UnixMillis};
use crate::id::EventId;
use crate::log::Expected;
use crate::query::{AppendCondition, Query, QueryItem};
use crate::storage::Direction;
use crate::store::{AllRead, AppendRequest, CountBy, Mark, MarkRequest, StreamRead, WriteRequest};
use crate::testing::prng::Prng;

use super::model::{Life, Model};
use super::questions::Question;

const STREAMS: [&str; 6] = ["cart-1", "cart-2", "cart-3", "account-1", "account-2", "lonely"];
const CATEGORIES: [&str; 3] = ["cart", "account", "lonely"];
pub const TYPES: [&str; 4] = ["Opened", "Added", "Renamed", "Closed"];
const FACTS: [&str; 3] = ["$deleted", "$tombstoned", "$truncated"];
const TAGS: [&str; 4] = ["red", "green", "blue", "size:large"];
/// Ids are drawn from so many, so that some come twice.
const IDS: u64 = 400;

/// An append of new events. `content` marks the data of its events, and of no others.
pub fn append(prng: &mut Prng, model: &Model, content: usize, is_bulky: bool) -> AppendRequest {
    let mut writes: Vec<WriteRequest> = Vec::new();
    let write_count = if prng.chance(700) { 1 } else { prng.between(2..=3) };
    let mut event_number = 0;
    for _ in 0..write_count {
        let stream = stream(prng);
        // Two beliefs about one stream in one commit are an invalid argument.
        let earlier = writes.iter().find(|write| write.stream == stream).map(|write| write.expected);
        let expected = earlier.unwrap_or_else(|| expected(prng, model, &stream));
        let event_count = match prng.below(10) {
            _ if is_bulky => 24,
            0 => 0,
            1..=6 => 1,
            _ => prng.between(2..=4),
        };
        let events = (0..event_count).map(|_| {
            event_number += 1;
            let padding_bytes = if is_bulky { 11_500 } else { prng.index(24) };
            event(prng, content, event_number, padding_bytes)
        });
        let events = events.collect();
        writes.push(WriteRequest { stream, expected, events });
    }
    let condition = prng.chance(250).then(|| condition(prng, model));
    AppendRequest { writes, condition, durability: None }
}

/// The same append again, perhaps with another belief, which does not matter to a repetition.
pub fn repeated(prng: &mut Prng, request: &AppendRequest) -> AppendRequest {
    let mut again = request.clone();
    if prng.chance(300) {
        again.writes.iter_mut().for_each(|write| write.expected = Expected::NoStream);
    }
    again
}

/// An append with the ids of an earlier one and with other data.
pub fn rewritten(prng: &mut Prng, request: &AppendRequest, content: usize) -> AppendRequest {
    let mut other = request.clone();
    let events = other.writes.iter_mut().flat_map(|write| &mut write.events);
    for (number, rewritten) in (1..).zip(events) {
        *rewritten = NewEvent { id: rewritten.id, ..event(prng, content, number, 1) };
    }
    other
}

/// Deletes, tombstones or truncates a stream.
pub fn mark(prng: &mut Prng, model: &Model) -> MarkRequest {
    let stream = stream(prng);
    let next = model.view(model.head(), stream.as_str()).next();
    let mark = match prng.below(20) {
        0..=7 => Mark::Delete,
        8 => Mark::Tombstone,
        _ => Mark::Truncate { before: Revision(prng.between(0..=next + 2)) },
    };
    let expected = if prng.chance(600) { Expected::Any } else { expected(prng, model, &stream) };
    MarkRequest { stream, expected, mark, durability: None }
}

pub fn deletion(stream: &StreamName) -> MarkRequest {
    MarkRequest { stream: stream.clone(), expected: Expected::Any, mark: Mark::Delete, durability: None }
}

/// An append of one event to a stream.
pub fn append_to(prng: &mut Prng, stream: &StreamName, content: usize) -> AppendRequest {
    let events = vec![event(prng, content, 1, 1)];
    let write = WriteRequest { stream: stream.clone(), expected: Expected::Any, events };
    AppendRequest { writes: vec![write], condition: None, durability: None }
}

pub fn read_of_stream(prng: &mut Prng, model: &Model) -> StreamRead {
    let stream = stream(prng);
    let next = model.view(model.head(), stream.as_str()).next();
    StreamRead {
        stream,
        from: if prng.chance(600) { Revision::FIRST } else { Revision(prng.between(0..=next + 1)) },
        before: prng.chance(300).then(|| Revision(prng.between(0..=next + 1))),
        direction: direction(prng),
        limit: prng.chance(500).then(|| prng.between(1..=7)),
        as_of: None,
    }
}

pub fn read_of_all(prng: &mut Prng, model: &Model) -> AllRead {
    let head = model.head();
    AllRead {
        after: if prng.chance(600) { Position::START } else { Position(prng.between(0..=head + 1)) },
        before: prng.chance(300).then(|| Position(prng.between(0..=head + 1))),
        since: prng.chance(150).then(|| time(prng)),
        until: prng.chance(150).then(|| time(prng)),
        direction: direction(prng),
        query: if prng.chance(500) { Query::everything() } else { query(prng) },
        limit: prng.chance(500).then(|| prng.between(1..=20)),
        as_of: None,
    }
}

pub fn question(prng: &mut Prng) -> Question {
    match prng.below(5) {
        0 | 1 => Question::Stream(stream(prng).as_str().to_owned()),
        2 => Question::Streams {
            prefix: (*prng.pick(&["", "cart", "cart-", "account-2", "z"])).to_owned(),
            after: prng.chance(300).then(|| stream(prng).as_str().to_owned()),
        },
        3 => Question::Event {
            id: id(prng),
            stream: prng.chance(500).then(|| stream(prng).as_str().to_owned()),
        },
        _ => {
            let by = *prng.pick(&[CountBy::Nothing, CountBy::Type, CountBy::Category, CountBy::Stream]);
            Question::Count { query: query(prng), by }
        }
    }
}

pub fn stream(prng: &mut Prng) -> StreamName {
    StreamName::new(*prng.pick(&STREAMS)).expect("a good name")
}

/// Often what holds now, and sometimes anything.
fn expected(prng: &mut Prng, model: &Model, stream: &StreamName) -> Expected {
    let view = model.view(model.head(), stream.as_str());
    match prng.below(10) {
        0..=3 => Expected::Any,
        4..=6 => match (view.life, view.last) {
            (Life::Live, Some(last)) => Expected::Revision(Revision(last)),
            _ => Expected::NoStream,
        },
        7 => Expected::NoStream,
        8 => Expected::StreamExists,
        _ => Expected::Revision(Revision(prng.between(0..=view.next() + 1))),
    }
}

fn event(prng: &mut Prng, content: usize, number: u64, padding_bytes: usize) -> NewEvent {
    // Padding that does not compress, so that a bulky append is large when it is stored.
    let letters: Vec<char> = ('0'..='9').chain('a'..='z').chain('A'..='Z').collect();
    let padding: String =
        prng.bytes(padding_bytes).into_iter().map(|byte| letters[usize::from(byte) % 62]).collect();
    let data = format!("{{\"content\":{content},\"event\":{number},\"padding\":\"{padding}\"}}");
    let event_type = EventType::new(*prng.pick(&TYPES)).expect("a good type");
    NewEvent {
        data: Some(Json::parse(data).expect("good JSON")),
        metadata: prng.chance(300).then(|| Json::parse("{\"by\":\"simulator\"}").expect("good JSON")),
        tags: tags(prng),
        id: prng.chance(450).then(|| id(prng)),
        time: prng.chance(100).then(|| time(prng)),
        ..NewEvent::new(event_type)
    }
}

fn id(prng: &mut Prng) -> EventId {
    EventId::from_bytes(u128::from(prng.below(IDS)).to_be_bytes())
}

fn condition(prng: &mut Prng, model: &Model) -> AppendCondition {
    let head = model.head();
    let after = match prng.below(6) {
        0 => 0,
        1 => prng.between(0..=head + 1),
        2 => head.saturating_sub(prng.below(6)),
        _ => head,
    };
    AppendCondition { fail_if_events_match: query(prng), after: Position(after) }
}

/// A query of anything, or of everything.
pub fn query(prng: &mut Prng) -> Query {
    let items = (0..prng.between(1..=2)).map(|_| item(prng)).collect();
    Query::new(items).expect("a good query")
}

fn item(prng: &mut Prng) -> QueryItem {
    let some = |prng: &mut Prng| prng.chance(350);
    let type_names = [&TYPES[..], &FACTS[..]].concat();
    QueryItem {
        types: some(prng).then(|| vec![(*prng.pick(&type_names)).into(), (*prng.pick(&TYPES)).into()]),
        tags: some(prng).then(|| vec![(*prng.pick(&TAGS)).into()]),
        streams: some(prng).then(|| vec![stream(prng).to_shared(), stream(prng).to_shared()]),
        categories: some(prng).then(|| vec![(*prng.pick(&CATEGORIES)).into()]),
    }
}

fn tags(prng: &mut Prng) -> Vec<Tag> {
    let mut tags = Vec::new();
    for name in TAGS {
        if prng.chance(200) {
            tags.push(Tag::new(name).expect("a good tag"));
        }
    }
    tags
}

fn direction(prng: &mut Prng) -> Direction {
    *prng.pick(&[Direction::Forwards, Direction::Backwards])
}

/// Around the times that the store itself assigns.
fn time(prng: &mut Prng) -> UnixMillis {
    UnixMillis(1_700_000_000_000 - 200 + prng.below(1_500) as i64)
}
