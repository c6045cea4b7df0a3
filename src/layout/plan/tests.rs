//! Plans carried out on numbers alone, for logs of many shapes.

use super::*;
use crate::event::{Position, UnixMillis};
use crate::layout::root::RunInfo;
use crate::layout::{RunNumber, UnitNumber};
use crate::testing::prng::Prng;

/// What a log came to.
#[derive(Debug, Default)]
struct World {
    root: Root,
    position: u64,
    written_entries: u64,
    written_run_entries: u64,
}

impl World {
    fn unit(
        &mut self,
        level: u32,
        first: Position,
        last: Position,
        entry_count: u64,
        raw_bytes: u64,
    ) -> UnitInfo {
        self.written_entries += entry_count;
        self.root.next_number += 1;
        UnitInfo {
            number: UnitNumber(self.root.next_number),
            level,
            first,
            last,
            block_count: 1,
            remains_count: 0,
            entry_count,
            stored_bytes: raw_bytes,
            raw_bytes,
            commit_time: UnixMillis(0),
            times: None,
        }
    }

    fn run(&mut self, level: u32, first: Position, last: Position) -> RunInfo {
        self.written_run_entries += last.0 - first.0 + 1;
        self.root.next_number += 1;
        let number = RunNumber(self.root.next_number);
        RunInfo { number, level, first, last, page_count: 1, stored_bytes: 1 }
    }

    fn compact(&mut self, entry_count: u64, raw_bytes: u64) {
        let (first, last) = (Position(self.position + 1), Position(self.position + entry_count));
        self.position = last.0;
        self.root.covered = last;
        let unit = self.unit(0, first, last, entry_count, raw_bytes);
        let run = self.run(0, first, last);
        self.root.units.push(unit);
        self.root.runs.push(run);
    }

    /// Does what is due, but for the tail.
    fn settle(&mut self) {
        self.settle_by(|root| next_step(root, Tail::default(), &Bounds::DEFAULT));
    }

    fn settle_by(&mut self, plan: impl Fn(&Root) -> CompactionStep) {
        loop {
            match plan(&self.root) {
                CompactionStep::Nothing => return,
                CompactionStep::CompactTail => panic!("there is no tail"),
                CompactionStep::MergeUnits { units, level } => {
                    assert!(1 < units.len(), "a merge of {units:?} makes nothing less");
                    let merged = &self.root.units[units.clone()];
                    let (first, last) = (merged[0].first, merged[merged.len() - 1].last);
                    let entry_count = merged.iter().map(|unit| unit.entry_count).sum();
                    let raw_bytes = merged.iter().map(|unit| unit.raw_bytes).sum();
                    assert!(entry_count <= UNIT_ENTRIES_MAX && raw_bytes <= UNIT_RAW_BYTES_MAX);
                    let runs = runs_of(&self.root, merged);
                    let replaced = &self.root.runs[runs.clone()];
                    let known = (replaced[0].first, replaced[replaced.len() - 1].last);
                    let level_of_run = if known == (first, last) { 0 } else { level_above(replaced) };
                    if level_of_run != 0 && 1 < replaced.len() {
                        // Only in one run can a unit take the place of those that it is made of.
                        self.written_run_entries += known.1.0 - known.0.0 + 1;
                    }
                    let unit = self.unit(level, first, last, entry_count, raw_bytes);
                    let run = self.run(level_of_run, known.0, known.1);
                    self.root.units.splice(units, [unit]);
                    self.root.runs.splice(runs, [run]);
                }
                CompactionStep::MergeRuns { runs, level } => {
                    let merged = &self.root.runs[runs.clone()];
                    assert!(1 < merged.len());
                    let run = self.run(level, merged[0].first, merged[merged.len() - 1].last);
                    self.root.runs.splice(runs, [run]);
                }
            }
        }
    }

    /// Units and runs cover everything, without a gap.
    fn check_whole(&self) {
        let mut next = 1;
        for unit in &self.root.units {
            assert_eq!(unit.first.0, next);
            next = unit.last.0 + 1;
        }
        assert_eq!(next, self.position + 1);
        let mut next = 1;
        for run in &self.root.runs {
            assert_eq!(run.first.0, next);
            next = run.last.0 + 1;
        }
        assert_eq!(next, self.position + 1);
    }
}

/// Compacts tails until the log has so many events; then each was written at most so often.
#[track_caller]
fn check(event_count: u64, mut tail: impl FnMut() -> (u64, u64), writes_max: u64, units_max: u64) -> World {
    let mut world = World::default();
    while world.position < event_count {
        let (entry_count, raw_bytes) = tail();
        world.compact(entry_count, raw_bytes);
        world.settle();
        world.check_whole();
    }
    let settled = world.position.div_ceil(UNIT_ENTRIES_MAX / 2);
    let units = world.root.units.len() as u64;
    let writes = world.written_entries as f64 / world.position as f64;
    let run_writes = world.written_run_entries as f64 / world.position as f64;
    println!(
        "{event_count} events: {units} units, {} runs; an event is written {writes:.1} times into units, {run_writes:.1} into runs",
        world.root.runs.len()
    );
    assert!(writes <= writes_max as f64, "{writes}");
    assert!(run_writes <= (writes_max + 4) as f64, "{run_writes}");
    assert!(units <= units_max.max(settled + 3 * UNITS_PER_LEVEL as u64), "{units}");
    assert!(world.root.runs.len() <= 5 * RUNS_PER_LEVEL + 3 * UNITS_PER_LEVEL, "{}", world.root.runs.len());
    world
}

