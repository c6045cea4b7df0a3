//! Groups of commits become few records, none of them too large.

use everfold::codec::{DecodedRecord, encode_records};
use everfold::event::Position;
use everfold::limits;
use everfold::testing::prng::Prng;

use super::sample::{self, Commit, Content, Recorded};

fn event_with_data(position: u64, data: String) -> Recorded {
    let mut event =
        sample::plain_event(position, &format!("account-{}", position % 100), position / 100, "Noted");
    let content = &mut event.content;
    if let Content::Event { data: place, .. } = content {
        *place = Some(data);
    }
    event
}

/// Text that LZ4 makes about `permille` thousandths of.
fn text(prng: &mut Prng, length: usize, permille: u64) -> String {
    (0..length)
        .map(|_| if prng.chance(permille) { char::from(prng.between(35..=91) as u8) } else { 'a' })
        .collect()
}

/// Packs commits of these data lengths, and expects no more records than that.
#[track_caller]
fn check(record_count_max: usize, permille: u64, lengths: &[usize]) {
    let mut prng = Prng::new(3);
    let commits: Vec<Commit> = lengths
        .iter()
        .zip(1..)
        .map(|(length, position)| {
            let data = text(&mut prng, *length, permille);
            sample::commit(vec![event_with_data(position, data)])
        })
        .collect();
    let frames = sample::frames(&commits);
    let records = encode_records(&frames);
    assert_eq!(records, encode_records(&frames), "packing must not depend on anything but the commits");
    assert!(records.len() <= record_count_max, "{} records of {:?}", records.len(), sizes(&records));
    let mut next = Position(1);
    for record in &records {
        let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
        assert_eq!(decoded.first(), next);
        next = decoded.last().next();
        let is_single = decoded.frames().len() == 1;
        assert!(is_single || record.bytes.len() <= limits::RECORD_BYTES_TARGET, "{:?}", sizes(&records));
    }
    assert_eq!(next.0 as usize, lengths.len() + 1);
}

fn sizes(records: &[everfold::storage::LogRecord]) -> Vec<usize> {
    records.iter().map(|record| record.bytes.len()).collect()
}

#[test]
fn no_commits_are_no_records() {
    assert_eq!(encode_records(&[]), []);
    assert_eq!(encode_records(&sample::frames(&[sample::commit(vec![])])), []);
}

#[test]
fn what_fits_is_one_record() {
    check(1, 1_000, &[10]);
    check(1, 1_000, &[500; 100]);
    check(1, 0, &[5_000; 100]);
}

#[test]
fn records_are_nearly_full() {
    // 100 bytes of chance and an id of 16 an event: at most a tenth of the room is lost.
    check(20, 1_000, &[100; 10_000]);
    check(3, 0, &[100; 10_000]);
}

#[test]
fn commits_that_pack_differently_are_cut_right() {
    let lengths: Vec<usize> = (0..2_000).map(|index| if index < 1_000 { 2_000 } else { 20 }).collect();
    check(38, 1_000, &lengths);
    let reversed: Vec<usize> = lengths.into_iter().rev().collect();
    check(38, 1_000, &reversed);
}

#[test]
fn a_large_commit_is_a_record_of_its_own() {
    check(1, 1_000, &[500_000]);
    check(3, 1_000, &[100, 500_000, 100]);
}

#[test]
fn a_body_that_packs_well_is_bounded_all_the_same() {
    let mut prng = Prng::new(1);
    let commits: Vec<Commit> = (1..=40)
        .map(|position| sample::commit(vec![event_with_data(position, text(&mut prng, 100_000, 0))]))
        .collect();
    for record in encode_records(&sample::frames(&commits)) {
        let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
        assert!(decoded.memory_bytes() <= 2 * limits::RECORD_BODY_BYTES_TARGET);
    }
}

#[test]
fn facts_alone_are_cut_before_they_are_too_many() {
    let fact = |position| {
        let mut entry = sample::plain_event(position, "s", 0, "t");
        entry.content = Content::Fact(everfold::event::Fact::Deleted);
        entry.id = everfold::id::EventId::from_bytes([0; 16]);
        entry
    };
    let commits: Vec<Commit> = (0..14)
        .map(|commit| sample::commit((commit * 10_000 + 1..=(commit + 1) * 10_000).map(fact).collect()))
        .collect();
    for record in encode_records(&sample::frames(&commits)) {
        let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
        assert!(decoded.len() <= limits::RECORD_ENTRIES_MAX);
    }
}
