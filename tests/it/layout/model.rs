//! Whatever the cuts and the merges were: what units and the directory say is what the log says.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use everfold::codec::{Body, Entry, Extensions, Frame};
use everfold::event::{Position, UnixMillis, category_of};
use everfold::layout::directory::{Kind, Summary, key};
use everfold::layout::unit::{UnitOrder, commit_parts};
use everfold::layout::{BlockAddress, BlockIndex, Posting, StreamSummary};
use everfold::testing::prng::Prng;

use crate::codec::sample;

use super::compacted::{Compacted, StoredUnit};
use super::lived::{self, Shape};

const BLOCK_BYTES_MAX: usize = 24 * 1024;

#[test]
fn units_and_the_directory_say_what_the_log_says() {
    for seed in 0..30 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let shape = Shape::any(&mut prng);
        println!("{shape:?}");
        let compacted = Compacted::by_chance(lived::history(&mut prng, shape), &mut prng);
        check(&compacted);
        for _ in 0..5 {
            check_order(&compacted, &mut prng);
        }
    }
}

/// Units and the directory say what the log says, whoever made them.
pub fn check(compacted: &Compacted) {
    check_entries(compacted);
    check_commits(compacted);
    compacted.units.iter().for_each(check_unit);
    check_streams(compacted);
    check_postings(compacted);
}

/// Each entry stands once as it was appended, but for events that were hidden before their unit was made.
fn check_entries(compacted: &Compacted) {
    let erased = compacted.erased.borrow();
    let frames = sample::frames(&compacted.commits);
    let mut expected = BTreeMap::new();
    for entry in frames.iter().flat_map(|frame| &frame.entries) {
        if erased.contains(&entry.position.0) {
            let Body::Event { revision, .. } = entry.body else { panic!("a fact was erased") };
            assert!(revision < compacted.index.visible_from(entry.stream, Position(u64::MAX)));
        } else {
            expected.insert(entry.position, entry.clone());
        }
    }
    let mut found = BTreeMap::new();
    for entry in compacted.units.iter().flat_map(|unit| &unit.blocks).flat_map(|block| block.entries()) {
        assert_eq!(
            found.insert(entry.position, entry.clone()),
            None,
            "position {} stands twice",
            entry.position
        );
    }
    assert_eq!(found, expected);
}

/// Commits can be told apart: which entries belong to each, its time and its extensions.
fn check_commits(compacted: &Compacted) {
    type Described = (UnixMillis, Vec<(u64, Vec<u8>)>, BTreeSet<Position>);
    let erased = compacted.erased.borrow();
    let described = |frame: &Frame<'_>| -> Described {
        let positions = frame.entries.iter().map(|entry| entry.position);
        let left = positions.filter(|position| !erased.contains(&position.0)).collect();
        (frame.time, frame.extensions.iter().cloned().collect(), left)
    };
    let frames = sample::frames(&compacted.commits);
    let expected: BTreeMap<Position, Described> =
        frames.iter().map(described).filter_map(|commit| Some((*commit.2.first()?, commit))).collect();
    let mut found: BTreeMap<Position, Described> = BTreeMap::new();
    for block in compacted.units.iter().flat_map(|unit| &unit.blocks) {
        let parts = commit_parts(block).unwrap();
        for ((part, frame), commit) in parts.iter().zip(block.frames()).zip(0..) {
            let (time, extensions) = block.commit(commit).unwrap();
            assert_eq!(time, frame.time);
            let own = |extensions: &Extensions| extensions.iter().filter(|it| it.0 != 0).cloned().collect();
            let described =
                found.entry(part.first).or_insert_with(|| (time, own(extensions), BTreeSet::new()));
            assert_eq!((&described.0, &described.1), (&time, &own(extensions)));
            described.2.extend(frame.entries.iter().map(|entry| entry.position));
            let whole = expected.get(&part.first).map(|commit| commit.2.len() as u64);
            assert_eq!(Some(part.entry_count), whole, "the commit at {}", part.first);
        }
    }
    assert_eq!(found, expected);
}

