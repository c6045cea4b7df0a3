//! Bytes that nobody wrote give `Corrupt`, or values that could have been written.

use std::rc::Rc;

use everfold::codec::{DecodedRecord, encode_records};
use everfold::event::{Position, UnixMillis};
use everfold::layout::directory::{Merge, MergeStep, Page, RunIndex};
use everfold::layout::keys::UnitRecord;
use everfold::layout::root::{Root, RunInfo};
use everfold::layout::unit::{UnitBuilder, UnitHeader, UnitIdentity, commit_parts, decode_block};
use everfold::layout::{BlockIndex, Filter, RunNumber, UnitNumber};
use everfold::testing::prng::Prng;
use xxhash_rust::xxh64::xxh64;

use crate::codec::sample;

use super::compacted::{Compacted, run_of};
use super::lived::{self, Shape};

/// A way to read a record, which says whether the bytes are one.
type Reader = fn(&[u8]) -> bool;

/// Records of every kind, with their readers.
fn samples() -> Vec<(&'static str, Vec<u8>, Reader)> {
    let mut prng = Prng::new(4);
    let shape = Shape {
        commit_count: 60,
        commit_entries_max: 6,
        stream_count: 12,
        facts_permille: 60,
        large_permille: 0,
    };
    let compacted = Compacted::by_chance(lived::history(&mut prng, shape), &mut prng);
    let unit = compacted.units.iter().find(|unit| !unit.remains.is_empty()).unwrap();
    let run = run_of(unit);
    vec![
        ("root", root(&compacted).to_bytes(), |bytes| Root::from_bytes(bytes).is_ok()),
        ("header", unit.header.to_bytes(), |bytes| UnitHeader::from_bytes(bytes).is_ok()),
        ("block", unit.stored_blocks[0].clone(), |bytes| decode_block(bytes).is_ok()),
        ("filter", unit.filters[0].to_bytes(), |bytes| Filter::from_bytes(bytes).is_ok()),
        ("remains", unit.remains[0].clone(), |bytes| Page::from_bytes(bytes).is_ok()),
        ("page", run.pages[0].clone(), |bytes| Page::from_bytes(bytes).is_ok()),
        ("run", run.index.to_bytes(), |bytes| RunIndex::from_bytes(bytes).is_ok()),
    ]
}

fn root(compacted: &Compacted) -> Root {
    let run = |(run, number): (&super::compacted::StoredRun, u64)| RunInfo {
        number: RunNumber(number),
        level: 1,
        first: run.index.first,
        last: run.index.last,
        page_count: run.index.page_count(),
        stored_bytes: 77,
    };
    Root {
        layout: 5,
        covered: compacted.index.head().position,
        commit_time: UnixMillis(1_700_000_000_000),
        units: compacted.units.iter().map(|unit| unit.header.info).collect(),
        runs: compacted.runs.iter().zip(100..).map(run).collect(),
        stream_count: 3,
        visible_count: 4,
        next_number: 200,
        staged: vec![7, 9],
        unread: vec![
            UnitRecord::Block(BlockIndex(300)).key(UnitNumber(3)),
            UnitRecord::Remains(0).key(UnitNumber(3)),
        ],
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_found() {
    for (name, record, is_read) in samples() {
        assert!(is_read(&record), "{name}");
        for bit in 0..record.len() * 8 {
            let mut bytes = record.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_read(&bytes), "{name}: bit {bit}");
        }
        for length in 0..record.len() {
            assert!(!is_read(&record[..length]), "{name}: {length} bytes");
        }
    }
}

#[test]
fn a_record_of_one_kind_is_none_of_another() {
    let samples = samples();
    for (name, record, _) in &samples {
        for (other, _, is_read) in &samples {
            let is_same =
                name == other || [*name, *other].iter().all(|name| ["page", "remains"].contains(name));
            assert_eq!(is_read(record), is_same, "a {name} read as a {other}");
        }
    }
}

#[test]
fn any_body_with_a_checksum_that_matches_gives_a_value_or_an_error() {
    let mut prng = Prng::new(8);
    let mut read_count = 0;
    for (name, record, is_read) in samples() {
        let body = if name == "block" { continue } else { unpacked(&record) };
        for _ in 0..3_000 {
            let bytes = sealed(record[2], &mutilated(&body, &mut prng));
            read_count += usize::from(is_read(&bytes));
            use_page(&bytes);
        }
    }
    assert!(1_000 < read_count, "only {read_count} were read at all");
}

/// Merges a page with itself, and takes it for what remains of a unit: neither may panic.
fn use_page(bytes: &[u8]) {
    let Ok(page) = Page::from_bytes(bytes) else { return };
    let identity = UnitIdentity { number: UnitNumber(1), level: 1, first: Position(1), last: Position(9) };
    let mut builder = UnitBuilder::new(identity);
    if builder.add_remains(&page).is_ok()
        && let Ok(mut arranged) = builder.arrange()
    {
        assert_eq!(arranged.next_block(), Ok(None));
        arranged.finish().header.to_bytes();
    }
    let mut pages = [Some(page), Page::from_bytes(bytes).ok()];
    let mut merge = Merge::new(2, Position(1), Position(9));
    loop {
        match merge.step() {
            Ok(MergeStep::Hungry(run)) => merge.feed(run, pages[run].take().map(Rc::new)),
            Ok(MergeStep::Page(_)) => {}
            Ok(MergeStep::Finished) => {
                merge.finish();
                return;
            }
            Err(_) => return,
        }
    }
}

/// A body with a few bytes changed, cut off or put in between.
pub fn mutilated(body: &[u8], prng: &mut Prng) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..prng.between(1..=4) {
        if body.is_empty() {
            break;
        }
        let at = prng.index(body.len());
        match prng.below(3) {
            0 => body[at] = prng.next_u64() as u8,
            1 => body.truncate(at),
            _ => body.insert(at, *prng.pick(&[0, 1, 0x7f, 0x80, 0xff])),
        }
    }
    body
}

