//! Ids in a log that was compacted: one that stands in its stream is always found, and no other ever.

use std::collections::BTreeMap;

use everfold::codec::Body;
use everfold::event::{EventType, Json, NewEvent, Position};
use everfold::layout::BlockIndex;
use everfold::layout::keys::UnitRecord;
use everfold::log::{Expected, StreamFacts};
use everfold::storage::{Area, Durability, GuardedWrite, KeyRange, LayoutChange, Storage};
use everfold::store::{OpenOptions, WriteRequest};
use everfold::testing::faulty_storage::{Fault, Operation, Target};
use everfold::testing::prng::Prng;

use crate::codec::sample::{Commit, Content, Recorded};
use crate::layout::lived::Shape;
use crate::one_tab::{Browser, TestStore, commit, id, in_browser, write};

use super::background::EAGER;
use super::laid::{compact, history, lay, on_demand};
use super::stored::Stored;

/// An event of the history, and what becomes of an append of it.
struct Past {
    recorded: Recorded,
    is_visible: bool,
}

fn past_of(commits: Vec<Commit>) -> Vec<Past> {
    let mut streams: BTreeMap<String, StreamFacts> = BTreeMap::new();
    for entry in commits.iter().flat_map(|commit| &commit.entries) {
        let facts = streams.entry(entry.stream.clone()).or_default();
        match &entry.content {
            Content::Fact(fact) => facts.lay(&Body::Fact(*fact)),
            Content::Event { event_type, .. } => {
                let tags = everfold::codec::Tags::NONE;
                let revision = facts.state.next_revision();
                facts.lay(&Body::Event { revision, event_type, data: None, metadata: None, tags });
            }
        }
    }
    let entries = commits.into_iter().flat_map(|commit| commit.entries);
    let past = entries.filter_map(|recorded| match recorded.content {
        Content::Fact(_) => None,
        Content::Event { revision, .. } => {
            let is_visible = streams[&recorded.stream].visible_from.0 <= revision;
            Some(Past { recorded, is_visible })
        }
    });
    past.collect()
}

/// The event as its caller gave it.
fn anew(recorded: &Recorded) -> NewEvent {
    let Content::Event { event_type, data, .. } = &recorded.content else { panic!("this is a fact") };
    let data = data.as_ref().map(|data| Json::parse(data.clone()).unwrap());
    NewEvent { id: Some(recorded.id), data, ..NewEvent::new(EventType::new(event_type.as_str()).unwrap()) }
}

/// Appends events that are seen in one commit, and those that are hidden one by one.
async fn append_anew(store: &TestStore, past: &[Past]) {
    let mut writes = Vec::new();
    let mut places = Vec::new();
    for Past { recorded, is_visible } in past {
        let again = write(&recorded.stream, Expected::Any, vec![anew(recorded)]);
        if !is_visible {
            assert!(!commit(store, vec![again]).await.unwrap().duplicate, "{recorded:?}");
        } else if !writes.iter().any(|other: &WriteRequest| other.stream == again.stream) {
            writes.push(again);
            places.push(Position(recorded.position));
        }
    }
    if writes.is_empty() {
        return;
    }
    let appended = commit(store, writes).await.unwrap();
    assert!(appended.duplicate);
    let found: Vec<Position> = appended.writes.iter().map(|write| write.last_position).collect();
    assert_eq!(found, places);
}

async fn append_fresh(store: &TestStore, number: u128, stream: &str) {
    let mut event = NewEvent::new(EventType::new("Fresh").unwrap());
    event.id = Some(id(1 << 100 | number));
    let appended = commit(store, vec![write(stream, Expected::Any, vec![event])]).await.unwrap();
    assert!(!appended.duplicate, "the fresh id {number} is taken for another");
}

/// Takes a filter away, so that the blocks have to be asked.
async fn spoil(storage: &impl Storage) {
    let root = Stored::read(storage).await.root;
    let Some(unit) = root.units.first() else { return };
    let key = UnitRecord::Filter(BlockIndex(0)).key(unit.number);
    let write = GuardedWrite {
        expect: Vec::new(),
        deletes: vec![(Area::Units, KeyRange { from: Some(key.clone()), to: Some(key) })],
        puts: Vec::new(),
        layout: LayoutChange::Keep,
        durability: Durability::Memory,
    };
    storage.write(write).await.unwrap();
}

async fn check(browser: Browser, seed: u64, options: OpenOptions) {
    println!("seed {seed}");
    let mut prng = Prng::new(seed);
    let shape = Shape { facts_permille: 20, ..Shape::any(&mut prng) };
    let commits = history(&mut prng, shape);
    let store = browser.open_with(on_demand(options.bounds.unit_entries_max)).await.unwrap();
    for commits in commits.chunks(commits.len().div_ceil(4)) {
        if prng.chance(700) {
            compact(&store).await.unwrap();
        }
        lay(&browser.storage, commits, prng.between(1..=20) as usize).await;
    }
    if prng.chance(300) {
        spoil(&browser.storage).await;
    }
    let past = past_of(commits);
    let store = browser.open_with(options).await.unwrap();
    let chunk = *prng.pick(&[1, 5, 500]);
    for (past, number) in past.chunks(chunk).zip(0..) {
        append_fresh(&store, number, &past[0].recorded.stream).await;
        append_anew(&store, past).await;
        if prng.chance(20) {
            browser.sleep(20).await;
        }
    }
    store.close().await;
}

#[test]
fn every_id_of_a_compacted_log_is_found_and_no_other() {
    for seed in 0..30 {
        in_browser(|browser| check(browser, seed, on_demand(40)));
    }
}

#[test]
fn every_id_is_found_and_no_other_while_the_log_is_compacted() {
    for seed in 0..15 {
        in_browser(|browser| check(browser, seed, EAGER));
    }
}

/// How many reads an append of an event with an id of its own takes.
async fn reads_of_an_append(browser: &Browser, store: &TestStore, number: u128, stream: u128) -> usize {
    let mut event = NewEvent::new(EventType::new("Fresh").unwrap());
    event.id = Some(id(1 << 100 | number));
    browser.faults.arm(Target::Every, u64::MAX, Fault::ALL[0]);
    let write = write(&format!("account-{}", stream * 5 + 2), Expected::Any, vec![event]);
    commit(store, vec![write]).await.unwrap();
    let met = browser.faults.met();
    browser.faults.disarm();
    met.iter().filter(|operation| **operation == Operation::Read).count()
}

#[test]
fn an_append_to_a_stream_that_is_known_reads_nothing_however_much_is_compacted() {
    in_browser(|browser| async move {
        let shape = Shape {
            commit_count: 400,
            commit_entries_max: 30,
            stream_count: 200,
            facts_permille: 0,
            large_permille: 0,
        };
        browser.open().await.close().await;
        for commits in history(&mut Prng::new(1), shape).chunks(100) {
            lay(&browser.storage, commits, 5).await;
            let store = browser.open_with(on_demand(1_000)).await.unwrap();
            compact(&store).await.unwrap();
            store.close().await;
        }
        let store = browser.open_with(on_demand(1_000)).await.unwrap();
        for stream in 0..40 {
            let reads = reads_of_an_append(&browser, &store, stream, stream).await;
            assert!(
                reads <= if stream == 0 { 4 } else { 2 },
                "{reads} reads for an append to stream {stream}"
            );
        }
        for number in 0..200 {
            assert_eq!(reads_of_an_append(&browser, &store, 1_000 + number, number % 40).await, 0);
            if number % 50 == 0 {
                compact(&store).await.unwrap();
            }
        }
    });
}
