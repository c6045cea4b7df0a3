//! Records of the layout to the byte, as FORMAT.md shows them.

use std::rc::Rc;

use everfold::codec::{DecodedRecord, encode_records};
use everfold::event::{Fact, Position, Revision, UnixMillis};
use everfold::id::EventId;
use everfold::layout::directory::{DirectoryEntry, Kind, Page, RunBuilder, RunIndex, key};
use everfold::layout::keys::{RunRecord, UnitRecord, tied};
use everfold::layout::root::{Root, RunInfo};
use everfold::layout::unit::{
    ArrangedUnit, FinishedUnit, UnitBuilder, UnitHeader, UnitIdentity, commit_parts, decode_block,
};
use everfold::layout::{BlockIndex, Filter, RunNumber, UnitNumber};
use everfold::storage::Key;

use crate::codec::golden::{bytes_of, check_documented, dump_of};
use crate::codec::sample::{self, Content, Recorded};

const NOON: UnixMillis = UnixMillis(1_763_712_000_000);

/// The unit 7: one commit of events in `cart-1` and `cart-2`, at positions 1 and 2, of which `cart-2` is deleted at 3.
fn arranged() -> ArrangedUnit {
    let id = |number| {
        let mut id = [0; EventId::BYTES];
        id[15] = number;
        EventId::from_bytes(id)
    };
    let added = |position: u64, stream: &str| Recorded {
        id: id(position as u8),
        time: NOON,
        ..sample::plain_event(position, stream, 0, "Added")
    };
    let deleted = Recorded {
        position: 3,
        stream: "cart-2".to_owned(),
        id: id(3),
        time: UnixMillis(NOON.0 + 5),
        content: Content::Fact(Fact::Deleted),
    };
    let commits =
        [sample::commit(vec![added(1, "cart-1"), added(2, "cart-2")]), sample::commit(vec![deleted])];
    let record = encode_records(&sample::frames(&commits)).remove(0);
    let record = DecodedRecord::decode(&record.bytes, record.first).unwrap();
    let identity = UnitIdentity { number: UnitNumber(7), level: 0, first: Position(1), last: Position(3) };
    let mut builder = UnitBuilder::new(identity);
    builder.add(Rc::new(record), &|entry| entry.stream == "cart-2").unwrap();
    builder.arrange().unwrap()
}

/// LZ4 leaves its encoder free, so examples are small enough not to be packed.
#[track_caller]
fn check(what: &str, bytes: &[u8], dump: &str) {
    assert_eq!(bytes[4], 0, "the example is packed");
    assert_eq!(dump_of(bytes), dump_of(&bytes_of(dump)), "{what} is now:\n{}\n", dump_of(bytes));
    check_documented(dump);
}

/// What the example is of a record that is stored under this key.
#[track_caller]
fn check_tied(what: &str, key: &Key, bytes: Vec<u8>, dump: &str) {
    check(what, &tied(key, bytes), dump);
}

fn untied(key: &Key, dump: &str) -> Vec<u8> {
    tied(key, bytes_of(dump))
}

fn finished() -> (Vec<u8>, Vec<u8>, FinishedUnit) {
    let mut arranged = arranged();
    let built = arranged.next_block().unwrap().unwrap();
    assert_eq!(arranged.next_block(), Ok(None));
    (built.block, built.filter, arranged.finish())
}

#[test]
fn the_filter_of_a_block() {
    let (_, filter, _) = finished();
    let key = UnitRecord::Filter(BlockIndex(0)).key(UnitNumber(7));
    check_tied("the filter", &key, filter, FILTER);
    let mut id = [0; EventId::BYTES];
    id[15] = 1;
    assert!(Filter::from_bytes(&untied(&key, FILTER)).unwrap().may_contain(EventId::from_bytes(id)));
}

#[test]
fn the_header_of_a_unit() {
    let (_, _, finished) = finished();
    let key = UnitRecord::Header.key(UnitNumber(7));
    check_tied("the header", &key, finished.header.to_bytes(), HEADER);
    assert_eq!(UnitHeader::from_bytes(&untied(&key, HEADER)).unwrap(), finished.header);
}

