//! The records of one database in ordered maps, and what each transaction reads of them and changes in them.
//!
//! Reading and changing are apart: what a transaction decides is a [`Changes`], which takes effect whole when
//! it is applied. A storage that simulates a crash between the two drops the changes.

use std::collections::BTreeMap;

use crate::error::WriteOutcome;
use crate::event::Position;

use super::{
    Area, AreaUsage, Batch, Direction, FaultKind, Fetched, GuardedWrite, Head, Key, KeyRange, LogRecord,
    Outcome, Page, Record, Seen, StorageFault, Usage, Written,
};

/// All records of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Records {
    areas: BTreeMap<Area, BTreeMap<Key, Vec<u8>>>,
}

/// What a transaction wants changed: `None` deletes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "changes do nothing until they are applied"]
pub(crate) struct Changes {
    records: Vec<(Area, Key, Option<Vec<u8>>)>,
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

    pub fn get(&self, area: Area, keys: &[Key]) -> Result<Fetched, StorageFault> {
        let values = keys.iter().map(|key| self.record(area, key).cloned()).collect();
        Ok(Fetched { head: self.head()?, values })
    }

    pub fn page(
        &self,
        area: Area,
        range: &KeyRange,
        direction: Direction,
        count_max: usize,
    ) -> Result<Page, StorageFault> {
        let in_range = self.in_range(area, range);
        let record = |(key, value): (&Key, &Vec<u8>)| Record { key: key.clone(), value: value.clone() };
        let records = match direction {
            Direction::Forwards => in_range.take(count_max).map(record).collect(),
            Direction::Backwards => in_range.rev().take(count_max).map(record).collect(),
        };
        Ok(Page { head: self.head()?, records })
    }

    /// Judges a commit on the newest records; what comes of it is in force once the changes are applied.
    pub fn commit<J>(&self, seen: Seen, judge: J) -> Result<(Outcome, Changes), StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch>,
    {
        let head = self.head()?;
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
        let mut records: Vec<_> = batch
            .records
            .into_iter()
            .map(|record| (Area::Log, Key::Position(record.first), Some(record.bytes)))
            .collect();
        records.push((Area::Meta, Key::text(Head::KEY), Some(batch.head.to_bytes())));
        Ok((Outcome::Committed(batch.head), Changes { records }))
    }

    /// Judges a write by its expectations; it is in force once the changes are applied.
    pub fn write(&self, write: GuardedWrite) -> (Written, Changes) {
        let holds = write.expect.iter().all(|(area, key, value)| self.record(*area, key) == value.as_ref());
        if !holds {
            return (Written::Refused, Changes::default());
        }
        let puts = write.puts.into_iter().map(|(area, key, value)| (area, key, Some(value)));
        let deletes = write.deletes.into_iter().map(|(area, key)| (area, key, None));
        (Written::Yes, Changes { records: puts.chain(deletes).collect() })
    }

    pub fn apply(&mut self, changes: Changes) {
        for (area, key, value) in changes.records {
            area.assert_fits(&key);
            let records = self.areas.entry(area).or_default();
            match value {
                Some(value) => records.insert(key, value),
                None => records.remove(&key),
            };
        }
    }

    pub fn usage(&self) -> Usage {
        let areas =
            self.areas.iter().filter(|(_, records)| !records.is_empty()).map(|(area, records)| AreaUsage {
                area: *area,
                record_count: records.len() as u64,
                size_bytes: records.iter().map(|(key, value)| key.size_bytes() + value.len() as u64).sum(),
            });
        Usage { areas: areas.collect(), ..Usage::default() }
    }

    /// The records of the log that begin after a position, in order.
    pub fn log_after(&self, position: Position) -> Vec<LogRecord> {
        let range = KeyRange { from: Some(Key::Position(position.next())), to: None };
        let log_record = |(key, bytes): (&Key, &Vec<u8>)| match key {
            Key::Position(first) => Some(LogRecord { first: *first, bytes: bytes.clone() }),
            Key::Bytes(_) => None,
        };
        self.in_range(Area::Log, &range).filter_map(log_record).collect()
    }

    fn record(&self, area: Area, key: &Key) -> Option<&Vec<u8>> {
        area.assert_fits(key);
        self.areas.get(&area)?.get(key)
    }

    fn in_range(
        &self,
        area: Area,
        range: &KeyRange,
    ) -> impl DoubleEndedIterator<Item = (&Key, &Vec<u8>)> + use<'_> {
        let bounds = (range.from.clone(), range.to.clone());
        for key in [&bounds.0, &bounds.1].into_iter().flatten() {
            area.assert_fits(key);
        }
        // A map refuses a range whose bounds are crossed; to the port it is an empty one.
        let is_crossed = matches!(&bounds, (Some(from), Some(to)) if to < from);
        let records = if is_crossed { None } else { self.areas.get(&area) };
        let from = bounds.0.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included);
        let to = bounds.1.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included);
        records.into_iter().flat_map(move |records| records.range((from.clone(), to.clone())))
    }

    fn assert_overwrites_nothing(&self, batch: &Batch) {
        for record in &batch.records {
            assert!(self.record(Area::Log, &Key::Position(record.first)).is_none(), "a commit overwrites");
        }
    }
}
