//! Summaries against the rules of the log, on histories by chance.

use super::*;
use crate::codec::Tags;
use crate::id::EventId;
use crate::layout::sealed;
use crate::testing::prng::Prng;

/// What may happen in a stream, with where it stands.
fn history(prng: &mut Prng, length: usize) -> Vec<(Entry<'static>, BlockAddress)> {
    let mut facts = StreamFacts::default();
    let (mut unit, mut block) = (1, 0);
    let mut position = 0;
    let mut entries = Vec::new();
    for _ in 0..length {
        position += prng.between(1..=9);
        if prng.chance(300) {
            block += 1;
        }
        if prng.chance(100) {
            (unit, block) = (unit + 1, 0);
        }
        let next = facts.state.next_revision();
        let body = match prng.below(20) {
            0 => Body::Fact(Fact::Deleted),
            1 => Body::Fact(Fact::Tombstoned),
            2..6 => Body::Fact(Fact::Truncated { before: Revision(prng.below(next.0 + 1)) }),
            _ => {
                Body::Event { revision: next, event_type: "t", data: None, metadata: None, tags: Tags::NONE }
            }
        };
        facts.lay(&body);
        let time = UnixMillis(prng.below(1_000) as i64 - 500);
        let id = EventId::from_bytes([0; EventId::BYTES]);
        let address = BlockAddress { unit: UnitNumber(unit), block: BlockIndex(block) };
        entries.push((Entry { position: Position(position), stream: "s", id, time, body }, address));
    }
    entries
}

fn folded(entries: &[(Entry<'static>, BlockAddress)]) -> StreamSummary {
    let mut summary = StreamSummary::default();
    for (entry, address) in entries {
        summary.lay(entry);
        summary.store(&entry.body, *address);
    }
    summary
}

/// A run or a fact's block that was cut in two stands twice: ranges are cut between units, where none is.
fn joined(mut summary: StreamSummary) -> StreamSummary {
    summary.fact_blocks.dedup();
    let mut runs: Vec<StoredRun> = Vec::new();
    for run in std::mem::take(&mut summary.runs) {
        match runs.last_mut() {
            Some(last) if last.address == run.address && last.end() == run.first_revision => {
                last.count += run.count;
            }
            _ => runs.push(run),
        }
    }
    StreamSummary { runs, ..summary }
}

#[test]
fn any_split_of_a_history_folds_to_the_whole_of_it() {
    for seed in 0..500 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let length = prng.index(if seed % 10 == 0 { 600 } else { 40 });
        let entries = history(&mut prng, length);
        let whole = folded(&entries);
        let first_cut = prng.index(entries.len() + 1);
        let second_cut = first_cut + prng.index(entries.len() - first_cut + 1);
        let parts = [&entries[..first_cut], &entries[first_cut..second_cut], &entries[second_cut..]];
        let [a, b, c] = parts.map(folded);
        let left = a.clone().then(b.clone()).then(c.clone());
        assert_eq!(left, a.then(b.then(c)));
        assert_eq!(joined(left), whole);
    }
}

#[test]
fn a_whole_history_says_what_the_rules_of_the_log_say() {
    for seed in 0..300 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let length = prng.index(60);
        let entries = history(&mut prng, length);
        let summary = folded(&entries);
        let mut facts = StreamFacts::default();
        for (entry, _) in &entries {
            facts.lay(&entry.body);
            assert_eq!(summary.visible_from(entry.position), facts.visible_from, "as of {}", entry.position);
        }
        assert_eq!(summary.to_facts(), facts);
        let mut bytes = Vec::new();
        summary.write(&mut bytes);
        assert_eq!(StreamSummary::read(&mut sealed::body(&bytes)).unwrap(), summary);
    }
}

#[test]
fn of_a_stream_that_was_hidden_often_no_moment_shows_too_much_and_only_joined_ones_too_little() {
    let mut untold_count = 0;
    for seed in 0..300 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let length = prng.index(900);
        let entries = history(&mut prng, length);
        // What units hold ends at or after the beginning of what is known besides.
        let start = prng.index(entries.len() + 1);
        let end = start + prng.index(entries.len() - start + 1);
        let covered = entries[..end].last().map_or(Position::START, |(entry, _)| entry.position);
        let mut newer = folded(&entries[start..]).without_places();
        newer.leave_out_hidings_up_to(covered);
        let summary = folded(&entries[..end]).without_places().then(newer);
        assert!(summary.hidings.is_sorted_by_key(|hiding| hiding.position));
        assert!(summary.hidings.iter().filter(|hiding| hiding.is_known()).count() <= HIDINGS_MAX);
        let mut facts = StreamFacts::default();
        for (entry, _) in &entries {
            facts.lay(&entry.body);
            let found = summary.visible_from(entry.position);
            if summary.tells_hidings_apart(entry.position) {
                assert_eq!(found, facts.visible_from, "as of {}", entry.position);
            } else {
                assert!(facts.visible_from <= found, "as of {}", entry.position);
                untold_count += 1;
            }
        }
        assert_eq!(summary.to_facts(), facts);
    }
    assert!(0 < untold_count, "nothing was joined");
}

#[test]
fn any_bytes_give_a_summary_or_an_error() {
    let mut prng = Prng::new(3);
    for _ in 0..20_000 {
        let length = prng.index(40);
        let bytes = prng.bytes(length);
        if let Ok(summary) = StreamSummary::read(&mut sealed::body(&bytes)) {
            let mut again = Vec::new();
            summary.clone().then(summary.clone()).write(&mut again);
            summary.to_facts();
        }
    }
}
