//! The tail becomes a unit.

use std::rc::Rc;

use crate::codec::pack::text_bytes;
use crate::codec::{Body, DecodedRecord};
use crate::event::{Position, Revision};
use crate::host::Host;
use crate::layout::directory::{Kind, Summary, key};
use crate::layout::plan::UNIT_RAW_BYTES_MAX;
use crate::layout::unit::{UnitBuilder, UnitIdentity};
use crate::layout::{StreamSummary, UnitNumber};
use crate::storage::{Area, Key, KeyRange, Storage};
use crate::store::catch_up::next_page_records;
use crate::store::fetch::{damage_error, page_of_log};

use super::claim::Stored;
use super::erasure::Erasure;
use super::staging::Staging;
use super::swap::{Swap, TailCounts};
use super::{Compactor, Halt, damage_in};

/// How many records of the log are asked for first.
const FIRST_PAGE_RECORDS: usize = 64;

/// The oldest records of the tail, as many as one unit may be made of.
#[derive(Default)]
struct Tail {
    records: Vec<Rc<DecodedRecord>>,
    entry_count: u64,
    raw_bytes: u64,
    erasure: Erasure,
}

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// Makes a unit of the tail, or of as much of it as a unit may have. Records hold whole commits, so none is cut.
    pub(super) async fn compact_tail(
        &mut self,
        claimed: &Stored,
        staging: &mut Staging,
    ) -> Result<Swap, Halt> {
        let mut tail = self.read_tail(claimed, staging).await?;
        let Some(last) = tail.records.last().map(|record| record.last()) else {
            let problem = "the log has no record where its head says that there is one";
            return Err(damage_error(claimed.root.covered.next(), problem).into());
        };
        let counts = self.count_tail(claimed, &mut tail, last).await?;
        let identity = UnitIdentity {
            number: UnitNumber(claimed.number()),
            level: 0,
            first: claimed.root.covered.next(),
            last,
        };
        let mut builder = UnitBuilder::new(identity);
        if let Some(newest) = claimed.root.units.last() {
            builder.expect_like(newest);
        }
        for record in std::mem::take(&mut tail.records) {
            let number = record.first().0;
            let added = builder.add(record, &|entry| tail.erasure.hides(entry));
            added.map_err(|corrupt| damage_in(Area::Log, number, &corrupt))?;
            self.advance(staging).await?;
        }
        let (header, entries) = self.build_unit(builder, staging).await?;
        self.erased_count += tail.entry_count.saturating_sub(header.info.entry_count);
        let run = self.build_run(&header.info, entries, staging).await?;
        let (unit_count, run_count) = (claimed.root.units.len(), claimed.root.runs.len());
        Ok(Swap {
            unit: Some((header, unit_count..unit_count)),
            run,
            runs: run_count..run_count,
            tail: Some(counts),
        })
    }

    async fn read_tail(&mut self, claimed: &Stored, staging: &mut Staging) -> Result<Tail, Halt> {
        let entries_max = self.shared.bounds.unit_entries_max;
        let mut tail = Tail::default();
        let mut next = claimed.root.covered.next();
        let mut count_max = FIRST_PAGE_RECORDS;
        loop {
            let range = KeyRange { from: Some(Key::Position(next)), to: None };
            let found = self.read(page_of_log(range, count_max)).await?;
            let records = found.pages.into_iter().next().unwrap_or_default();
            let is_last = records.len() < count_max;
            count_max = next_page_records(&records);
            for stored in records {
                let Key::Position(first) = stored.key else { continue };
                let record = read_next(&stored.value, first, next)?;
                if !tail.take_in(&record, entries_max) {
                    return Ok(tail);
                }
                next = record.last().next();
                self.advance(staging).await?;
            }
            if is_last {
                return Ok(tail);
            }
        }
    }

    /// What the counts of the root become with these records. Streams that have facts here are looked up: what the
    /// facts hid may stand in older units.
    async fn count_tail(
        &mut self,
        claimed: &Stored,
        tail: &mut Tail,
        last: Position,
    ) -> Result<TailCounts, Halt> {
        let root = &claimed.root;
        let (event_count, begun_count) = tail.count_unmarked();
        let mut counts = TailCounts {
            last,
            stream_count: root.stream_count.saturating_add(begun_count),
            visible_count: root.visible_count.saturating_add(event_count),
        };
        if tail.erasure.is_empty() {
            return Ok(counts);
        }
        let keys = tail.erasure.streams().iter().map(|(name, _)| key(Kind::Stream, name.as_str())).collect();
        let olders = self.look_up(&root.runs, keys).await?;
        for ((_, hidden), older) in tail.erasure.streams().iter().zip(olders) {
            let older = match older {
                Some(Summary::Stream(older)) => Some(older),
                _ => None,
            };
            counts.stream_count += u64::from(older.is_none());
            let older = older.unwrap_or_default();
            let before = visible_count(&older);
            let after = visible_count(&older.then(hidden.summary.clone()));
            counts.visible_count = counts.visible_count.saturating_add(after).saturating_sub(before);
        }
        Ok(counts)
    }
}

impl Tail {
    /// Takes in the next record. `false` where a unit would become too large with it.
    fn take_in(&mut self, record: &Rc<DecodedRecord>, entries_max: u64) -> bool {
        let raw_bytes: u64 = record.entries().map(|entry| text_bytes(&entry) as u64).sum();
        self.entry_count += record.len() as u64;
        self.raw_bytes += raw_bytes;
        let is_too_large = entries_max < self.entry_count || UNIT_RAW_BYTES_MAX < self.raw_bytes;
        if is_too_large && !self.records.is_empty() {
            self.entry_count -= record.len() as u64;
            return false;
        }
        record.entries().for_each(|entry| self.erasure.note(&entry));
        self.records.push(Rc::clone(record));
        true
    }

    /// Sums up the streams that have facts. Of all others, counts the events, and the streams that begin here.
    fn count_unmarked(&mut self) -> (u64, u64) {
        let (mut event_count, mut begun_count) = (0, 0);
        for record in &self.records {
            for entry in record.entries() {
                if let Some(hidden) = self.erasure.stream_mut(entry.stream) {
                    hidden.summary.lay(&entry);
                } else if let Body::Event { revision, .. } = entry.body {
                    event_count += 1;
                    begun_count += u64::from(revision == Revision::FIRST);
                }
            }
        }
        (event_count, begun_count)
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

/// How many events of a stream are seen, if this is all that is known of it.
fn visible_count(summary: &StreamSummary) -> u64 {
    let facts = summary.to_facts();
    facts.state.next_revision().0.saturating_sub(facts.visible_from.0)
}