/// Blocks are as large as they may be, in the order of streams, and as the header describes them.
fn check_unit(unit: &StoredUnit) {
    let info = unit.header.info;
    assert_eq!(
        (info.block_count as usize, info.remains_count as usize),
        (unit.blocks.len(), unit.remains.len())
    );
    assert_eq!(info.entry_count, unit.blocks.iter().map(|block| block.len() as u64).sum::<u64>());
    let entries: Vec<Entry<'_>> = unit.blocks.iter().flat_map(|block| block.entries()).collect();
    assert!(entries.is_sorted_by_key(|entry| (entry.stream, entry.position)));
    assert!(entries.iter().all(|entry| (info.first..=info.last).contains(&entry.position)));
    assert_eq!(info.times.map(|times| times.min), entries.iter().map(|entry| entry.time).min());
    assert_eq!(info.times.map(|times| times.max), entries.iter().map(|entry| entry.time).max());
    for (index, block) in unit.blocks.iter().enumerate() {
        let described = &unit.header.blocks[index];
        assert_eq!(Some(described.first_stream.as_str()), block.entry(0).map(|entry| entry.stream));
        assert_eq!((described.first, described.last), (block.first(), block.last()));
        assert_eq!(described.entry_count as usize, block.len());
        let stored_bytes = unit.stored_blocks[index].len();
        assert_eq!(described.stored_bytes as usize, stored_bytes);
        assert!(
            stored_bytes <= BLOCK_BYTES_MAX || block.len() == 1,
            "{} entries: {stored_bytes}",
            block.len()
        );
        let is_event = |entry: &Entry<'_>| matches!(entry.body, Body::Event { .. });
        let mut ids = block.entries().filter(is_event).map(|entry| entry.id);
        assert!(ids.all(|id| unit.filters[index].may_contain(id)));
    }
}

