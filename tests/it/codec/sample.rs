//! Commits to encode, owned: frames borrow from them.

use everfold::codec::{Body, Entry, Extensions, Frame, Place, Tags};
use everfold::event::{Fact, Position, Revision, Tag, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::testing::prng::Prng;

/// A commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub time: UnixMillis,
    pub extensions: Extensions,
    pub entries: Vec<Recorded>,
}

/// An event or a fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub position: u64,
    pub stream: String,
    pub id: EventId,
    pub time: UnixMillis,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Event {
        revision: u64,
        event_type: String,
        data: Option<String>,
        metadata: Option<String>,
        tags: Vec<Tag>,
    },
    Fact(Fact),
}

/// The commits as the codec takes them.
pub fn frames(commits: &[Commit]) -> Vec<Frame<'_>> {
    commits.iter().map(frame).collect()
}

fn frame(commit: &Commit) -> Frame<'_> {
    let Commit { time, extensions, entries } = commit;
    Frame { time: *time, extensions, entries: entries.iter().map(entry).collect() }
}

fn entry(recorded: &Recorded) -> Entry<'_> {
    let body = match &recorded.content {
        Content::Fact(fact) => Body::Fact(*fact),
        Content::Event { revision, event_type, data, metadata, tags } => Body::Event {
            revision: Revision(*revision),
            event_type,
            data: data.as_deref(),
            metadata: metadata.as_deref(),
            tags: Tags::Given(tags),
        },
    };
    let Recorded { position, stream, id, time, .. } = recorded;
    Entry { position: Position(*position), stream, id: *id, time: *time, body }
}

/// All places of these commits, in any order.
pub fn shuffled_places(frames: &[Frame<'_>], prng: &mut Prng) -> Vec<Place> {
    let mut places = Vec::new();
    for (frame, Frame { entries, .. }) in frames.iter().enumerate() {
        places.extend((0..entries.len()).map(|entry| Place { frame, entry }));
    }
    prng.shuffle(&mut places);
    places
}

/// One event without anything that could be left out.
pub fn plain_event(position: u64, stream: &str, revision: u64, event_type: &str) -> Recorded {
    let mut id = [0x11; EventId::BYTES];
    id[..8].copy_from_slice(&position.to_be_bytes());
    Recorded {
        position,
        stream: stream.to_owned(),
        id: EventId::from_bytes(id),
        time: UnixMillis(1_700_000_000_000),
        content: Content::Event {
            revision,
            event_type: event_type.to_owned(),
            data: None,
            metadata: None,
            tags: Vec::new(),
        },
    }
}

/// A commit at the time of its first entry.
pub fn commit(entries: Vec<Recorded>) -> Commit {
    let time = entries.first().map_or(UnixMillis(0), |entry| entry.time);
    Commit { time, extensions: Extensions::new(), entries }
}

/// Commits that use everything that a record can hold.
pub fn any_commits(prng: &mut Prng, commit_count: usize) -> Vec<Commit> {
    let mut position = prng.between(1..=1_000_000);
    let mut time = prng.between(0..=4_000_000_000_000) as i64 - 2_000_000_000_000;
    let mut generators = [1, 2, 3].map(|seed| IdGenerator::new([seed; EventId::PREFIX_BYTES]));
    let mut commits = Vec::new();
    for _ in 0..commit_count {
        time += prng.below(100) as i64;
        let mut entries = Vec::new();
        for _ in 0..prng.between(1..=4) {
            let generator = &mut generators[prng.index(3)];
            let id = if prng.chance(500) { generator.next_id() } else { any_id(prng) };
            entries.push(any_recorded(prng, position, UnixMillis(time), id));
            position += if prng.chance(100) { prng.between(2..=1_000) } else { 1 };
        }
        commits.push(Commit { time: UnixMillis(time), extensions: any_extensions(prng), entries });
    }
    commits
}

fn any_id(prng: &mut Prng) -> EventId {
    let mut bytes = [0; EventId::BYTES];
    prng.fill(&mut bytes);
    EventId::from_bytes(bytes)
}

fn any_recorded(prng: &mut Prng, position: u64, commit_time: UnixMillis, id: EventId) -> Recorded {
    let content = if prng.chance(100) {
        let before = Revision(prng.below(1 << 53));
        Content::Fact(*prng.pick(&[Fact::Deleted, Fact::Tombstoned, Fact::Truncated { before }]))
    } else {
        Content::Event {
            revision: if prng.chance(300) { prng.below(1 << 53) } else { prng.below(5) },
            event_type: (*prng.pick(&["Opened", "Closed", "Größe geändert", "x"])).to_owned(),
            data: any_payload(prng),
            metadata: any_payload(prng),
            tags: any_tags(prng),
        }
    };
    let time = if prng.chance(200) {
        UnixMillis(
            prng.between(0..=2 * everfold::limits::INTEGER_MAX) as i64 - everfold::limits::INTEGER_MAX as i64,
        )
    } else {
        commit_time
    };
    let stream = if prng.chance(50) { "ß".repeat(128) } else { format!("account-{}", prng.below(20)) };
    Recorded { position, stream, id, time, content }
}

fn any_payload(prng: &mut Prng) -> Option<String> {
    match prng.below(5) {
        0 => None,
        1 => Some("null".to_owned()),
        2 => Some("{}".to_owned()),
        3 => Some(format!("{{\"amount\":{},\"währung\":\"€\"}}", prng.below(100_000))),
        _ => Some(format!("\"{}\"", "🏦 x".repeat(prng.index(40)))),
    }
}

fn any_tags(prng: &mut Prng) -> Vec<Tag> {
    let count = if prng.chance(700) { 0 } else { prng.below(33) };
    (0..count).map(|_| Tag::new(format!("größe:{}", prng.below(40))).unwrap()).collect()
}

fn any_extensions(prng: &mut Prng) -> Extensions {
    let count = if prng.chance(800) { 0 } else { prng.below(17) };
    (0..count)
        .map(|_| {
            (prng.next_u64() >> prng.below(64), {
                let length = prng.index(20);
                prng.bytes(length)
            })
        })
        .collect()
}