#[test]
fn what_remains_of_erased_events() {
    let place = UnitRecord::Remains(0).key(UnitNumber(7));
    check_tied("the page", &place, arranged().remains()[0].clone(), REMAINS);
    let page = Page::from_bytes(&untied(&place, REMAINS)).unwrap();
    assert_eq!(page.key(0), Some(key(Kind::Stream, "cart-2").as_slice()));
}

#[test]
fn a_page_and_the_index_of_its_run() {
    let (_, _, finished) = finished();
    let mut builder = RunBuilder::new(Position(1), Position(3));
    let entries: Vec<DirectoryEntry> = finished.entries.filter(|entry| entry.key == b"scart-1").collect();
    assert!(entries.iter().all(|entry| builder.push_entry(entry).is_none()));
    let run = builder.finish();
    let [place, place_of_index] = [RunRecord::Page(0), RunRecord::Index].map(|it| it.key(RunNumber(8)));
    check_tied("the page", &place, run.page.unwrap(), PAGE);
    check_tied("the index", &place_of_index, run.index.to_bytes(), RUN);
    assert_eq!(RunIndex::from_bytes(&untied(&place_of_index, RUN)).unwrap(), run.index);
    let page = Page::from_bytes(&untied(&place, PAGE)).unwrap();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(page.key(index), Some(entry.key.as_slice()));
        assert_eq!(page.summary(index).unwrap().as_ref(), Some(&entry.summary));
    }
}

#[test]
fn the_root() {
    let (_, _, finished) = finished();
    let run = RunInfo {
        number: RunNumber(8),
        level: 0,
        first: Position(1),
        last: Position(3),
        page_count: 1,
        stored_bytes: 90,
    };
    let root = Root {
        layout: 1,
        covered: Position(3),
        commit_time: UnixMillis(1_800_000_000_000),
        units: vec![finished.header.info],
        runs: vec![run],
        stream_count: 2,
        visible_count: 1,
        next_number: 10,
        staged: vec![9],
        unread: Vec::new(),
    };
    check("the root", &root.to_bytes(), ROOT);
    assert_eq!(Root::from_bytes(&bytes_of(ROOT)).unwrap(), root);
}

#[test]
fn a_commit_that_is_split_says_where_it_begins_and_how_large_it_is() {
    // The second of a commit's three entries, which begins at 100.
    let mut commit = sample::commit(vec![sample::plain_event(101, "cart-1", Revision(0).0, "Added")]);
    commit.extensions.insert(0, vec![1, 3]);
    let record = encode_records(&sample::frames(&[commit])).remove(0);
    let part = commit_parts(&decode_block(&record.bytes).unwrap()).unwrap()[0];
    assert_eq!((part.first, part.entry_count), (Position(100), 3));
}

const FILTER: &str = "
45 46 62 01 00 05 59 ac 5a 68 d6 c4 a9 3e 61 12
0a 9a 99
";

const HEADER: &str = "
45 46 75 01 00 1e 07 00 01 02 01 01 02 83 01 11
8a 80 eb d6 d4 66 01 09 0a 06 63 61 72 74 2d 31
00 02 02 49 f2 a5 ca 25 96 88 48 ba
";

const REMAINS: &str = "
45 46 70 01 00 19 00 07 73 63 61 72 74 2d 32 0f
1e 00 02 80 80 eb d6 d4 66 00 00 01 06 02 00 f7
a9 dc 0b 63 d7 10 f6
";

const PAGE: &str = "
45 46 70 01 00 1a 00 07 73 63 61 72 74 2d 31 10
0d 00 01 80 80 eb d6 d4 66 00 00 01 0e 00 00 01
0c 91 1d 17 45 2b 0e a0
";

const RUN: &str = "
45 46 78 01 00 0b 01 02 00 07 73 63 61 72 74 2d
31 41 41 a6 0d 3d 88 cb 5c
";

const ROOT: &str = "
45 46 6f 01 00 28 01 03 80 c0 e2 85 e3 68 02 01
0a 01 09 01 07 00 01 02 01 01 02 83 01 11 8a 80
eb d6 d4 66 01 09 0a 01 08 00 01 02 01 5a c1 38
b1 a3 cf 28 fa c8
";
