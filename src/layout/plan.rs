//! What is to be compacted next. Pure: the root and the tail in, one step out.
//!
//! ```text
//! tail  ->  unit of level 0  ->  16 of a level become one of the next  ->  a settled unit of up to 163,840 events
//! ```
//!
//! Each unit brings a run of the directory, and a merged unit's run replaces those of its parts. Runs of settled units
//! are merged by eights of one level. So an event is written a number of times that does not grow with the log, and
//! its entries in the directory once a level.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use crate::event::Position;

use super::root::{Root, RunInfo};
use super::unit::UnitInfo;

/// Most events and facts of a unit that is merged of others. The events of a stream that is spread over the log stand in as
/// many blocks as there are units, so there should be few; and who reads the log in its order holds all of a unit, so
/// that its entries have to fit into the memory that a page can spare.
pub const UNIT_ENTRIES_MAX: u64 = 163_840;
/// Most names, payloads and tags of a unit that is merged of others, in bytes.
pub const UNIT_RAW_BYTES_MAX: u64 = 12 * 1024 * 1024;
/// So many units of one level are merged, however small they are.
pub const UNITS_PER_LEVEL: usize = 16;
/// So many runs of one level are merged.
pub const RUNS_PER_LEVEL: usize = 8;
/// On demand, a run that covers more than so many times the positions of all newer ones together is left as it is, and so
/// is a unit with more than so many times their entries.
pub const LARGE_TIMES: u64 = 4;

/// When something is compacted, and how much of it at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// A tail that reaches any of these numbers is compacted.
    pub tail: Tail,
    /// Most events and facts of a unit that is merged of others.
    pub unit_entries_max: u64,
}

impl Bounds {
    /// What suits a log that is lived with.
    pub const DEFAULT: Self = Self {
        tail: Tail { event_count: 4_096, stored_bytes: 256 * 1024, record_count: 512 },
        unit_entries_max: UNIT_ENTRIES_MAX,
    };

    /// Nothing is compacted unless somebody asks for it.
    pub const ON_DEMAND: Self = Self {
        tail: Tail { event_count: u64::MAX, stored_bytes: u64::MAX, record_count: u64::MAX },
        ..Self::DEFAULT
    };

    /// Whether a tail is to be compacted.
    pub fn is_due(&self, tail: Tail) -> bool {
        self.is_reached(tail, 1)
    }

    /// Whether a tail is so many times larger than one that is to be compacted.
    pub fn is_reached(&self, tail: Tail, times: u64) -> bool {
        let reaches = |bound: u64, number: u64| bound.saturating_mul(times) <= number;
        reaches(self.tail.event_count, tail.event_count)
            || reaches(self.tail.stored_bytes, tail.stored_bytes)
            || reaches(self.tail.record_count, tail.record_count)
    }

    /// Whether a unit is so large that merging it would write it for little.
    fn is_settled(&self, unit: &UnitInfo) -> bool {
        self.unit_entries_max / 2 <= unit.entry_count || UNIT_RAW_BYTES_MAX / 2 <= unit.raw_bytes
    }
}

/// The records of the log that are in no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tail {
    /// How many events and facts there are.
    pub event_count: u64,
    /// Their stored bytes.
    pub stored_bytes: u64,
    /// Their records.
    pub record_count: u64,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompactionStep {
    /// Nothing.
    Nothing,
    /// The tail becomes a unit of level 0.
    CompactTail,
    /// These units become one.
    MergeUnits {
        /// Indexes into [`Root::units`].
        units: Range<usize>,
        /// The level of the merged unit.
        level: u32,
    },
    /// These runs become one.
    MergeRuns {
        /// Indexes into [`Root::runs`].
        runs: Range<usize>,
        /// The level of the merged run.
        level: u32,
    },
}

/// Decides the next step. Each step makes less of something, so steps end in [`CompactionStep::Nothing`].
pub fn next_step(root: &Root, tail: Tail, bounds: &Bounds) -> CompactionStep {
    if bounds.is_due(tail) {
        return CompactionStep::CompactTail;
    }
    if let Some(units) = units_to_merge(&root.units, bounds) {
        return merge_of(root, units);
    }
    match runs_to_merge(root, bounds) {
        Some((runs, level)) => CompactionStep::MergeRuns { runs, level },
        None => CompactionStep::Nothing,
    }
}

/// Decides the next step where somebody asked for as little as can be: no tail, units as large as they may be, and
/// few runs.
pub fn next_step_on_demand(root: &Root, head: Position, bounds: &Bounds) -> CompactionStep {
    if root.covered < head {
        return CompactionStep::CompactTail;
    }
    let mut start = 0_usize;
    while let Some(rest) = root.units.get(start..).filter(|rest| !rest.is_empty()) {
        let count = count_within(rest, bounds);
        let end = start.saturating_add(count.max(1));
        if end == root.units.len() {
            start = start.saturating_add(large_count(rest));
        }
        let merged = root.units.get(start..end).unwrap_or_default();
        if 1 < merged.len() && merged.iter().any(|unit| !bounds.is_settled(unit)) {
            return merge_of(root, start..end);
        }
        start = end;
    }
    let kept = runs_to_keep(root, bounds);
    let runs = newest_runs(kept);
    match kept.get(runs.clone()) {
        None | Some([]) => CompactionStep::Nothing,
        Some(merged) => CompactionStep::MergeRuns { level: level_above(merged), runs },
    }
}