#[test]
fn a_tail_is_compacted_when_any_of_its_numbers_is_reached() {
    let step = |event_count, stored_bytes, record_count| {
        let tail = Tail { event_count, stored_bytes, record_count };
        next_step(&Root::default(), tail, &Bounds::DEFAULT)
    };
    let Tail { event_count, stored_bytes, record_count } = Bounds::DEFAULT.tail;
    assert_eq!(step(event_count - 1, stored_bytes - 1, record_count - 1), CompactionStep::Nothing);
    assert_eq!(step(event_count, 0, 0), CompactionStep::CompactTail);
    assert_eq!(step(0, stored_bytes, 0), CompactionStep::CompactTail);
    assert_eq!(step(0, 0, record_count), CompactionStep::CompactTail);
}

#[test]
fn on_demand_units_are_as_large_as_they_may_be_and_runs_are_few() {
    let mut prng = Prng::new(7);
    for seed in 0..50 {
        println!("seed {seed}");
        let mut world = World::default();
        for _ in 0..prng.between(1..=60) {
            world.compact(prng.between(1..=20_000), prng.between(1..=1 << 20));
        }
        let head = Position(world.position);
        world.settle_by(|root| next_step_on_demand(root, head, &Bounds::DEFAULT));
        world.check_whole();
        check_few_runs(&world.root);
        for pair in world.root.units.windows(2) {
            let is_small = |unit: &UnitInfo| !Bounds::DEFAULT.is_settled(unit);
            let is_large_beside = pair[1].entry_count * LARGE_TIMES < pair[0].entry_count;
            assert!(
                count_within(pair, &Bounds::DEFAULT) < 2 || !pair.iter().any(is_small) || is_large_beside,
                "{pair:?}"
            );
        }
    }
}

/// The newest units that one may be made of have runs of their own, and each is large beside those after it; and each
/// run before theirs is large beside all that come after it.
#[track_caller]
fn check_few_runs(root: &Root) {
    let kept = runs_to_keep(root, &Bounds::DEFAULT);
    let newest_count = root.runs.len() - kept.len();
    let newest = &root.units[root.units.len() - newest_count..];
    assert_eq!(large_count(newest), newest_count, "{newest:?}");
    let mut newer_count = 0;
    for run in kept.iter().rev() {
        let count = run.last.0 - run.first.0 + 1;
        assert!(newer_count * LARGE_TIMES < count, "{kept:?}");
        newer_count += count;
    }
}

#[test]
fn who_asks_again_and_again_has_an_event_written_a_few_times() {
    for (entry_count, writes_max) in [(1_000, 40), (10_000, 14), (UNIT_ENTRIES_MAX, 14)] {
        let mut world = World::default();
        for _ in 0..1_000 {
            world.compact(entry_count, entry_count * 60);
            let head = Position(world.position);
            world.settle_by(|root| next_step_on_demand(root, head, &Bounds::DEFAULT));
            check_few_runs(&world.root);
        }
        world.check_whole();
        assert!(world.root.runs.len() <= 8, "{:?}", world.root.runs);
        let writes = world.written_entries as f64 / world.position as f64;
        let run_writes = world.written_run_entries as f64 / world.position as f64;
        println!(
            "{entry_count} at a time: {} runs, an event is written {writes:.1} times into units, {run_writes:.1} into runs",
            world.root.runs.len()
        );
        assert!(writes <= writes_max as f64, "{writes}");
        assert!(run_writes <= writes_max as f64, "{run_writes}");
    }
}

#[test]
fn an_event_is_written_a_few_times_whatever_the_log_is() {
    check(3_000_000, || (4_096, 4_096 * 60), 3, 0);
    // Appends of one event each, and large payloads.
    check(1_000_000, || (512, 512 * 60), 4, 0);
    check(100_000, || (300, 512 * 1024), 3, 100_000 / 300 / 4);
    // A few events at a time, as a store that is compacted at each start.
    check(50_000, || (3, 200), 5, 0);
}

#[test]
fn logs_of_any_shape_stay_whole_and_within_bounds() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut prng = Prng::new(seed);
        let tail = || match prng.below(10) {
            0 => (prng.between(1..=10_000), prng.between(1..=16 << 20)),
            1..4 => (prng.between(1..=100), prng.between(1..=10_000)),
            _ => (prng.between(400..=4_500), prng.between(10_000..=300_000)),
        };
        check(500_000, tail, 5, 500);
    }
}
