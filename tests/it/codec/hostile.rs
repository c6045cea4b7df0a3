//! Bytes that nobody wrote give `Corrupt`, or entries that could have been written.

use everfold::codec::{DecodedRecord, Frame, encode_records};
use everfold::event::Position;
use everfold::limits;
use everfold::storage::LogRecord;
use everfold::testing::prng::Prng;

use super::dissected::{self, Dissected};
use super::sample;

/// Records of several kinds: tiny, mixed, packed.
fn samples() -> Vec<LogRecord> {
    let mut prng = Prng::new(5);
    let single = sample::commit(vec![sample::plain_event(9, "account-1", 0, "Opened")]);
    let several = sample::any_commits(&mut prng, 6);
    let packed: Vec<_> =
        (1..60).map(|n| sample::commit(vec![sample::plain_event(n, "account-1", n, "Deposited")])).collect();
    [vec![single], several, packed]
        .iter()
        .flat_map(|commits| encode_records(&sample::frames(commits)))
        .collect()
}

#[test]
fn every_flipped_bit_is_found() {
    for record in samples() {
        for bit in 0..record.bytes.len() * 8 {
            let mut bytes = record.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(DecodedRecord::decode(&bytes, record.first).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn every_truncation_and_every_addition_is_found() {
    for record in samples() {
        for length in 0..record.bytes.len() {
            assert!(DecodedRecord::decode(&record.bytes[..length], record.first).is_err(), "{length} bytes");
        }
        for byte in 0..=255 {
            let bytes = [record.bytes.as_slice(), &[byte]].concat();
            assert!(DecodedRecord::decode(&bytes, record.first).is_err(), "{byte} added");
        }
    }
}

#[test]
fn a_record_under_a_wrong_key_is_corrupt() {
    for record in samples() {
        for key in [0, record.first.0 - 1, record.first.0 + 1, u64::MAX] {
            let corrupt = DecodedRecord::decode(&record.bytes, Position(key)).unwrap_err();
            assert_eq!(corrupt.problem, "the first position is not the key of the record");
        }
    }
}

/// Decodes bytes whose checksum matches. What comes out, if anything does, can be encoded, is the same
/// afterwards, and takes no more memory than its body justifies.
#[track_caller]
fn check_total(dissected: &Dissected, bytes: &[u8]) -> bool {
    const BYTES_PER_BODY_BYTE_MAX: usize = 64;
    let Ok(decoded) = dissected::decode(dissected, bytes) else { return false };
    let body_bytes = dissected.body_bytes.max(dissected.body.len() as u64) as usize;
    assert!(decoded.memory_bytes() <= 1_024 + BYTES_PER_BODY_BYTE_MAX * body_bytes);
    assert_eq!(decoded.entries().count(), decoded.len());
    let frames = decoded.frames();
    assert_eq!(frames.iter().map(|frame| frame.entries.len()).sum::<usize>(), decoded.len());
    let records = encode_records(&frames);
    let again: Vec<_> =
        records.iter().map(|record| DecodedRecord::decode(&record.bytes, record.first).unwrap()).collect();
    assert_eq!(again.iter().flat_map(DecodedRecord::frames).collect::<Vec<Frame<'_>>>(), frames);
    true
}

pub fn mutate(prng: &mut Prng, body: &mut Vec<u8>) {
    for _ in 0..prng.between(1..=3) {
        let index = prng.index(body.len());
        match prng.below(5) {
            0 => body[index] = prng.next_u64() as u8,
            1 => body[index] ^= 1 << prng.below(8),
            2 => body[index] = *prng.pick(&[0, 1, 2, 0x7f, 0x80, 0xff]),
            3 => body.insert(index, prng.next_u64() as u8),
            _ if 1 < body.len() => {
                body.remove(index);
            }
            _ => {}
        }
    }
}

#[test]
fn mutated_bodies_with_a_matching_checksum_never_surprise() {
    let mut accepted_count = 0;
    for seed in 0..20_000 {
        let mut prng = Prng::new(seed);
        let commit_count = prng.between(1..=4) as usize;
        let commits = sample::any_commits(&mut prng, commit_count);
        let record = encode_records(&sample::frames(&commits)).remove(0);
        let mut dissected = Dissected::new(&record.bytes);
        let tables_start = dissected.text_bytes as usize;
        if prng.chance(100) {
            mutate(&mut prng, &mut dissected.body);
        } else {
            let mut tables = dissected.body.split_off(tables_start);
            mutate(&mut prng, &mut tables);
            dissected.body.extend(tables);
        }
        let bytes = dissected.clone().plain();
        let outcome = std::panic::catch_unwind(|| check_total(&dissected, &bytes));
        accepted_count += usize::from(outcome.unwrap_or_else(|_| panic!("seed {seed}")));
    }
    // Some mutations must get through, or the parser behind the checks is not reached.
    assert!(1_000 < accepted_count, "{accepted_count} accepted");
}

#[test]
fn mutated_headers_and_lz4_blocks_with_a_matching_checksum_never_surprise() {
    let samples = samples();
    for seed in 0..20_000 {
        let mut prng = Prng::new(seed);
        let record = prng.pick(&samples);
        let mut bytes = record.bytes[3..record.bytes.len() - 8].to_vec();
        mutate(&mut prng, &mut bytes);
        let mut record = b"EFr".to_vec();
        record.extend(bytes);
        let checksum = xxhash_rust::xxh64::xxh64(&record, 0);
        record.extend(checksum.to_le_bytes());
        for key in samples.iter().map(|record| record.first) {
            if let Ok(decoded) = DecodedRecord::decode(&record, key) {
                assert_eq!(decoded.entries().count(), decoded.len(), "seed {seed}");
            }
        }
    }
}

#[test]
fn random_bytes_are_corrupt() {
    for seed in 0..20_000 {
        let mut prng = Prng::new(seed);
        let length = prng.index(200);
        let bytes = prng.bytes(length);
        assert!(DecodedRecord::decode(&bytes, Position(1)).is_err(), "seed {seed}");
        let dissected = Dissected { body: bytes, ..one_event() };
        check_total(&dissected, &dissected.clone().plain());
    }
}

/// The smallest record: one event of the type `t` in the stream `s`, at the position 1.
fn one_event() -> Dissected {
    let mut body = b"st".to_vec();
    body.extend([1, 1, 0, 1, 1]);
    body.extend([0, 2]);
    body.extend([0, 0, 0]);
    body.extend([0, 2]);
    body.extend([0xee; 16]);
    Dissected {
        magic: *b"EFr",
        version: 1,
        flags: 0,
        first: 1,
        last_offset: 0,
        entry_count: 1,
        commit_count: 1,
        body_bytes: body.len() as u64,
        text_bytes: 2,
        body,
    }
}

/// Where the tables of [`one_event`] begin in its body.
const NAME_COUNTS: usize = 2;
const NAME_LENGTHS: usize = 5;
const COMMIT_TIME: usize = 7;
const COMMIT_HEAD: usize = 8;
const FLAGS: usize = 9;
const STREAM: usize = 10;
const TYPE: usize = 11;
const PREFIX_COUNT: usize = 12;
const RUN: usize = 13;

/// Breaks the header of the smallest record, and expects that this is noticed.
#[track_caller]
fn check_header(problem: &str, change: impl FnOnce(&mut Dissected)) {
    let mut dissected = one_event();
    change(&mut dissected);
    assert_eq!(dissected::decode(&dissected, &dissected.seal()).unwrap_err().problem, problem);
}

/// Replaces a byte of the smallest record's body, and expects that this is noticed.
#[track_caller]
fn check_body(problem: &str, place: usize, bytes: &[u8]) {
    let mut dissected = one_event();
    dissected.body.splice(place..=place, bytes.iter().copied());
    let sealed = dissected.clone().plain();
    assert_eq!(dissected::decode(&dissected, &sealed).unwrap_err().problem, problem);
}

#[test]
fn the_smallest_record_is_whole() {
    let dissected = one_event();
    assert!(check_total(&dissected, &dissected.seal()));
}

#[test]
fn headers_that_cannot_be_are_refused() {
    check_header("this is not a record of the log", |record| record.magic = *b"EFh");
    check_header("the version of the format is not known", |record| record.version = 0);
    check_header("the version of the format is not known", |record| record.version = 2);
    check_header("a flag is not known", |record| record.flags = 2);
    check_header("the first position is not the key of the record", |record| record.first = 0);
    check_header("a position or a revision is too large", |record| record.first = limits::INTEGER_MAX + 1);
    check_header("the last position is too large", |record| record.last_offset = limits::INTEGER_MAX);
    check_header("the record is empty", |record| (record.entry_count, record.commit_count) = (0, 0));
    check_header("the record is empty", |record| record.commit_count = 0);
    check_header("there are more commits than entries", |record| record.commit_count = 2);
    check_header("there are too many entries", |record| record.entry_count = 65_537);
    check_header("the body is too large", |record| record.body_bytes = u64::MAX);
    check_header("the text is longer than the body", |record| record.text_bytes = record.body_bytes + 1);
    check_header("no entry has the first or the last position", |record| record.last_offset = 1);
}

#[test]
fn lengths_that_the_bytes_do_not_justify_are_refused_before_memory_is_reserved() {
    let cannot = "the body cannot have the length that is said";
    check_header(cannot, |record| record.body_bytes += 1);
    check_header(cannot, |record| {
        record.flags = 1;
        record.body_bytes = record.body.len() as u64 * 255 + 1;
    });
    check_header("the LZ4 block is not whole", |record| {
        record.flags = 1;
        record.body_bytes = record.body.len() as u64 * 255;
    });
    check_header("there are entries without a commit", |record| record.entry_count = 65_536);
    check_header("the bytes end early", |record| {
        record.entry_count = 65_536;
        record.body.splice(COMMIT_HEAD..=COMMIT_HEAD, [0x80, 0x80, 0x08]);
        record.body_bytes += 2;
    });
    let too_many = "a count is larger than the limit or than the bytes that are left";
    check_body(too_many, NAME_COUNTS, &[0xff, 0x7f]);
    check_body(too_many, NAME_COUNTS + 2, &[0xff, 0xff, 0xff, 0xff, 0x0f]);
    check_body(too_many, PREFIX_COUNT, &[2]);
    check_body("there are more names than bytes", NAME_COUNTS, &[28]);
    check_body("a run of ids is empty, or longer than there are entries", RUN, &[0xfe, 0xff, 0xff, 0x7f]);
}

#[test]
fn numbers_have_one_spelling() {
    check_body("a number is longer than it need be", STREAM, &[0x80, 0]);
    check_body("a number is too large", COMMIT_TIME, &[0xff; 10]);
    check_body(
        "a number is too large",
        COMMIT_TIME,
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
    );
    for flag in [1 << 1, 1 << 2, 1 << 3, 1 << 4] {
        check_header("a difference of 0 is written out", |record| {
            record.body[FLAGS] = flag;
            record.body.insert(PREFIX_COUNT, 0);
            record.body_bytes += 1;
        });
    }
}

#[test]
fn names_that_could_not_be_given_are_refused() {
    check_body("a name is empty", NAME_LENGTHS, &[0]);
    check_body("a name is too long", NAME_LENGTHS, &[0x81, 2]);
    check_body("a length reaches beyond the text, or into a character", NAME_LENGTHS, &[3]);
    check_body("the type of an event begins with \"$\"", 1, b"$");
    check_body("the text is not UTF-8", 0, &[0xff]);
    check_header("a length reaches beyond the text, or into a character", |record| {
        record.body.splice(0..2, "é".bytes());
    });
}

#[test]
fn tables_that_do_not_agree_are_refused() {
    check_body("an index is beyond its table", STREAM, &[1]);
    check_body("an index is beyond its table", TYPE, &[1]);
    check_body("a commit is empty, or has more entries than there are", COMMIT_HEAD, &[0]);
    check_body("a commit is empty, or has more entries than there are", COMMIT_HEAD, &[4]);
    check_body("an extended commit has no extension", COMMIT_HEAD, &[3]);
    check_body("a kind of fact is not known", FLAGS, &[0x31]);
    check_body("a tagged event has no tag", FLAGS, &[0x80]);
    check_body("a run of ids is empty, or longer than there are entries", RUN, &[0]);
    check_body("an index is beyond its table", RUN, &[3, 0]);
    check_body("there are bytes after the end", RUN, &[2, 0]);
    check_header("there is text that belongs to nothing", |record| {
        record.body.insert(2, b'x');
        (record.text_bytes, record.body_bytes) = (3, record.body_bytes + 1);
    });
    check_body("a time is too far away", COMMIT_TIME, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
}

/// Inserts bytes into the smallest record's body, and expects that this is noticed.
#[track_caller]
fn check_inserted(problem: &str, replaced: (usize, u8), place: usize, bytes: &[u8]) {
    let mut dissected = one_event();
    dissected.body[replaced.0] = replaced.1;
    dissected.body.splice(place..place, bytes.iter().copied());
    let sealed = dissected.clone().plain();
    assert_eq!(dissected::decode(&dissected, &sealed).unwrap_err().problem, problem);
}

#[test]
fn extensions_beyond_the_limits_or_out_of_order_are_refused() {
    let extended = (COMMIT_HEAD, 3);
    let too_many = "a count is larger than the limit or than the bytes that are left";
    let pairs: Vec<u8> = (0..17).flat_map(|number| [number, 0]).collect();
    check_inserted(too_many, extended, FLAGS, &[&[17], pairs.as_slice()].concat());
    check_inserted(too_many, extended, FLAGS, &[&[1, 0, 0x81, 0x80, 4], vec![0; 65_537].as_slice()].concat());
    let unordered = "extensions are not in the order of their numbers";
    check_inserted(unordered, extended, FLAGS, &[2, 5, 0, 5, 0]);
    check_inserted(unordered, extended, FLAGS, &[2, 5, 0, 4, 0]);
}

#[test]
fn events_beyond_the_limits_are_refused() {
    let tags = [&[33], vec![0; 33].as_slice()].concat();
    let too_many = "a count is larger than the limit or than the bytes that are left";
    check_inserted(too_many, (FLAGS, 0x80), PREFIX_COUNT, &tags);
    let one_mebibyte_and_one = [0x81, 0x80, 0x40];
    check_inserted("a payload is too large", (FLAGS, 0x20), PREFIX_COUNT, &one_mebibyte_and_one);
    check_inserted("a payload is too large", (FLAGS, 0x40), PREFIX_COUNT, &one_mebibyte_and_one);
}

#[test]
fn a_position_that_occurs_twice_is_refused() {
    // Three entries, of which the later two differ from the expected positions, 2 and 4, by +1 and -1.
    let mut record = one_event();
    record.body.truncate(COMMIT_HEAD);
    record.body.extend([6, 0, 2, 2]);
    record.body.extend([0; 6]);
    record.body.extend([2, 1]);
    record.body.extend([0, 6]);
    record.body.extend([0; 48]);
    (record.entry_count, record.last_offset) = (3, 2);
    let sealed = record.clone().plain();
    let corrupt = dissected::decode(&record, &sealed).unwrap_err();
    assert_eq!(corrupt.problem, "two entries have the same position");
}