/// How many of these units, from the first on, are large beside all after them. More will come behind the newest one,
/// and each of these would be written again each time that somebody asks.
fn large_count(units: &[UnitInfo]) -> usize {
    let mut newer_count = units.iter().map(|unit| unit.entry_count).fold(0, u64::saturating_add);
    let is_large = |unit: &&UnitInfo| {
        newer_count = newer_count.saturating_sub(unit.entry_count);
        newer_count.saturating_mul(LARGE_TIMES) < unit.entry_count
    };
    units.iter().take_while(is_large).count()
}

/// The runs that know nothing of the newest units that one may be made of: these will be merged, and then their runs are
/// replaced.
fn runs_to_keep<'a>(root: &'a Root, bounds: &Bounds) -> &'a [RunInfo] {
    let mut newest = root.units.as_slice();
    while let Some((_, rest)) = newest.split_at_checked(count_within(newest, bounds).max(1))
        && !rest.is_empty()
    {
        newest = rest;
    }
    let first = newest.first().map_or(Position::START, |unit| unit.first);
    root.runs.get(..root.runs.partition_point(|run| run.last < first)).unwrap_or_default()
}

/// Which of these become one where somebody asked for few: all from the first on that is not large beside those after
/// it. Each one before them covers so many times the positions of all after it that there are never more than a few.
/// Were all made one each time that somebody asks, the whole directory would be written each time.
fn newest_runs(runs: &[RunInfo]) -> Range<usize> {
    let mut start = runs.len();
    let last = runs.last().map_or(Position::START, |newest| newest.last);
    for (index, pair) in runs.windows(2).enumerate().rev() {
        let [run, newer] = pair else { continue };
        let count_from = |first: Position| last.next().0.saturating_sub(first.0);
        let newer_count = count_from(newer.first);
        let count = count_from(run.first).saturating_sub(newer_count);
        if count <= newer_count.saturating_mul(LARGE_TIMES) {
            start = index;
        }
    }
    start..runs.len()
}

fn merge_of(root: &Root, units: Range<usize>) -> CompactionStep {
    let merged = root.units.get(units.clone()).unwrap_or_default();
    let level = merged.iter().map(|unit| unit.level).max().unwrap_or_default().saturating_add(1);
    CompactionStep::MergeUnits { units, level }
}

/// The level of a run that these are merged to.
pub fn level_above(runs: &[RunInfo]) -> u32 {
    runs.iter().map(|run| run.level).max().unwrap_or_default().saturating_add(1)
}

fn units_to_merge(units: &[UnitInfo], bounds: &Bounds) -> Option<Range<usize>> {
    let mut start = 0_usize;
    for group in units.chunk_by(|one, next| bounds.is_settled(one) == bounds.is_settled(next)) {
        let range = start..start.saturating_add(group.len());
        start = range.end;
        let is_small = group.iter().all(|unit| !bounds.is_settled(unit));
        let is_newest = range.end == units.len();
        let merged_count = match (is_small, is_newest) {
            (false, _) => 0,
            // Nothing more will come between the units around it.
            (true, false) => count_within(group, bounds),
            (true, true) if count_within(group, bounds) < group.len() => count_within(group, bounds),
            (true, true) => 0,
        };
        if 1 < merged_count {
            return Some(range.start..range.start.saturating_add(merged_count));
        }
        if is_small && is_newest {
            let newest_level = group.last().map(|unit| unit.level);
            let count = group.iter().rev().take_while(|unit| Some(unit.level) == newest_level).count();
            if UNITS_PER_LEVEL <= count {
                return Some(range.end.saturating_sub(count)..range.end);
            }
        }
    }
    None
}

/// How many of the first units one unit may be merged of.
fn count_within(units: &[UnitInfo], bounds: &Bounds) -> usize {
    let (mut entry_count, mut raw_bytes) = (0_u64, 0_u64);
    let fits = |unit: &&UnitInfo| {
        entry_count = entry_count.saturating_add(unit.entry_count);
        raw_bytes = raw_bytes.saturating_add(unit.raw_bytes);
        entry_count <= bounds.unit_entries_max && raw_bytes <= UNIT_RAW_BYTES_MAX
    };
    units.iter().take_while(fits).count()
}

/// The runs that know of any of these units.
pub fn runs_of(root: &Root, units: &[UnitInfo]) -> Range<usize> {
    let (Some(first), Some(last)) = (units.first(), units.last()) else { return 0..0 };
    let start = root.runs.partition_point(|run| run.last < first.first);
    let end = root.runs.partition_point(|run| run.first <= last.last);
    start..end.max(start)
}

fn runs_to_merge(root: &Root, bounds: &Bounds) -> Option<(Range<usize>, u32)> {
    // The runs of the newest units will be replaced when those are merged.
    let unsettled_count = root.units.iter().rev().take_while(|unit| !bounds.is_settled(unit)).count();
    let settled_count = root.units.len().saturating_sub(unsettled_count);
    let last = root.units.get(..settled_count)?.last()?.last;
    let end = root.runs.partition_point(|run| run.last <= last);
    let mut start = 0_usize;
    for group in root.runs.get(..end)?.chunk_by(|one, next| one.level == next.level) {
        if let Some(runs) = group.get(..RUNS_PER_LEVEL) {
            return Some((start..start.saturating_add(RUNS_PER_LEVEL), level_above(runs)));
        }
        start = start.saturating_add(group.len());
    }
    None
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may end where it is surprised"
)]
#[cfg(test)]
mod tests;
