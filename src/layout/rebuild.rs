//! Finds the units again where the root is lost: by their headers, and one whose header is lost too by its blocks.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::DecodedRecord;
use crate::codec::pack::text_bytes;
use crate::event::{Position, UnixMillis};

use super::directory::{Page, Summary};
use super::unit::{Times, UnitInfo};
use super::{StreamSummary, UnitNumber};

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

/// A unit whose header is lost, as far as its blocks and its remains say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headless {
    /// What a header would say. Before anything was read, it covers nothing.
    pub info: UnitInfo,
    /// How many of its blocks and pages of remains could be read.
    pub read_count: u32,
    /// Whether its number is claimed: then it was staged, and perhaps not to its end. The claim of one that lives has ended.
    pub is_claimed: bool,
}

impl Rebuilt {
    /// The units that fill gaps, of those whose headers are lost. What was staged and does not live has no header
    /// either: it fills nothing as long as its claim is there, because what it was made of may be lost as a whole, and
    /// it may have been staged in part. Without its claim it is known by what it is made of, which lives: so of units that cover the same,
    /// those live that hold the most entries. Where some cannot be read as a whole, that cannot be told: then only one
    /// that is alone in its gap fills it.
    pub fn fill_gaps(&self, headless: &[Headless]) -> Vec<UnitInfo> {
        let living = || headless.iter().filter(|it| !it.is_claimed);
        let are_whole = living().all(Headless::is_whole);
        let placed: Vec<UnitInfo> = living().filter(|it| it.is_placed()).map(|it| it.to_info()).collect();
        let mut filling = Vec::new();
        for (first, last) in &self.gaps {
            let fits =
                |unit: &&UnitInfo| *first <= unit.first && unit.first <= unit.last && unit.last <= *last;
            let mut fitting: Vec<&UnitInfo> = Vec::new();
            for unit in placed.iter().filter(fits) {
                let place = fitting.partition_point(|other| other.last <= unit.last);
                fitting.insert(place, unit);
            }
            if fitting.len() == 1 || are_whole {
                fill_gap(*first, *last, &fitting, &mut filling);
            }
        }
        filling
    }
}

/// Has those of some units cover a gap that do not overlap and hold the most entries together. The units are given in the order
/// of their last positions. A position that none of them holds was erased.
fn fill_gap(first: Position, last: Position, units: &[&UnitInfo], filling: &mut Vec<UnitInfo>) {
    // Of those that end with each: how many entries they hold at most, and which comes before it.
    let mut chains: Vec<(u64, Option<usize>)> = Vec::new();
    let (mut most, mut next) = (0, None);
    for (place, unit) in units.iter().enumerate() {
        let (mut entry_count, mut before) = (0, None);
        for (index, (other, chain)) in units.iter().zip(&chains).enumerate() {
            if other.last < unit.first && entry_count <= chain.0 {
                (entry_count, before) = (chain.0, Some(index));
            }
        }
        entry_count = entry_count.saturating_add(unit.entry_count);
        chains.push((entry_count, before));
        if most <= entry_count {
            (most, next) = (entry_count, Some(place));
        }
    }
    let mut end = last;
    while let Some((unit, (_, before))) = next.and_then(|place| units.get(place).zip(chains.get(place))) {
        let start = if before.is_none() { first } else { unit.first };
        filling.push(UnitInfo { first: start, last: end, ..**unit });
        end = Position(unit.first.0.saturating_sub(1));
        next = *before;
    }
}

impl Headless {
    /// One of which nothing was read yet. It fits nowhere.
    pub fn new(number: UnitNumber) -> Self {
        let info = UnitInfo {
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
        };
        Self { info, read_count: 0, is_claimed: false }
    }

    /// Whether it is known where it stands. Remains alone do not say it where there are blocks that cannot be read: what is
    /// known of a unit without entries hides those that it has.
    fn is_placed(&self) -> bool {
        self.is_whole() || 0 < self.info.entry_count
    }

    /// Whether all that it has could be read.
    fn is_whole(&self) -> bool {
        self.info.block_count.saturating_add(self.info.remains_count) <= self.read_count
    }

    /// What is known of it. When the entries happened that cannot be read nobody knows.
    fn to_info(self) -> UnitInfo {
        let times = if self.is_whole() { self.info.times } else { Some(Times::ANY) };
        UnitInfo { times, ..self.info }
    }

    /// Completes what was known of a unit by some of its blocks, once all were taken in.
    pub fn complete(&self, unit: &mut UnitInfo) {
        let Self { info, .. } = self;
        (unit.entry_count, unit.raw_bytes) = (info.entry_count, info.raw_bytes);
        unit.commit_time = unit.commit_time.max(info.commit_time);
        unit.times = info.times;
    }

    /// Takes in a block.
    pub fn add_block(&mut self, block: &DecodedRecord) {
        self.read_count = self.read_count.saturating_add(1);
        let unit = &mut self.info;
        unit.commit_time = block.commit_times().fold(unit.commit_time, UnixMillis::max);
        for entry in block.entries() {
            unit.first = unit.first.min(entry.position);
            unit.last = unit.last.max(entry.position);
            unit.entry_count = unit.entry_count.saturating_add(1);
            unit.raw_bytes = unit.raw_bytes.saturating_add(text_bytes(&entry) as u64);
            unit.times = Some(Times::with(unit.times, entry.time));
        }
    }