/// Every stream is to the directory what it is to the index in memory, and its places hold its entries.
fn check_streams(compacted: &Compacted) {
    let mut by_stream: BTreeMap<&str, Vec<(BlockAddress, Entry<'_>)>> = BTreeMap::new();
    for (address, entry) in all_entries(compacted) {
        by_stream.entry(entry.stream).or_default().push((address, entry));
    }
    for (name, indexed) in compacted.index.streams().iter() {
        let Some(Summary::Stream(summary)) = compacted.look_up(&key(Kind::Stream, name.as_str())) else {
            panic!("{name} is not in the directory");
        };
        assert_eq!(summary.to_facts(), indexed.facts(), "{name}");
        for commit in &compacted.commits {
            let as_of = Position(commit.entries[0].position);
            let (found, expected) = (summary.visible_from(as_of), indexed.visible_from(as_of));
            let is_told_apart = summary.tells_hidings_apart(as_of);
            assert!(found == expected || !is_told_apart && expected < found, "{name} as of {as_of}");
        }
        let moment = |moment: everfold::layout::Moment| (moment.position, moment.time);
        let first = summary.moments.map(|moments| moment(moments.first));
        let last = summary.moments.map(|moments| moment(moments.last));
        assert_eq!(first, indexed.first().map(|moment| (moment.position, moment.time)), "{name}");
        assert_eq!(last, indexed.last().map(|moment| (moment.position, moment.time)), "{name}");
        let entries = by_stream.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        check_places(compacted, name.as_str(), &summary, entries);
    }
    let streams = compacted.keys().iter().filter(|key| key[0] == Kind::Stream.byte()).count();
    assert_eq!(streams, compacted.index.streams().count());
}

fn check_places(
    compacted: &Compacted,
    stream: &str,
    summary: &StreamSummary,
    entries: &[(BlockAddress, Entry<'_>)],
) {
    let mut revisions = Vec::new();
    for run in &summary.runs {
        let unit = compacted.unit(run.address.unit);
        let block = &unit.blocks[run.address.block.0 as usize];
        let of_stream = block.entries().filter(|entry| entry.stream == stream);
        let held: Vec<u64> = of_stream.filter_map(|entry| revision_of(&entry)).collect();
        let told: Vec<u64> = (run.first_revision.0..run.end().0).collect();
        assert!(held.windows(told.len()).any(|held| held == told), "{stream}: {told:?} in {held:?}");
        revisions.extend(told);
    }
    let present: Vec<u64> = entries.iter().filter_map(|(_, entry)| revision_of(entry)).collect();
    assert_eq!(revisions, present, "{stream}");
    let facts = entries.iter().filter(|(_, entry)| matches!(entry.body, Body::Fact(_)));
    let mut with_facts: Vec<BlockAddress> = facts.map(|(address, _)| *address).collect();
    with_facts.dedup();
    assert_eq!(summary.fact_blocks, with_facts, "{stream}");
}

fn revision_of(entry: &Entry<'_>) -> Option<u64> {
    match entry.body {
        Body::Event { revision, .. } => Some(revision.0),
        Body::Fact(_) => None,
    }
}

fn all_entries(compacted: &Compacted) -> impl Iterator<Item = (BlockAddress, Entry<'_>)> {
    compacted.units.iter().flat_map(|unit| {
        unit.blocks.iter().zip(0..).flat_map(|(block, index)| {
            let address = BlockAddress { unit: unit.header.info.number, block: BlockIndex(index) };
            block.entries().map(move |entry| (address, entry))
        })
    })
}

/// Every posting names exactly the blocks that hold matches, and counts exactly the events that match.
fn check_postings(compacted: &Compacted) {
    let mut expected: BTreeMap<Vec<u8>, (u64, Vec<BlockAddress>)> = BTreeMap::new();
    for (address, entry) in all_entries(compacted) {
        let category = key(Kind::Category, category_of(entry.stream));
        let matched: BTreeMap<Vec<u8>, u64> = match &entry.body {
            Body::Fact(fact) => [(key(Kind::Type, fact.type_name()), 1), (category, 0)].into(),
            Body::Event { event_type, tags, .. } => {
                let tags = tags.iter().map(|tag| (key(Kind::Tag, tag), 1));
                [(key(Kind::Type, event_type), 1), (category, 1)].into_iter().chain(tags).collect()
            }
        };
        for (key, count) in matched {
            let posting = expected.entry(key).or_default();
            posting.0 += count;
            if posting.1.last() != Some(&address) {
                posting.1.push(address);
            }
        }
    }
    let found: BTreeMap<Vec<u8>, (u64, Vec<BlockAddress>)> = compacted
        .keys()
        .into_iter()
        .filter(|key| key[0] != Kind::Stream.byte())
        .map(|key| match compacted.look_up(&key) {
            Some(Summary::Posting(posting)) => (key, (posting.event_count(), addresses(&posting))),
            other => panic!("{key:?} is {other:?}"),
        })
        .collect();
    assert_eq!(found, expected);
}

fn addresses(posting: &Posting) -> Vec<BlockAddress> {
    let of_unit = |unit: &everfold::layout::UnitPosting| {
        let number = unit.unit;
        unit.blocks.clone().into_iter().map(move |block| BlockAddress { unit: number, block })
    };
    posting.units.iter().flat_map(of_unit).collect()
}

/// The entries of any blocks of a unit come in the order of the log, from any position on.
fn check_order(compacted: &Compacted, prng: &mut Prng) {
    let unit = prng.pick(&compacted.units);
    let info = unit.header.info;
    let all: Vec<BlockIndex> = (0..info.block_count).map(BlockIndex).collect();
    let blocks: Vec<BlockIndex> = all.iter().copied().filter(|_| prng.chance(700)).collect();
    let records: Vec<_> = blocks.iter().map(|block| Rc::clone(&unit.blocks[block.0 as usize])).collect();
    let order = UnitOrder::new(info.number, &blocks, &records);
    assert!(order.covers(info.number, &blocks));
    assert_eq!(order.covers(info.number, &all), blocks == all);
    let first = prng.between(info.first.0..=info.last.0 + 1);
    let mut expected: Vec<u64> =
        records.iter().flat_map(|record| record.positions()).map(|it| it.0).collect();
    expected.retain(|position| first <= *position);
    expected.sort_unstable();
    let found: Vec<u64> = (order.count_before(Position(first))..)
        .map_while(|index| order.place(index))
        .map(|place| unit.blocks[place.block.0 as usize].entry(place.entry).unwrap().position.0)
        .collect();
    assert_eq!(found, expected);
}
