//! The whole log, a portion at a time: some units one after the other, or a part of the tail.

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::error::Error;
use crate::event::{Position, UnixMillis};
use crate::index::plan::{Source, Stretch, plan_tail};
use crate::layout::unit::{UnitInfo, UnitOrder};
use crate::layout::{BlockAddress, BlockIndex, UnitNumber};
use crate::query::Query;
use crate::storage::{Area, Direction};

use super::candidates::Candidates;
use super::view::{Stop, View};

/// So many blocks are read for one portion; more only where they are of one unit.
const BLOCKS_MAX: usize = 16;

/// What is asked of the whole log.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub query: &'a Query,
    pub since: Option<UnixMillis>,
    pub until: Option<UnixMillis>,
    pub stretch: Stretch,
}

/// What a page of the whole log is made of, in the direction of the read.
pub(super) struct Portion {
    pub groups: Vec<Group>,
    /// Where what follows begins, in the terms of the read; `None` where nothing does.
    pub next: Option<u64>,
}

/// Records that are read in one go.
pub(super) struct Group {
    pub records: Vec<Rc<DecodedRecord>>,
    /// Where they are blocks of a unit, its number, and theirs: their entries do not stand in the order of the log.
    of_unit: Option<(UnitNumber, Vec<BlockIndex>)>,
    /// All positions that are wanted of them.
    stretch: Stretch,
}

/// Whether a walk goes on.
#[derive(PartialEq, Eq)]
pub(super) enum Walk {
    On,
    Ends,
}

impl Portion {
    /// The next portion of a stretch. Errors: `CORRUPT_DATA` where it begins with what cannot be read.
    #[inline(never)]
    pub fn of(view: &mut View<'_>, asking: &Asking<'_>) -> Result<Self, Stop> {
        let Stretch { first, last, direction } = asking.stretch;
        let covered = view.root.covered;
        let tail_first = first.max(covered.next());
        if last < first {
            return Ok(Self { groups: Vec::new(), next: None });
        }
        match direction {
            Direction::Forwards if first <= covered => {
                let units = Self::of_units(view, asking, last.min(covered))?;
                if units.groups.is_empty() && units.next.is_none() && covered < last {
                    return Self::of_tail(view, asking, tail_first);
                }
                let next = units.next.or((covered < last).then_some(covered.0));
                Ok(Self { next, ..units })
            }
            Direction::Backwards if covered < last => {
                let tail = Self::of_tail(view, asking, tail_first)?;
                let next = tail.next.or((first <= covered).then_some(tail_first.0));
                Ok(Self { next, ..tail })
            }
            Direction::Backwards => Self::of_units(view, asking, last),
            Direction::Forwards => Self::of_tail(view, asking, first),
        }
    }

    fn of_tail(view: &mut View<'_>, asking: &Asking<'_>, first: Position) -> Result<Self, Stop> {
        let stretch = Stretch { first, ..asking.stretch };
        let plan = plan_tail(view.index, asking.query, stretch);
        let records = view.planned(&plan)?;
        Ok(Self { groups: vec![Group { records, of_unit: None, stretch }], next: plan.next })
    }

