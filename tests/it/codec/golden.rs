//! Records to the byte, as FORMAT.md shows them: what changes the codec changes these.

use everfold::codec::{DecodedRecord, Extensions, Place, encode_arranged};
use everfold::event::{Fact, Position, Revision, Tag, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::storage::{Format, Head};

use super::dissected::Dissected;
use super::sample::{self, Commit, Content, Recorded};

const FORMAT_MD: &str = include_str!("../../../FORMAT.md");
const NOON: UnixMillis = UnixMillis(1_763_712_000_000);

/// Encodes the commits entry by entry in the order of `places`, and compares with the hexadecimal dump, which
/// must also stand in FORMAT.md; then reads the dump.
#[track_caller]
fn check(commits: &[Commit], places: &[(usize, usize)], dump: &str) {
    let frames = sample::frames(commits);
    let places: Vec<Place> = places.iter().map(|&(frame, entry)| Place { frame, entry }).collect();
    let record = encode_arranged(&frames, &places);
    let golden = bytes_of(dump);
    // LZ4 leaves its encoder free: a packed body is compared unpacked.
    assert_eq!(Dissected::new(&record.bytes), Dissected::new(&golden), "now:\n{}", dump_of(&record.bytes));
    let decoded = DecodedRecord::decode(&golden, record.first).unwrap();
    assert_eq!(decoded.frames(), frames);
    assert!(
        decoded
            .entries()
            .map(|entry| entry.position)
            .eq(places.iter().map(|place| frames[place.frame].entries[place.entry].position))
    );
    check_documented(dump);
}

/// The dump must stand in FORMAT.md.
#[track_caller]
pub fn check_documented(dump: &str) {
    let lines: Vec<&str> = dump.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(FORMAT_MD.contains(&lines.join("\n")), "not in FORMAT.md:\n{}", lines.join("\n"));
}

pub fn bytes_of(dump: &str) -> Vec<u8> {
    dump.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

pub fn dump_of(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

fn item_added(position: u64, stream: &str, revision: u64, id: EventId) -> Recorded {
    let content = Content::Event {
        revision,
        event_type: "ItemAdded".to_owned(),
        data: Some("{\"sku\":\"A1\"}".to_owned()),
        metadata: None,
        tags: Vec::new(),
    };
    Recorded { position, stream: stream.to_owned(), id, time: NOON, content }
}

fn raw_id() -> EventId {
    EventId::parse("00112233-4455-4677-8899-aabbccddeeff").unwrap()
}

#[test]
fn one_event() {
    let commit = sample::commit(vec![item_added(1, "cart-1", 0, raw_id())]);
    check(&[commit], &[(0, 0)], ONE_EVENT);
}

#[test]
fn two_commits_with_everything() {
    let mut generator = IdGenerator::new([0xa5; EventId::PREFIX_BYTES]);
    let mut paid = item_added(100, "order-7", 3, generator.next_id());
    paid.time = UnixMillis(NOON.0 - 500);
    paid.content = Content::Event {
        revision: 3,
        event_type: "Paid".to_owned(),
        data: None,
        metadata: Some("{\"by\":\"card\"}".to_owned()),
        tags: vec![Tag::new("eur").unwrap()],
    };
    let added = item_added(101, "cart-1", 0, raw_id());
    let fact = |position, fact, id| Recorded {
        position,
        stream: "cart-1".to_owned(),
        id,
        time: UnixMillis(NOON.0 + 7),
        content: Content::Fact(fact),
    };
    let truncated = fact(103, Fact::Truncated { before: Revision(1) }, generator.next_id());
    let tombstoned = fact(104, Fact::Tombstoned, generator.next_id());
    let extensions = Extensions::from([(1, b"cmd".to_vec())]);
    let first = Commit { time: NOON, extensions, entries: vec![paid, added] };
    let second = sample::commit(vec![truncated, tombstoned]);
    check(&[first, second], &[(0, 0), (0, 1), (1, 0), (1, 1)], TWO_COMMITS);
}

#[test]
fn entries_by_stream() {
    let event = |position, stream, revision| {
        let mut id = [0; EventId::BYTES];
        id[15] = position as u8;
        item_added(position, stream, revision, EventId::from_bytes(id))
    };
    let commits = [
        sample::commit(vec![event(1, "a", 0), event(2, "b", 0)]),
        sample::commit(vec![event(3, "a", 1), event(4, "b", 1)]),
    ];
    check(&commits, &[(0, 0), (1, 0), (0, 1), (1, 1)], BY_STREAM);
}

#[test]
fn the_head_and_the_format() {
    #[track_caller]
    fn check(bytes: Vec<u8>, dump: &str) {
        assert_eq!(dump_of(&bytes), dump_of(&bytes_of(dump)));
        check_documented(dump);
    }
    let head = Head { position: Position(1_000), layout: 2, appended_bytes: 36_000, ..Head::default() };
    check(head.to_bytes(), HEAD);
    check(Format::current().to_bytes(), FORMAT);
}

const ONE_EVENT: &str = "
45 46 72 01 00 01 00 01 01 3d 1b 63 61 72 74 2d
31 49 74 65 6d 41 64 64 65 64 7b 22 73 6b 75 22
3a 22 41 31 22 7d 01 01 00 06 09 80 80 eb d6 d4
66 02 20 00 00 0c 00 02 00 11 22 33 44 55 46 77
88 99 aa bb cc dd ee ff bd 34 62 fc c1 78 3d ba
";

const TWO_COMMITS: &str = "
45 46 72 01 00 64 04 04 02 85 01 36 6f 72 64 65
72 2d 37 63 61 72 74 2d 31 50 61 69 64 49 74 65
6d 41 64 64 65 64 65 75 72 7b 22 62 79 22 3a 22
63 61 72 64 22 7d 7b 22 73 6b 75 22 3a 22 41 31
22 7d 02 02 01 07 06 04 09 03 80 80 eb d6 d4 66
0e 05 04 01 01 03 63 6d 64 d8 20 23 11 00 01 01
01 00 01 02 e7 07 06 01 01 00 0c 0d 01 a5 a5 a5
a5 a5 a5 85 a5 a5 a5 a5 a5 03 00 00 02 00 11 22
33 44 55 46 77 88 99 aa bb cc dd ee ff 05 00 00
00 96 3b ec 80 7b 47 ec 44
";

const BY_STREAM: &str = "
45 46 72 01 01 01 03 04 02 a1 01 3b ff 08 61 62
49 74 65 6d 41 64 64 65 64 7b 22 73 6b 75 22 3a
22 41 31 22 7d 0c 00 11 f0 17 02 01 00 01 01 09
80 80 eb d6 d4 66 00 04 04 20 26 26 22 00 00 01
01 00 00 00 00 02 03 02 02 01 0c 0c 0c 0c 00 08
0f 00 07 02 00 01 1f 00 07 02 00 17 03 0c 00 00
02 00 10 02 05 00 02 02 00 60 00 00 00 00 00 04
2f 1e 69 fc 3c 69 5e a6
";

const HEAD: &str = "
45 46 68 01 e8 03 00 00 00 00 00 00 02 00 00 00
00 00 00 00 a0 8c 00 00 00 00 00 00 64 d4 6b 1a
dc 4c 1a 68
";

const FORMAT: &str = "
01 00 00 00 01 00 00 00 3c a6 b5 1a 1b c4 8e 28
";
