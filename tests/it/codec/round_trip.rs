//! What is encoded comes back.

use everfold::codec::{DecodedRecord, Extensions, Frame, encode_arranged, encode_records};
use everfold::event::{Fact, Position, Revision, Tag, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::testing::prng::Prng;

use super::sample::{self, Commit, Content, Recorded};

/// Encodes the commits, decodes the records, and compares.
#[track_caller]
fn check(commits: &[Commit]) {
    let frames = sample::frames(commits);
    let records = encode_records(&frames);
    let mut decoded = Vec::new();
    for record in &records {
        decoded.push(DecodedRecord::decode(&record.bytes, record.first).unwrap());
    }
    let read: Vec<Frame<'_>> = decoded.iter().flat_map(DecodedRecord::frames).collect();
    assert_eq!(read, frames);
    for (record, decoded) in records.iter().zip(&decoded) {
        let positions: Vec<Position> = decoded.entries().map(|entry| entry.position).collect();
        assert_eq!(decoded.len(), positions.len());
        assert_eq!((Some(&record.first), Some(&decoded.first())), (positions.first(), positions.first()));
        assert_eq!(Some(&decoded.last()), positions.last());
        assert_eq!(decoded.entry(decoded.len()), None);
        assert_eq!(decoded.entry(0), decoded.entries().next());
    }
}

fn event_with(change: impl FnOnce(&mut Recorded)) -> Commit {
    let mut event = sample::plain_event(1, "account-1", 0, "Opened");
    change(&mut event);
    Commit { time: UnixMillis(1_700_000_000_000), extensions: Extensions::new(), entries: vec![event] }
}

fn event_of(data: Option<&str>, metadata: Option<&str>, tags: &[&str]) -> Commit {
    event_with(|event| {
        event.content = Content::Event {
            revision: 0,
            event_type: "Opened".to_owned(),
            data: data.map(str::to_owned),
            metadata: metadata.map(str::to_owned),
            tags: tags.iter().map(|tag| Tag::new(*tag).unwrap()).collect(),
        };
    })
}

#[test]
fn absent_payloads_differ_from_any_json() {
    let payloads = [None, Some("null"), Some("{}"), Some("{ \"a\" : 1e0 }"), Some(""), Some("\"\\ud800\"")];
    for data in payloads {
        for metadata in payloads {
            check(&[event_of(data, metadata, &[])]);
        }
    }
}

#[test]
fn tags_keep_their_order_and_their_repetitions() {
    check(&[event_of(None, None, &["b", "a", "b"])]);
    check(&[event_of(Some("1"), None, &["t"; 32])]);
}

#[test]
fn facts_come_back() {
    let before = Revision((1 << 53) - 1);
    for fact in [Fact::Deleted, Fact::Tombstoned, Fact::Truncated { before }] {
        check(&[event_with(|event| event.content = Content::Fact(fact))]);
    }
}

#[test]
fn the_largest_numbers_come_back() {
    let maximum = everfold::limits::INTEGER_MAX;
    for time in [0, 1, -1, maximum as i64, -(maximum as i64)] {
        check(&[event_with(|event| event.time = UnixMillis(time))]);
        let mut commit = event_with(|event| event.position = maximum);
        commit.time = UnixMillis(time);
        check(&[commit]);
    }
    let far = |position, revision| sample::plain_event(position, "s", revision, "t");
    check(&[sample::commit(vec![far(1, maximum), far(2, 0), far(maximum - 1, maximum), far(maximum, 0)])]);
}

#[test]
fn extensions_come_back_verbatim() {
    let mut commit = event_with(|_| ());
    commit.extensions = Extensions::from([(0, vec![]), (7, vec![0, 255]), (u64::MAX, vec![1; 65_536])]);
    check(&[commit]);
}

#[test]
fn the_largest_commit_is_one_record() {
    let mut prng = Prng::new(7);
    let entries = (0..10_000).map(|index| {
        let mut event = sample::plain_event(index + 1, "s", index, "t");
        let data: String = (0..1_600).map(|_| char::from(prng.between(32..=126) as u8)).collect();
        let event_type = "t".to_owned();
        let content =
            Content::Event { revision: index, event_type, data: Some(data), metadata: None, tags: vec![] };
        event.content = content;
        event
    });
    let commit = sample::commit(entries.collect());
    assert_eq!(encode_records(&sample::frames(std::slice::from_ref(&commit))).len(), 1);
    check(&[commit]);
}

#[test]
fn ids_of_the_store_cost_less_than_two_bytes_in_a_run() {
    let mut generator = IdGenerator::new([9; EventId::PREFIX_BYTES]);
    let commits = |mut id: Box<dyn FnMut() -> EventId>| -> usize {
        let mut event = |position| {
            let mut event = sample::plain_event(position, "s", position, "t");
            event.id = id();
            event
        };
        let commits: Vec<Commit> =
            (1..=1_000).map(|position| sample::commit(vec![event(position)])).collect();
        encode_records(&sample::frames(&commits)).iter().map(|record| record.bytes.len()).sum()
    };
    let without_ids = commits(Box::new(|| EventId::from_bytes([0; 16])));
    let own_ids = commits(Box::new(move || generator.next_id()));
    assert!(own_ids < without_ids + 2_000, "{own_ids} bytes with ids, {without_ids} bytes without");
}

#[test]
fn any_commits_come_back() {
    for seed in 0..300 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let commit_count = prng.between(1..=40) as usize;
        check(&sample::any_commits(&mut prng, commit_count));
    }
}

#[test]
fn any_order_of_entries_comes_back() {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let commit_count = prng.between(1..=40) as usize;
        let commits = sample::any_commits(&mut prng, commit_count);
        let frames = sample::frames(&commits);
        let places = sample::shuffled_places(&frames, &mut prng);
        let record = encode_arranged(&frames, &places);
        let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
        assert_eq!(decoded.frames(), frames);
        let expected = places.iter().map(|place| frames[place.frame].entries[place.entry].clone());
        assert!(decoded.entries().eq(expected));
    }
}
