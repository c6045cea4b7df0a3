//! Finds the units again where the root is lost: by their headers, and one whose header is lost too by its blocks.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::DecodedRecord;
use crate::codec::pack::text_bytes;
use crate::event::{Position, UnixMillis};

use super::UnitNumber;
use super::unit::{Times, UnitInfo};

/// The units that live, as far as their headers say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// The units, in the order of their positions. None covers what another covers: of two that do, which a swap
    /// that ended does not leave, the one with the higher number lives, because it was made later.
    pub units: Vec<UnitInfo>,
    /// The positions that no unit covers: first and last of each gap, inclusive.
    pub gaps: Vec<(Position, Position)>,
}

/// Puts the units in order whose headers were found, in any order. They are to cover everything up to `covered`.
pub fn rebuild(found: &[UnitInfo], covered: Position) -> Rebuilt {
    let mut rebuilt = Rebuilt::default();
    // Few units and a rare need: an insertion in place of a sort.
    for unit in found {
        let units = &mut rebuilt.units;
        let overlaps = |other: &UnitInfo| other.first <= unit.last && unit.first <= other.last;
        if units.iter().any(|other| overlaps(other) && unit.number < other.number) {
            continue;
        }
        units.retain(|other| !overlaps(other));
        let place = units.partition_point(|other| other.first < unit.first);
        units.insert(place, *unit);
    }
    let mut next = Position(1);
    for unit in &rebuilt.units {
        if next < unit.first {
            rebuilt.gaps.push((next, Position(unit.first.0.saturating_sub(1))));
        }
        next = Position(unit.last.0.saturating_add(1));
    }
    if next <= covered {
        rebuilt.gaps.push((next, covered));
    }
    rebuilt
}

impl Rebuilt {
    /// The units that fill gaps, of those whose headers are lost. What was staged and does not live has no header
    /// either: so where two fit, it is not known which of them does live.
    pub fn fill_gaps(&self, headless: &[UnitInfo]) -> Vec<UnitInfo> {
        let mut filling = Vec::new();
        for (first, last) in &self.gaps {
            let fits =
                |unit: &&UnitInfo| *first <= unit.first && unit.first <= unit.last && unit.last <= *last;
            let mut fitting = headless.iter().filter(fits);
            if let (Some(unit), None) = (fitting.next(), fitting.next()) {
                filling.push(UnitInfo { first: *first, last: *last, ..*unit });
            }
        }
        filling
    }
}

/// A unit without a header, of which nothing was read yet. It fits nowhere.
pub fn headless(number: UnitNumber) -> UnitInfo {
    UnitInfo {
        number,
        level: 0,
        first: Position(u64::MAX),
        last: Position::START,
        block_count: 0,
        remains_count: 0,
        entry_count: 0,
        stored_bytes: 0,
        raw_bytes: 0,
        commit_time: UnixMillis::default(),
        times: None,
    }
}

/// Takes in the next block of a unit without a header.
pub fn add_block(unit: &mut UnitInfo, block: &DecodedRecord, stored_bytes: u64) {
    unit.block_count = unit.block_count.saturating_add(1);
    unit.stored_bytes = unit.stored_bytes.saturating_add(stored_bytes);
    unit.commit_time = block.commit_times().fold(unit.commit_time, UnixMillis::max);
    for entry in block.entries() {
        unit.first = unit.first.min(entry.position);
        unit.last = unit.last.max(entry.position);
        unit.entry_count = unit.entry_count.saturating_add(1);
        unit.raw_bytes = unit.raw_bytes.saturating_add(text_bytes(&entry) as u64);
        unit.times = Some(Times::with(unit.times, entry.time));
    }
}

#[allow(clippy::indexing_slicing, reason = "a test may end where it is surprised")]
#[cfg(test)]
mod tests {
    use super::*;

    fn unit((number, first, last): (u64, u64, u64)) -> UnitInfo {
        UnitInfo { first: Position(first), last: Position(last), ..headless(UnitNumber(number)) }
    }

    #[track_caller]
    fn check(found: &[(u64, u64, u64)], living: &[u64], gaps: &[(u64, u64)]) {
        let covered = Position(30);
        let numbers = |units: &[UnitInfo]| units.iter().map(|unit| unit.number.0).collect::<Vec<_>>();
        let found: Vec<UnitInfo> = found.iter().copied().map(unit).collect();
        let rebuilt = rebuild(&found, covered);
        assert_eq!(numbers(&rebuilt.units), living);
        let found_gaps: Vec<(u64, u64)> =
            rebuilt.gaps.iter().map(|(first, last)| (first.0, last.0)).collect();
        assert_eq!(found_gaps, gaps);
    }

    #[test]
    fn units_come_in_the_order_of_their_positions_with_the_gaps_between_them() {
        check(&[], &[], &[(1, 30)]);
        check(&[(3, 11, 20), (9, 1, 10), (4, 21, 30)], &[9, 3, 4], &[]);
        check(&[(3, 11, 20), (4, 25, 28)], &[3, 4], &[(1, 10), (21, 24), (29, 30)]);
        check(&[(3, 1, 40)], &[3], &[]);
    }

    #[test]
    fn of_units_that_overlap_the_newest_lives() {
        check(&[(1, 1, 10), (2, 11, 20), (5, 1, 20)], &[5], &[(21, 30)]);
        check(&[(5, 1, 20), (1, 1, 10), (2, 11, 20)], &[5], &[(21, 30)]);
    }

    #[test]
    fn a_gap_is_filled_where_one_unit_alone_fits() {
        let found: Vec<UnitInfo> = [(1, 1, 10), (2, 21, 25)].map(unit).into();
        let rebuilt = rebuild(&found, Position(30));
        let check = |headless: &[(u64, u64, u64)], filling: &[(u64, u64, u64)]| {
            let headless: Vec<UnitInfo> = headless.iter().copied().map(unit).collect();
            let filling: Vec<UnitInfo> = filling.iter().copied().map(unit).collect();
            assert_eq!(rebuilt.fill_gaps(&headless), filling);
        };
        check(&[], &[]);
        check(&[(3, 12, 18)], &[(3, 11, 20)]);
        check(&[(3, 12, 18), (4, 26, 29)], &[(3, 11, 20), (4, 26, 30)]);
        check(&[(3, 12, 18), (4, 13, 14)], &[]);
        check(&[(3, 12, 21), (4, 9, 14)], &[]);
        let unread = headless(UnitNumber(3));
        assert_eq!(rebuilt.fill_gaps(&[unread]), &[]);
    }
}
