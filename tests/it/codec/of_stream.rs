//! What is read of one stream in a block is what the whole block says of it.

use std::collections::BTreeSet;

use everfold::codec::{DecodedRecord, Entry, Place, UnpackedRecord, encode_arranged};
use everfold::event::Position;
use everfold::testing::prng::Prng;

use super::dissected::Dissected;
use super::hostile::mutate;
use super::sample;

/// A block of random commits: by stream, and in each by position.
fn any_block(prng: &mut Prng) -> (Vec<u8>, Position) {
    let commit_count = prng.between(1..=30) as usize;
    let commits = sample::any_commits(prng, commit_count);
    let frames = sample::frames(&commits);
    let mut places: Vec<(&str, Position, Place)> = Vec::new();
    for (frame, commit) in frames.iter().enumerate() {
        let placed = commit.entries.iter().enumerate();
        places.extend(placed.map(|(entry, it)| (it.stream, it.position, Place { frame, entry })));
    }
    places.sort_by_key(|(stream, position, _)| (*stream, *position));
    let places: Vec<Place> = places.into_iter().map(|(.., place)| place).collect();
    let record = encode_arranged(&frames, &places);
    (record.bytes, record.first)
}

/// Whether all entries of a stream stand side by side, as in a block.
fn is_together(entries: &[Entry<'_>], name: &str) -> bool {
    let runs = entries.chunk_by(|one, next| one.stream == next.stream);
    runs.filter(|run| run[0].stream == name).count() == 1
}

/// Reads each stream alone. Gives how many streams could be compared, if the block can be read as a whole.
#[track_caller]
fn check(bytes: &[u8], key: Position, other: &str) -> Option<usize> {
    let unpacked = UnpackedRecord::open(bytes, key);
    let whole = DecodedRecord::decode(bytes, key);
    let Ok(unpacked) = unpacked else {
        assert!(whole.is_err(), "what cannot be unpacked was decoded");
        return None;
    };
    let of_other = unpacked.of_stream(other).map(|found| found.map_or(0, |found| found.entries().count()));
    let whole = whole.ok()?;
    assert_eq!(of_other, Ok(0), "{other} has nothing here");
    let entries: Vec<Entry<'_>> = whole.entries().collect();
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.stream).collect();
    let together: Vec<&str> = names.into_iter().filter(|name| is_together(&entries, name)).collect();
    for name in &together {
        let found = unpacked.of_stream(name).unwrap().unwrap();
        let of_stream: Vec<Entry<'_>> = entries.iter().filter(|it| it.stream == *name).cloned().collect();
        assert_eq!(found.entries().collect::<Vec<_>>(), of_stream, "{name}");
        assert_eq!(found.len(), of_stream.len());
        assert!(found.memory_bytes() <= whole.memory_bytes() + 64, "{name}");
    }
    Some(together.len())
}

#[test]
fn each_stream_of_a_block_is_read_alone_as_it_is_read_with_all_others() {
    let mut stream_count = 0;
    for seed in 0..2_000 {
        println!("seed {seed}");
        let (bytes, key) = any_block(&mut Prng::new(seed));
        stream_count += check(&bytes, key, "no-such-stream").unwrap();
    }
    assert!(4_000 < stream_count, "{stream_count}");
}

#[test]
fn a_block_that_nobody_wrote_never_surprises_who_reads_a_stream_of_it() {
    let mut accepted_count = 0;
    for seed in 0..6_000 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let (bytes, key) = any_block(&mut prng);
        let mut dissected = Dissected::new(&bytes);
        let mut tables = dissected.body.split_off(dissected.text_bytes as usize);
        mutate(&mut prng, &mut tables);
        dissected.body.extend(tables);
        let bytes = dissected.clone().plain();
        let Ok(unpacked) = UnpackedRecord::open(&bytes, key) else { continue };
        for name in (0..20).map(|number| format!("account-{number}")) {
            if let Ok(Some(found)) = unpacked.of_stream(&name) {
                assert_eq!(found.entries().count(), found.len(), "{name}");
                assert!(found.memory_bytes() <= 1_024 + 64 * bytes.len());
            }
        }
        accepted_count += usize::from(check(&bytes, key, "no-such-stream").is_some());
    }
    // Some mutations must get through, or nothing is compared.
    assert!(300 < accepted_count, "{accepted_count} accepted");
}
