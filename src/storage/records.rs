//! The records of one database in order, and what each transaction reads of them and changes in them.
//!
//! Reading and changing are apart: what a transaction decides is a [`Changes`], which takes effect whole when
//! it is applied. A storage that simulates a crash between the two drops the changes.

use std::ops::Range;

use crate::error::WriteOutcome;
use crate::event::Position;

use super::{
    Area, AreaUsage, Batch, Direction, FaultKind, Found, GuardedWrite, Head, Key, KeyRange, LayoutChange,
    LogRecord, Outcome, PageRequest, Record, Request, Seen, StorageFault, Usage, Written,
};

/// All records of a database: for each area, in the order of [`Area::ALL`], its records in the order of their
/// keys. A log grows at its end, where a list is as good as a map, and much less code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Records {
    areas: [Vec<Record>; Area::ALL.len()],
}

/// What a transaction wants changed: what is deleted goes before the rest comes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "changes do nothing until they are applied"]
pub(crate) struct Changes {
    deletes: Vec<(Area, KeyRange)>,
    puts: Vec<(Area, Key, Vec<u8>)>,
}

#[cfg(any(test, feature = "testing"))]
impl Changes {
    /// Another record under a key, or none.
    pub fn of_record(area: Area, key: Key, value: Option<Vec<u8>>) -> Self {
        let deletes = vec![(area, key.clone().into())];
        Self { deletes, puts: value.into_iter().map(|value| (area, key.clone(), value)).collect() }
    }

    /// Whether they change anything of an area.
    pub fn concern(&self, area: Area) -> bool {
        self.deletes.iter().any(|(of, _)| *of == area) || self.puts.iter().any(|(of, ..)| *of == area)
    }
}

impl Records {
    /// The head, which is empty in an empty database.
    pub fn head(&self) -> Result<Head, StorageFault> {
        let Some(bytes) = self.record(Area::Meta, &Key::text(Head::KEY)) else {
            return Ok(Head::default());
        };
        Head::from_bytes(bytes).ok_or_else(|| StorageFault {
            kind: FaultKind::Damaged,
            outcome: WriteOutcome::NotWritten,
            cause: "the head is not in its stored form".to_owned(),
        })
    }

    pub fn read(&self, request: &Request) -> Result<Found, StorageFault> {
        let mut next = None;
        loop {
            let request = next.as_ref().unwrap_or(request);
            let mut found = self.find(request)?;
            match request.next(&mut found) {
                Some(more) => next = Some(more),
                None => return Ok(found),
            }
        }
    }

    fn find(&self, request: &Request) -> Result<Found, StorageFault> {
        let values = request.keys.iter().map(|(area, key)| self.record(*area, key).cloned()).collect();
        let pages = request.pages.iter().map(|page| self.page(page)).collect();
        Ok(Found { head: self.head()?, values, pages })
    }

    fn page(&self, page: &PageRequest) -> Vec<Record> {
        let in_range = self.in_range(page.area, &page.range);
        match page.direction {
            Direction::Forwards => in_range.iter().take(page.count_max).cloned().collect(),
            Direction::Backwards => in_range.iter().rev().take(page.count_max).cloned().collect(),
        }
    }

    /// Judges a commit on the newest records; what comes of it is in force once the changes are applied.
    pub fn commit<J>(&self, seen: Seen, mut judge: J) -> Result<(Outcome, Changes), StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch>,
    {
        let head = self.head()?;
        head.check_writer()?;
        let Seen { head: seen, tail_bytes_max } = seen;
        let Some(behind_bytes) = head.appended_since(seen) else {
            return Ok((Outcome::Behind(head), Changes::default()));
        };
        if tail_bytes_max < behind_bytes {
            return Ok((Outcome::Behind(head), Changes::default()));
        }
        let tail = if head == seen { Vec::new() } else { self.log_after(seen.position) };
        let Some(batch) = judge(head, &tail) else {
            return Ok((Outcome::Rejected, Changes::default()));
        };
        batch.assert_follows(head);
        self.assert_overwrites_nothing(&batch);
        let put = |record: LogRecord| (Area::Log, Key::Position(record.first), record.bytes);
        let mut puts: Vec<_> = batch.records.into_iter().map(put).collect();
        puts.push((Area::Meta, Key::text(Head::KEY), batch.head.to_bytes()));
        Ok((Outcome::Committed(batch.head), Changes { deletes: Vec::new(), puts }))
    }

