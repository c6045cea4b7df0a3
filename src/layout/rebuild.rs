//! Finds the units again where the root is lost: by their headers.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::event::Position;

use super::unit::UnitInfo;

/// The units that live, as far as their headers say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// The units, in the order of their positions.
    pub units: Vec<UnitInfo>,
    /// The positions that no unit covers, up to the last that one does: first and last of each gap, inclusive.
    pub gaps: Vec<(Position, Position)>,
    /// Units that cover what others cover: a swap that ended deletes what it replaced, so there should be none. Of two,
    /// the one with the higher number lives, because it was made later.
    pub superseded: Vec<UnitInfo>,
}

/// Puts the units in order whose headers were found, in any order.
pub fn rebuild(found: &[UnitInfo]) -> Rebuilt {
    let mut rebuilt = Rebuilt::default();
    // Few units and a rare need: an insertion in place of a sort.
    for unit in found {
        let units = &mut rebuilt.units;
        let overlaps = |other: &UnitInfo| other.first <= unit.last && unit.first <= other.last;
        if units.iter().any(|other| overlaps(other) && unit.number < other.number) {
            rebuilt.superseded.push(*unit);
            continue;
        }
        rebuilt.superseded.extend(units.iter().filter(|other| overlaps(other)));
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
    rebuilt
}

#[allow(clippy::indexing_slicing, reason = "a test may end where it is surprised")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::UnixMillis;
    use crate::layout::UnitNumber;

    fn unit((number, first, last): (u64, u64, u64)) -> UnitInfo {
        UnitInfo {
            number: UnitNumber(number),
            level: 0,
            first: Position(first),
            last: Position(last),
            block_count: 1,
            remains_count: 0,
            entry_count: 1,
            stored_bytes: 1,
            raw_bytes: 1,
            commit_time: UnixMillis(0),
            times: None,
        }
    }

    #[track_caller]
    fn check(found: &[(u64, u64, u64)], living: &[u64], gaps: &[(u64, u64)], superseded: &[u64]) {
        let numbers = |units: &[UnitInfo]| units.iter().map(|unit| unit.number.0).collect::<Vec<_>>();
        let found: Vec<UnitInfo> = found.iter().copied().map(unit).collect();
        let rebuilt = rebuild(&found);
        assert_eq!(numbers(&rebuilt.units), living);
        assert_eq!(numbers(&rebuilt.superseded), superseded);
        let found_gaps: Vec<(u64, u64)> =
            rebuilt.gaps.iter().map(|(first, last)| (first.0, last.0)).collect();
        assert_eq!(found_gaps, gaps);
    }

    #[test]
    fn units_come_in_the_order_of_their_positions_with_the_gaps_between_them() {
        check(&[], &[], &[], &[]);
        check(&[(3, 11, 20), (9, 1, 10), (4, 21, 30)], &[9, 3, 4], &[], &[]);
        check(&[(3, 11, 20), (4, 25, 30)], &[3, 4], &[(1, 10), (21, 24)], &[]);
    }

    #[test]
    fn of_units_that_overlap_the_newest_lives() {
        check(&[(1, 1, 10), (2, 11, 20), (5, 1, 20)], &[5], &[], &[1, 2]);
        check(&[(5, 1, 20), (1, 1, 10), (2, 11, 20)], &[5], &[], &[1, 2]);
    }
}