    /// The next units of a stretch that ends with what they cover.
    fn of_units(view: &mut View<'_>, asking: &Asking<'_>, last: Position) -> Result<Self, Stop> {
        let Stretch { first, direction, .. } = asking.stretch;
        let root = view.root;
        let start = root.units.partition_point(|unit| unit.last < first);
        let end = root.units.partition_point(|unit| unit.first <= last);
        let units = root.units.get(start..end).unwrap_or_default();
        check_gaps(units, first, last)?;
        let candidates = Candidates::of(view, asking.query)?;
        let mut portion = Self { groups: Vec::new(), next: None };
        let (mut block_count, mut is_pending) = (0, false);
        for index in 0..units.len() {
            let index = match direction {
                Direction::Forwards => index,
                Direction::Backwards => units.len() - 1 - index,
            };
            let Some(unit) = units.get(index) else { continue };
            let blocks = candidates.blocks_of(unit);
            if !may_hold(unit, asking) || blocks.is_empty() {
                continue;
            }
            let edge = match direction {
                Direction::Forwards => unit.first.0.max(first.0) - 1,
                Direction::Backwards => unit.last.0.min(last.0) + 1,
            };
            if 0 < block_count && BLOCKS_MAX < block_count + blocks.len() {
                portion.next = Some(edge);
                break;
            }
            block_count += blocks.len();
            match Group::of_unit(view, unit, blocks, asking.stretch) {
                Ok(group) => portion.groups.extend(group),
                // What the other units need is read in the same transaction.
                Err(Stop::Pending) => is_pending = true,
                // What is whole comes first: the next portion begins with what cannot be read.
                Err(Stop::Failed(_)) if is_pending || !portion.groups.is_empty() => {
                    portion.next = Some(edge);
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
        if is_pending { Err(Stop::Pending) } else { Ok(portion) }
    }

    /// Walks through the entries in the direction of the read, until the visitor has enough. It is given each by its
    /// record and its place there; at the ends there may be some from beyond the stretch.
    pub fn walk(
        &self,
        view: &mut View<'_>,
        visit: &mut dyn FnMut(&mut View<'_>, &Rc<DecodedRecord>, usize) -> Walk,
    ) {
        for group in &self.groups {
            let order = group.of_unit.as_ref();
            let order = order.map(|(unit, blocks)| (view.order(*unit, blocks, &group.records), blocks));
            let mut visit = |record: &Rc<DecodedRecord>, place| visit(view, record, place);
            let walk = match &order {
                None => walk_records(&group.records, group.stretch.direction, &mut visit),
                Some((order, blocks)) => group.walk(order, blocks, &mut visit),
            };
            if walk == Walk::Ends {
                break;
            }
        }
    }
}

impl Group {
    /// These blocks of a unit, as far as they reach into the stretch. Errors: `CORRUPT_DATA`.
    fn of_unit(
        view: &mut View<'_>,
        unit: &UnitInfo,
        mut blocks: Vec<BlockIndex>,
        stretch: Stretch,
    ) -> Result<Option<Self>, Stop> {
        let Stretch { first, last, direction } = stretch;
        let is_whole = first <= unit.first && unit.last <= last;
        let (first, last) = (first.max(unit.first), last.min(unit.last));
        match view.header(unit) {
            Ok(header) => blocks.retain(|block| {
                header.blocks.get(block.0 as usize).is_some_and(|it| it.first <= last && first <= it.last)
            }),
            // All blocks reach in, and what they are is read along with the header.
            Err(Stop::Pending) if is_whole => {}
            Err(stop) => return Err(stop),
        }
        let address = |block: &BlockIndex| BlockAddress { unit: unit.number, block: *block };
        let sources: Vec<Source> = blocks.iter().map(address).map(Source::Block).collect();
        let records = view.all_entries(&sources)?;
        let stretch = Stretch { first, last, direction };
        let of_unit = Some((unit.number, blocks));
        Ok((!records.is_empty()).then_some(Self { records, of_unit, stretch }))
    }

    /// Walks through blocks of a unit in the order of the log.
    fn walk(
        &self,
        order: &UnitOrder,
        blocks: &[BlockIndex],
        visit: &mut dyn FnMut(&Rc<DecodedRecord>, usize) -> Walk,
    ) -> Walk {
        let Stretch { first, last, direction } = self.stretch;
        let (mut start, mut end) = (order.count_before(first), order.count_before(last.next()));
        while start < end {
            let index = match direction {
                Direction::Forwards => start,
                Direction::Backwards => end - 1,
            };
            match direction {
                Direction::Forwards => start += 1,
                Direction::Backwards => end -= 1,
            }
            let Some(place) = order.place(index) else { continue };
            // Mostly, these are all blocks of the unit.
            let at = place.block.0 as usize;
            let at = match blocks.get(at) {
                Some(block) if *block == place.block => Some(at),
                _ => blocks.binary_search(&place.block).ok(),
            };
            let Some(record) = at.and_then(|at| self.records.get(at)) else { continue };
            if visit(record, place.entry) == Walk::Ends {
                return Walk::Ends;
            }
        }
        Walk::On
    }
}

/// Walks through records whose entries stand in the order of the walk.
pub(super) fn walk_records(
    records: &[Rc<DecodedRecord>],
    direction: Direction,
    visit: &mut dyn FnMut(&Rc<DecodedRecord>, usize) -> Walk,
) -> Walk {
    for record in records {
        for place in 0..record.len() {
            let place = match direction {
                Direction::Forwards => place,
                Direction::Backwards => record.len() - 1 - place,
            };
            if visit(record, place) == Walk::Ends {
                return Walk::Ends;
            }
        }
    }
    Walk::On
}

/// Whether the times of a unit's entries reach into those that are asked for.
fn may_hold(unit: &UnitInfo, asking: &Asking<'_>) -> bool {
    unit.times.is_some_and(|times| {
        asking.since.is_none_or(|since| since <= times.max)
            && asking.until.is_none_or(|until| times.min < until)
    })
}

/// Positions that no unit covers, although they are covered, are lost.
pub(super) fn check_gaps(units: &[UnitInfo], first: Position, last: Position) -> Result<(), Error> {
    let mut next = first;
    for unit in units {
        if next < unit.first {
            break;
        }
        next = unit.last.next();
    }
    if next <= last {
        let problem = format!("no unit holds the position {next}");
        return Err(Error::corrupt_data(Some(next), Area::Units.name().to_owned(), &problem));
    }
    Ok(())
}
