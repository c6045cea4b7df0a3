//! What is left of units where the root is lost: those with headers, and what can be known of those without.

use std::ops::ControlFlow;

use crate::event::Position;
use crate::layout::directory::Page;
use crate::layout::keys::{UnitRecord, is_claim, tied};
use crate::layout::rebuild::{Headless, Rebuilt, rebuild};
use crate::layout::unit::{UnitHeader, UnitInfo, decode_block};
use crate::layout::{BlockIndex, UnitNumber};
use crate::limits::UNIT_PARTS_MAX;
use crate::storage::{Area, Direction, Found, KeyRange, PageRequest, Record, Request};

use super::Halt;
use super::claim::key_of_claim;
use super::work::{Desk, Work};

/// So many blocks, and pages of remains, are read at a time of a unit whose header is lost.
const RECORDS_AT_ONCE: usize = 16;

/// Looks for the headers of units.
pub(super) struct Search {
    /// The unit whose header is looked for, or that of the next one that there is. `None` after the last.
    next: Option<UnitNumber>,
    pub found: Vec<UnitInfo>,
    /// All numbers under which anything stands.
    pub numbers: Vec<UnitNumber>,
}

impl Search {
    pub fn begin() -> Self {
        Self { next: Some(UnitNumber(0)), found: Vec::new(), numbers: Vec::new() }
    }

    /// Takes note of the first record of a unit.
    fn take(&mut self, record: Record) -> Option<UnitNumber> {
        let (number, kind) = UnitRecord::of(&record.key)?;
        self.numbers.push(number);
        if kind == UnitRecord::Header
            && let Ok(header) = UnitHeader::from_bytes(&tied(&record.key, record.value))
        {
            self.found.push(header.info);
        }
        number.0.checked_add(1).map(UnitNumber)
    }

    /// The survey of the units without headers, where any gaps are left.
    pub fn survey(&self, covered: Position) -> Survey {
        let rebuilt = rebuild(&self.found, covered);
        let mut left = self.numbers.clone();
        left.retain(|number| self.found.iter().all(|unit| unit.number != *number));
        if rebuilt.gaps.is_empty() {
            left.clear();
        }
        Survey { rebuilt, left, unit: None, surveyed: Vec::new() }
    }
}

impl Work for Search {
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt> {
        if let Some(found) = desk.found.take() {
            let record = found.pages.into_iter().flatten().next();
            self.next = record.and_then(|record| self.take(record));
        }
        let Some(number) = self.next else { return Ok(ControlFlow::Break(())) };
        let range = KeyRange { from: Some(UnitRecord::Header.key(number)), to: None };
        let direction = Direction::Forwards;
        desk.wanted = Some(PageRequest { area: Area::Units, range, direction, count_max: 1 }.into());
        Ok(ControlFlow::Continue(()))
    }
}

/// Finds out what units are whose headers are lost, as far as their blocks and their remains say.
pub(super) struct Survey {
    /// What is known by headers.
    rebuilt: Rebuilt,
    left: Vec<UnitNumber>,
    /// The one that is read.
    unit: Option<Headless>,
    /// Of one of which nothing can be read nobody knows what it covers: it fits nowhere.
    surveyed: Vec<Headless>,
}

impl Survey {
    /// What was found of units that stand in the gaps which those with headers leave.
    pub fn fill_gaps(&self) -> Vec<UnitInfo> {
        self.rebuilt.fill_gaps(&self.surveyed)
    }

    /// Takes in what was read of a unit.
    fn take(&mut self, mut unit: Headless, found: Found) {
        let claim = key_of_claim(unit.info.number.0);
        unit.is_claimed = found.values.iter().flatten().any(|bytes| is_claim(&claim, bytes));
        let [blocks, remains, filters] = found.pages.try_into().unwrap_or_default();
        let is_last = blocks.len().max(remains.len()) < RECORDS_AT_ONCE;
        for record in blocks {
            unit.info.block_count = count_up_to(&record);
            unit.info.stored_bytes = unit.info.stored_bytes.saturating_add(record.value.len() as u64);
            if let Ok(block) = decode_block(&tied(&record.key, record.value)) {
                unit.add_block(&block);
            }
        }
        for record in remains {
            unit.info.remains_count = count_up_to(&record);
            unit.info.stored_bytes = unit.info.stored_bytes.saturating_add(record.value.len() as u64);
            if let Ok(page) = Page::from_bytes(&tied(&record.key, record.value)) {
                unit.add_remains(&page);
            }
        }
        if is_last {
            // Where the last block is lost, its filter says that there was one.
            let filter_count = filters.first().map_or(0, count_up_to);
            unit.info.block_count = unit.info.block_count.max(filter_count);
            self.surveyed.push(unit);
        } else {
            self.unit = Some(unit);
        }
    }
}

impl Work for Survey {
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt> {
        if let (Some(unit), Some(found)) = (self.unit.take(), desk.found.take()) {
            self.take(unit, found);
        }
        let next = self.unit.take().or_else(|| self.left.pop().map(Headless::new));
        let Some(unit) = next else { return Ok(ControlFlow::Break(())) };
        let page = |from: UnitRecord, to: UnitRecord, direction, count_max| {
            let number = unit.info.number;
            let range = KeyRange { from: Some(from.key(number)), to: Some(to.key(number)) };
            PageRequest { area: Area::Units, range, direction, count_max }
        };
        // What has a higher index belongs to no unit.
        let (last_index, forwards) = (UNIT_PARTS_MAX - 1, Direction::Forwards);
        let last = BlockIndex(last_index);
        let block = UnitRecord::Block(BlockIndex(unit.info.block_count));
        let remains = UnitRecord::Remains(unit.info.remains_count);
        let pages = vec![
            page(block, UnitRecord::Block(last), forwards, RECORDS_AT_ONCE),
            page(remains, UnitRecord::Remains(last_index), forwards, RECORDS_AT_ONCE),
            page(UnitRecord::Filter(BlockIndex(0)), UnitRecord::Filter(last), Direction::Backwards, 1),
        ];
        desk.wanted =
            Some(Request { keys: vec![(Area::Index, key_of_claim(unit.info.number.0))], pages, then: None });
        self.unit = Some(unit);
        Ok(ControlFlow::Continue(()))
    }
}

/// How many records of its kind a unit has, of which this is the last.
fn count_up_to(record: &Record) -> u32 {
    UnitRecord::of(&record.key).map_or(0, |(_, record)| record.to_kind().1.saturating_add(1))
}