    /// Takes in a page of remains: it says between which positions events were erased.
    pub fn add_remains(&mut self, page: &Page) {
        self.read_count = self.read_count.saturating_add(1);
        for index in 0..page.len() {
            if let Ok(Some(Summary::Stream(StreamSummary { moments: Some(moments), .. }))) =
                page.summary(index)
            {
                self.info.first = self.info.first.min(moments.first.position);
                self.info.last = self.info.last.max(moments.last.position);
            }
        }
    }
}

#[allow(clippy::indexing_slicing, reason = "a test may end where it is surprised")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::directory::PageWriter;
    use crate::layout::{Moment, Moments};

    fn unit((number, first, last): (u64, u64, u64)) -> UnitInfo {
        UnitInfo { first: Position(first), last: Position(last), ..Headless::new(UnitNumber(number)).info }
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

    #[track_caller]
    fn check_filling(headless: &[Headless], filling: &[(u64, u64, u64)]) {
        let found: Vec<UnitInfo> = [(1, 1, 10), (2, 21, 25)].map(unit).into();
        let rebuilt = rebuild(&found, Position(30));
        let filled = rebuild(&rebuilt.fill_gaps(headless), Position(0)).units;
        let filled: Vec<_> = filled.iter().map(|unit| (unit.number.0, unit.first.0, unit.last.0)).collect();
        assert_eq!(filled, filling);
    }

    fn whole((number, first, last, entry_count): (u64, u64, u64, u64)) -> Headless {
        let info = UnitInfo { entry_count, block_count: 1, ..unit((number, first, last)) };
        Headless { info, read_count: 1, is_claimed: false }
    }

    fn part(unit: (u64, u64, u64, u64)) -> Headless {
        Headless { read_count: 0, ..whole(unit) }
    }

    #[test]
    fn a_gap_is_filled_by_the_unit_that_fits() {
        check_filling(&[], &[]);
        check_filling(&[whole((3, 12, 18, 7))], &[(3, 11, 20)]);
        check_filling(&[part((3, 12, 18, 7))], &[(3, 11, 20)]);
        check_filling(&[whole((4, 26, 29, 4)), whole((3, 12, 18, 7))], &[(3, 11, 20), (4, 26, 30)]);
        check_filling(&[whole((3, 12, 21, 10)), whole((4, 9, 14, 6))], &[]);
        check_filling(&[Headless::new(UnitNumber(3))], &[]);
    }

    #[test]
    fn a_gap_is_filled_by_those_that_hold_most_together() {
        let (one, next) = (whole((3, 12, 14, 3)), whole((4, 16, 19, 4)));
        check_filling(&[next, one], &[(3, 11, 15), (4, 16, 20)]);
        // What was made of both, and did not live.
        check_filling(&[whole((5, 12, 19, 6)), next, one], &[(3, 11, 15), (4, 16, 20)]);
        check_filling(&[whole((5, 13, 13, 1)), next, one], &[(3, 11, 15), (4, 16, 20)]);
        // And of what is made of one, and has all of it.
        check_filling(&[whole((5, 12, 14, 3)), next, one], &[(3, 11, 15), (4, 16, 20)]);
    }

    #[test]
    fn what_is_claimed_fills_no_gap() {
        let claimed = |unit| Headless { is_claimed: true, ..whole(unit) };
        check_filling(&[claimed((3, 12, 18, 7))], &[]);
        check_filling(&[claimed((5, 12, 14, 3)), whole((3, 12, 14, 3))], &[(3, 11, 20)]);
        check_filling(&[claimed((5, 12, 18, 7)), part((3, 12, 14, 3))], &[(3, 11, 20)]);
    }

    #[test]
    fn where_blocks_cannot_be_read_nobody_chooses_among_units() {
        let (one, next) = (whole((3, 12, 14, 3)), whole((4, 16, 19, 4)));
        check_filling(&[next, part((3, 12, 14, 3))], &[]);
        check_filling(&[part((5, 26, 26, 2)), next, one], &[(5, 26, 30)]);
    }

    #[test]
    fn a_unit_of_which_all_was_erased_stands_where_its_remains_say() {
        let moment = |position| Moment { position: Position(position), time: UnixMillis(0) };
        let moments = Some(Moments { first: moment(13), last: moment(15) });
        let summary = Summary::Stream(StreamSummary { moments, ..StreamSummary::default() });
        let mut writer = PageWriter::default();
        writer.push(b"sa", &summary);
        let mut remains = Headless::new(UnitNumber(3));
        remains.add_remains(&Page::from_bytes(&writer.seal().0).unwrap());
        remains.info.remains_count = 1;
        check_filling(&[remains], &[(3, 11, 20)]);
        check_filling(&[whole((4, 18, 20, 3)), remains], &[(3, 11, 17), (4, 18, 20)]);
        // It has a block that cannot be read.
        remains.info.block_count = 1;
        check_filling(&[remains], &[]);
    }
}
