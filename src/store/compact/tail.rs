//! The tail, which becomes a unit.

use std::rc::Rc;

use crate::codec::pack::text_bytes;
use crate::codec::{Body, DecodedRecord};
use crate::event::{Position, Revision};
use crate::layout::UnitNumber;
use crate::layout::plan::{Bounds, UNIT_RAW_BYTES_MAX};
use crate::layout::unit::{UnitBuilder, UnitIdentity, UnitInfo};
use crate::storage::{Area, Key, KeyRange, Record};
use crate::store::catch_up::next_page_records;
use crate::store::fetch::{damage_error, page_of_log};

use super::claim::Stored;
use super::erasure::Erasure;
use super::work::Desk;
use super::{Halt, damage_in};

/// How many records of the log are asked for first.
const FIRST_PAGE_RECORDS: usize = 64;

/// Takes in the oldest records of the tail, as many as one unit may be made of. All of them are read first: what a
/// fact hides stands before it.
pub(super) struct TailIntake {
    number: UnitNumber,
    first: Position,
    /// The unit before it.
    newest: Option<UnitInfo>,
    entries_max: u64,
    /// Where the next record begins.
    next: Position,
    count_max: usize,
    /// Records as they were read, the next one last.
    page: Vec<Record>,
    /// Whether the log has no more.
    is_last: bool,
    /// Once all are read, the next one last.
    records: Vec<Rc<DecodedRecord>>,
    raw_bytes: u64,
    sums: TailSums,
    /// `None` as long as records are read.
    builder: Option<UnitBuilder>,
}

/// What these records add up to.
#[derive(Default)]
pub(super) struct TailSums {
    /// The last position of them.
    pub last: Position,
    pub entry_count: u64,
    /// Events of streams that have no facts here.
    pub event_count: u64,
    /// Such streams that begin here.
    pub begun_count: u64,
    /// The streams that have facts here, and what is known of them.
    pub erasure: Erasure,
}

impl TailIntake {
    pub fn new(claimed: &Stored, bounds: &Bounds) -> Self {
        let first = claimed.root.covered.next();
        Self {
            number: UnitNumber(claimed.number()),
            first,
            newest: claimed.root.units.last().copied(),
            entries_max: bounds.unit_entries_max,
            next: first,
            count_max: FIRST_PAGE_RECORDS,
            page: Vec::new(),
            is_last: false,
            records: Vec::new(),
            raw_bytes: 0,
            sums: TailSums::default(),
            builder: None,
        }
    }

    /// What the records add up to that were taken in.
    pub fn take_sums(&mut self) -> TailSums {
        std::mem::take(&mut self.sums)
    }

    /// Reads a record, or takes one in that was read. Gives the builder after the last.
    pub fn advance(&mut self, desk: &mut Desk) -> Result<Option<UnitBuilder>, Halt> {
        let Some(builder) = &mut self.builder else {
            self.read(desk)?;
            return Ok(None);
        };
        let Some(record) = self.records.pop() else { return Ok(self.builder.take()) };
        self.sums.add(&record);
        let (number, erasure) = (record.first().0, &self.sums.erasure);
        let added = builder.add(record, &|entry| erasure.hides(entry));
        added.map_err(|corrupt| damage_in(Area::Log, number, &corrupt))?;
        Ok(None)
    }

    fn read(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        if let Some(page) = desk.found.take().and_then(|mut found| found.pages.pop()) {
            self.is_last = page.len() < self.count_max;
            self.count_max = next_page_records(&page);
            self.page = page;
            self.page.reverse();
        }
        match self.page.pop() {
            Some(Record { key: Key::Position(first), value }) => {
                let record = read_next(&value, first, self.next)?;
                if !self.has_room_for(&record) {
                    return self.begin_unit();
                }
                self.next = record.last().next();
                record.entries().for_each(|entry| self.sums.erasure.note(&entry));
                self.records.push(record);
            }
            Some(_) => {}
            None if self.is_last => return self.begin_unit(),
            None => {
                let range = KeyRange { from: Some(Key::Position(self.next)), to: None };
                desk.wanted = Some(page_of_log(range, self.count_max));
            }
        }
        Ok(())
    }

    /// Counts the next record. `false` where a unit would become too large with it.
    fn has_room_for(&mut self, record: &DecodedRecord) -> bool {
        let entry_count = self.sums.entry_count + record.len() as u64;
        self.raw_bytes += record.entries().map(|entry| text_bytes(&entry) as u64).sum::<u64>();
        let is_too_large = self.entries_max < entry_count || UNIT_RAW_BYTES_MAX < self.raw_bytes;
        if is_too_large && !self.records.is_empty() {
            return false;
        }
        self.sums.entry_count = entry_count;
        true
    }

    fn begin_unit(&mut self) -> Result<(), Halt> {
        let Some(last) = self.records.last().map(|record| record.last()) else {
            let problem = "the log has no record where its head says that there is one";
            return Err(damage_error(self.first, problem).into());
        };
        self.records.reverse();
        self.sums.last = last;
        let identity = UnitIdentity { number: self.number, level: 0, first: self.first, last };
        let builder = self.builder.insert(UnitBuilder::new(identity));
        if let Some(newest) = &self.newest {
            builder.expect_like(newest);
        }
        Ok(())
    }
}

impl TailSums {
    /// Sums up the streams that have facts. Of all others, counts the events, and the streams that begin here.
    fn add(&mut self, record: &DecodedRecord) {
        for entry in record.entries() {
            if let Some(hidden) = self.erasure.stream_mut(entry.stream) {
                hidden.summary.lay(&entry);
            } else if let Body::Event { revision, .. } = entry.body {
                self.event_count += 1;
                self.begun_count += u64::from(revision == Revision::FIRST);
            }
        }
    }
}

/// The next record of the log, which must begin where the one before it ends: what is damaged or missing stays in
/// the log, where readers find it so.
fn read_next(bytes: &[u8], first: Position, expected: Position) -> Result<Rc<DecodedRecord>, Halt> {
    let record = DecodedRecord::decode(bytes, first);
    let record = record.map_err(|corrupt| damage_error(first, &corrupt.to_string()))?;
    let is_dense = record.last().0 - record.first().0 == record.len() as u64 - 1;
    if first != expected || !is_dense {
        return Err(damage_error(expected, "positions are missing").into());
    }
    Ok(Rc::new(record))
}
