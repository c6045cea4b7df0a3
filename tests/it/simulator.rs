//! The store keeps its promises in thousands of random lives of a browser.
//!
//! `EVERFOLD_SEED=7` runs one seed and prints what happened; `EVERFOLD_SEEDS=100000` runs so many of each kind. `npm test` runs 2,000
//! of each, optimised; where nothing is said, as with `cargo test`, there are fewer.
//! A life under strain is named in the test that fails.

use everfold::testing::store_simulator::{Strain, Summary, simulate, simulate_under};

/// How many seeds are run where nothing else is said.
const SEEDS: u64 = 1_000;
/// How many are run under strain.
const STRAINED_SEEDS: u64 = 300;
/// How many are run in which tabs subscribe and freeze.
const HEARING_SEEDS: u64 = 500;
/// How many are run in which tabs consume, die and freeze.
const CONSUMING_SEEDS: u64 = 300;
/// How many are run in which tabs project, die and freeze.
const PROJECTING_SEEDS: u64 = 300;
/// In how many threads; each simulation is one thread's.
const THREADS: u64 = 2;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

#[test]
fn the_store_keeps_its_promises() {
    check(Strain::NONE, SEEDS);
}

#[test]
fn it_keeps_them_while_all_is_compacted_and_tabs_die_in_it_and_what_is_derived_decays() {
    check(Strain::HEAVY, STRAINED_SEEDS);
}

#[test]
fn every_subscriber_sees_exactly_the_log_from_its_start_in_order_once() {
    check(Strain::HEARING, HEARING_SEEDS);
}

#[test]
fn every_consumer_handles_each_event_at_least_once_in_order_and_is_never_said_to_be_further() {
    check(Strain::CONSUMING, CONSUMING_SEEDS);
}

#[test]
fn documents_are_at_every_checkpoint_what_a_naive_fold_makes_and_every_answer_is_of_one_checkpoint() {
    check(Strain::PROJECTING, PROJECTING_SEEDS);
}

#[track_caller]
fn check(strain: Strain, seeds: u64) {
    if let Some(seed) = number_from("EVERFOLD_SEED") {
        let report = simulate_under(strain, seed, |storage| storage).unwrap();
        println!("{}\n{:?}", report.trace.join("\n"), report.summary);
        return;
    }
    let seeds = number_from("EVERFOLD_SEEDS").unwrap_or(seeds);
    let mut all = Summary::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|first| scope.spawn(move || live(strain, first, seeds))).collect();
        for thread in threads {
            all.add(&thread.join().expect("every seed goes well"));
        }
    });
    println!("{all:?}");
    assert!(all.has_everything(strain), "something never happened: {all:?}");
}

/// Runs the seeds of one thread.
fn live(strain: Strain, first: u64, seeds: u64) -> Summary {
    let mut all = Summary::default();
    for seed in (first..seeds).step_by(THREADS as usize) {
        match simulate_under(strain, seed, |storage| storage) {
            Ok(report) => all.add(&report.summary),
            Err(failure) => panic!("{failure:?}\nto see it again: EVERFOLD_SEED={seed}"),
        }
    }
    all
}

#[test]
fn a_strain_that_strikes_nothing_is_noticed() {
    let usual = Summary {
        accepted: 1,
        duplicates: 1,
        refused_expectations: 1,
        refused_conditions: 1,
        refused_ids: 1,
        refused_tombstones: 1,
        not_written: 1,
        unknown: 1,
        landed_unanswered: 1,
        marked: 1,
        reads: 1,
        crashes: 1,
        compactions: 1,
        layouts: 1,
        chains: 1,
        erased: 1,
        ..Summary::default()
    };
    let hearing = Summary { told: 1, pages_told: 1, frozen: 1, ..usual };
    let strained = Summary { decayed_roots: 1, decayed: 1, cut_off: 1, frozen: 0, ..hearing };
    let projecting = Summary {
        cut_off: 1,
        frozen: 1,
        checkpoints: 1,
        documents_asked: 1,
        builds_anew: 1,
        turns_lost: 1,
        ..usual
    };
    for (summary, strain, has_everything) in [
        (usual, Strain::NONE, true),
        (usual, Strain::HEAVY, false),
        (strained, Strain::HEAVY, true),
        (strained, Strain::NONE, false),
        (Summary { cut_off: 0, ..strained }, Strain::HEAVY, false),
        (Summary { reads: 0, ..strained }, Strain::HEAVY, false),
        (usual, Strain::HEARING, false),
        (hearing, Strain::HEARING, true),
        (Summary { told: 0, ..hearing }, Strain::HEARING, false),
        (projecting, Strain::PROJECTING, true),
        (Summary { turns_lost: 0, ..projecting }, Strain::PROJECTING, false),
    ] {
        assert_eq!(summary.has_everything(strain), has_everything, "{summary:?}, {strain:?}");
    }
}

#[test]
fn a_seed_is_one_life_and_no_other() {
    for seed in 0..20 {
        let (one, other) = (simulate(seed, |storage| storage), simulate(seed, |storage| storage));
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn what_was_read_before_a_compaction_takes_no_tab_back_to_the_layout_before_it() {
    simulate(1_411, |storage| storage).unwrap();
}

#[test]
fn a_description_is_of_one_state_although_others_append_meanwhile() {
    simulate(887, |storage| storage).unwrap();
}