/// The body of a record of the layout.
pub fn unpacked(record: &[u8]) -> Vec<u8> {
    let (checked, _) = record.split_last_chunk::<8>().unwrap();
    let digits = checked[5..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let length =
        checked[5..5 + digits].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    let body = &checked[5 + digits..];
    match checked[4] {
        0 => body.to_vec(),
        _ => lz4_flex::block::decompress(body, length).unwrap(),
    }
}

pub fn sealed(letter: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'E', b'F', letter, 1, 0];
    let mut length = body.len();
    while 0x80 <= length {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes.extend(xxh64(&bytes, 0).to_le_bytes());
    bytes
}

#[test]
fn blocks_that_cannot_be_of_one_unit_are_refused() {
    let commits: Vec<_> = (1..20)
        .map(|n| sample::commit(vec![sample::plain_event(n, &format!("s{}", n % 3), n, "T")]))
        .collect();
    let moved: Vec<_> = (1..20).map(|n| sample::commit(vec![sample::plain_event(n, "t", n, "T")])).collect();
    let record = |commits: &[sample::Commit]| {
        let record = encode_records(&sample::frames(commits)).remove(0);
        Rc::new(DecodedRecord::decode(&record.bytes, record.first).unwrap())
    };
    let build = |records: [Rc<DecodedRecord>; 2]| {
        let identity =
            UnitIdentity { number: UnitNumber(1), level: 0, first: Position(1), last: Position(20) };
        let mut builder = UnitBuilder::new(identity);
        for record in records {
            builder.add(record, &|_| false).unwrap();
        }
        builder.arrange().and_then(|mut arranged| arranged.next_block()).unwrap_err().problem
    };
    assert_eq!(build([record(&commits), record(&commits)]), "the entries of a stream are not in their order");
    assert_eq!(build([record(&commits), record(&moved)]), "two entries have the same position");
}

#[test]
fn a_split_that_cannot_be_is_corrupt() {
    for bytes in [&[][..], &[0], &[9, 2], &[1, 2, 3], &[0x80]] {
        let mut commit = sample::commit(vec![sample::plain_event(9, "s", 0, "T")]);
        commit.extensions.insert(0, bytes.to_vec());
        let record = encode_records(&sample::frames(&[commit])).remove(0);
        let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
        assert!(commit_parts(&decoded).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_commit_without_room_for_its_split_is_refused() {
    let events = (1..=2).map(|n| {
        let mut event = sample::plain_event(n, "s", n, "T");
        let sample::Content::Event { data, .. } = &mut event.content else { unreachable!() };
        let random = Prng::new(n).bytes(12_000);
        *data = Some(format!("\"{}\"", random.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
        event
    });
    let mut commit = sample::commit(events.collect());
    (1..=16).for_each(|number| commit.extensions.insert(number, Vec::new()));
    let record = encode_records(&sample::frames(&[commit])).remove(0);
    let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
    let identity = UnitIdentity { number: UnitNumber(1), level: 0, first: Position(1), last: Position(2) };
    let mut builder = UnitBuilder::new(identity);
    builder.add(Rc::new(decoded), &|_| false).unwrap();
    let problem = builder.arrange().unwrap().next_block().unwrap_err().problem;
    assert_eq!(problem, "a commit has too many extensions to be split");
}
