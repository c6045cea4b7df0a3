//! What is to be compacted next. Pure: the root and the tail in, one step out.
//!
//! ```text
//! tail  ->  unit of level 0  ->  16 of a level become one of the next  ->  a settled unit of up to 65,536 events
//! ```
//!
//! Each unit brings a run of the directory, and a merged unit's run replaces those of its parts. Runs of settled units
//! are merged by eights of one level. So an event is written a number of times that does not grow with the log, and
//! its entries in the directory once a level.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use super::root::Root;
use super::unit::UnitInfo;

/// A tail of so many events is compacted.
pub const TAIL_EVENTS: u64 = 4_096;
/// A tail of so many stored bytes is compacted.
pub const TAIL_BYTES: u64 = 256 * 1024;
/// A tail of so many records is compacted.
pub const TAIL_RECORDS: u64 = 512;
/// Most events and facts of a unit that is merged of others.
pub const UNIT_ENTRIES_MAX: u64 = 65_536;
/// Most names, payloads and tags of a unit that is merged of others, in bytes.
pub const UNIT_RAW_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// So many units of one level are merged, however small they are.
pub const UNITS_PER_LEVEL: usize = 16;
/// So many runs of one level are merged.
pub const RUNS_PER_LEVEL: usize = 8;

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
        /// The runs that the merged unit's run replaces: indexes into [`Root::runs`].
        runs: Range<usize>,
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
pub fn next_step(root: &Root, tail: Tail) -> CompactionStep {
    if TAIL_EVENTS <= tail.event_count || TAIL_BYTES <= tail.stored_bytes || TAIL_RECORDS <= tail.record_count
    {
        return CompactionStep::CompactTail;
    }
    if let Some(units) = units_to_merge(&root.units) {
        let merged = root.units.get(units.clone()).unwrap_or_default();
        let level = merged.iter().map(|unit| unit.level).max().unwrap_or_default().saturating_add(1);
        return CompactionStep::MergeUnits { units, level, runs: runs_of(root, merged) };
    }
    match runs_to_merge(root) {
        Some((runs, level)) => CompactionStep::MergeRuns { runs, level },
        None => CompactionStep::Nothing,
    }
}

/// Whether a unit is so large that merging it would write it for little.
fn is_settled(unit: &UnitInfo) -> bool {
    UNIT_ENTRIES_MAX / 2 <= unit.entry_count || UNIT_RAW_BYTES_MAX / 2 <= unit.raw_bytes
}

fn units_to_merge(units: &[UnitInfo]) -> Option<Range<usize>> {
    let mut start = 0_usize;
    for group in units.chunk_by(|one, next| is_settled(one) == is_settled(next)) {
        let range = start..start.saturating_add(group.len());
        start = range.end;
        let is_small = group.iter().all(|unit| !is_settled(unit));
        let is_newest = range.end == units.len();
        let merged_count = match (is_small, is_newest) {
            (false, _) => 0,
            // Nothing more will come between the units around it.
            (true, false) => count_within(group),
            (true, true) if count_within(group) < group.len() => count_within(group),
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
fn count_within(units: &[UnitInfo]) -> usize {
    let (mut entry_count, mut raw_bytes) = (0_u64, 0_u64);
    let fits = |unit: &&UnitInfo| {
        entry_count = entry_count.saturating_add(unit.entry_count);
        raw_bytes = raw_bytes.saturating_add(unit.raw_bytes);
        entry_count <= UNIT_ENTRIES_MAX && raw_bytes <= UNIT_RAW_BYTES_MAX
    };
    units.iter().take_while(fits).count()
}

/// The runs that cover nothing but these units.
fn runs_of(root: &Root, units: &[UnitInfo]) -> Range<usize> {
    let (Some(first), Some(last)) = (units.first(), units.last()) else { return 0..0 };
    let start = root.runs.partition_point(|run| run.first < first.first);
    let end = root.runs.partition_point(|run| run.last <= last.last);
    start..end.max(start)
}

fn runs_to_merge(root: &Root) -> Option<(Range<usize>, u32)> {
    // The runs of the newest units will be replaced when those are merged.
    let unsettled_count = root.units.iter().rev().take_while(|unit| !is_settled(unit)).count();
    let settled_count = root.units.len().saturating_sub(unsettled_count);
    let last = root.units.get(..settled_count)?.last()?.last;
    let end = root.runs.partition_point(|run| run.last <= last);
    let mut start = 0_usize;
    for group in root.runs.get(..end)?.chunk_by(|one, next| one.level == next.level) {
        if let Some(level) = group.first().map(|run| run.level).filter(|_| RUNS_PER_LEVEL <= group.len()) {
            return Some((start..start.saturating_add(RUNS_PER_LEVEL), level.saturating_add(1)));
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