    /// Judges a write by the layout and its expectations; it is in force once the changes are applied.
    pub fn write(&self, write: GuardedWrite) -> Result<(Written, Changes), StorageFault> {
        let GuardedWrite { expect, deletes, mut puts, layout, .. } = write;
        let mut holds = expect.iter().all(|(area, key, value)| self.record(*area, key) == value.as_ref());
        if layout != LayoutChange::Keep {
            let head = self.head()?;
            head.check_writer()?;
            match head.changed(layout) {
                Some(changed) if changed == head => {}
                Some(changed) => puts.push((Area::Meta, Key::text(Head::KEY), changed.to_bytes())),
                None => holds = false,
            }
        }
        if !holds {
            return Ok((Written::Refused, Changes::default()));
        }
        Ok((Written::Yes, Changes { deletes, puts }))
    }

    pub fn apply(&mut self, changes: Changes) {
        for (area, range) in changes.deletes {
            let places = self.places(area, &range);
            self.areas[area as usize].drain(places);
        }
        for (area, key, value) in changes.puts {
            let place = self.place(area, &key);
            let records = &mut self.areas[area as usize];
            match place {
                Ok(index) => records[index].value = value,
                Err(index) => records.insert(index, Record { key, value }),
            }
        }
    }

    pub fn usage(&self) -> Usage {
        let mut areas = Vec::new();
        for (area, records) in Area::ALL.into_iter().zip(&self.areas) {
            if records.is_empty() {
                continue;
            }
            let size_bytes = records.iter().map(|record| record.key.size_bytes() + record.value.len() as u64);
            areas.push(AreaUsage { area, record_count: records.len() as u64, size_bytes: size_bytes.sum() });
        }
        Usage { areas, ..Usage::default() }
    }

    /// The records of the log that begin after a position, in order.
    pub fn log_after(&self, position: Position) -> Vec<LogRecord> {
        let range = KeyRange { from: Some(Key::Position(position.next())), to: None };
        let log_record = |record: &Record| match &record.key {
            Key::Position(first) => Some(LogRecord { first: *first, bytes: record.value.clone() }),
            Key::Bytes(_) => None,
        };
        self.in_range(Area::Log, &range).iter().filter_map(log_record).collect()
    }

    fn record(&self, area: Area, key: &Key) -> Option<&Vec<u8>> {
        let index = self.place(area, key).ok()?;
        Some(&self.areas[area as usize][index].value)
    }

    /// Where the record of a key stands in its area, or else where it would be put.
    fn place(&self, area: Area, key: &Key) -> Result<usize, usize> {
        area.assert_fits(key);
        self.areas[area as usize].binary_search_by(|record| record.key.cmp(key))
    }

    fn in_range(&self, area: Area, range: &KeyRange) -> &[Record] {
        &self.areas[area as usize][self.places(area, range)]
    }

    /// Where the records of a range stand in their area.
    fn places(&self, area: Area, range: &KeyRange) -> Range<usize> {
        let end =
            range.to.as_ref().map_or(self.areas[area as usize].len(), |to| match self.place(area, to) {
                Ok(index) => index + 1,
                Err(place) => place,
            });
        let start =
            range.from.as_ref().map_or(0, |from| self.place(area, from).unwrap_or_else(|place| place));
        // Where the bounds are crossed, the end is before the start, and nothing is in between.
        start.min(end)..end
    }

    fn assert_overwrites_nothing(&self, batch: &Batch) {
        for record in &batch.records {
            assert!(self.record(Area::Log, &Key::Position(record.first)).is_none(), "a commit overwrites");
        }
    }
}
