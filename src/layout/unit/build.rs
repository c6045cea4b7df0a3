//! Makes a unit: takes in records of the log, or the blocks of older units.
//!
//! ```text
//! UnitBuilder::add ...            what is to be in the unit, record by record, in the order of positions
//! UnitBuilder::arrange_step ...   by stream, a part of it at a time
//! UnitBuilder::arrange            all that is left of that
//! ArrangedUnit::next_block ...    one block a step
//! ArrangedUnit::finish_step ...   the order of the directory's keys, a part of it at a time
//! ArrangedUnit::finish            the header, and what the directory is to know
//! ```
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::pack::{Ratio, text_bytes};
use crate::codec::{Body, Corrupt, DecodedRecord, Entry};
use crate::event::{Position, UnixMillis};
use crate::layout::directory::{Kind, Page, Summary};
use crate::layout::{UnitNumber, sealed};

use super::arrange::Arranging;
use super::arranged::BYTES_BESIDE_TEXT;
use super::commits::Commits;
use super::header::{Times, UnitInfo};
use super::known::Known;

/// About what an entry adds to the filters of a unit.
const FILTER_BYTES_PER_ENTRY: u64 = 5;

/// What is decided of a unit before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitIdentity {
    /// Its number.
    pub number: UnitNumber,
    /// Its level.
    pub level: u32,
    /// The first position that it covers.
    pub first: Position,
    /// The last position that it covers.
    pub last: Position,
}

/// A unit in the making, which takes in what it is made of.
#[derive(Debug)]
pub struct UnitBuilder {
    pub(super) info: UnitInfo,
    pub(super) records: Vec<Rc<DecodedRecord>>,
    pub(super) rows: Vec<Row>,
    pub(super) commits: Commits,
    pub(super) known: Known,
    /// For each number of a key, what was taken in of its stream.
    pub(super) taken: Vec<Taken>,
    /// What is done of putting the rows into their order.
    pub(super) arranging: Option<Arranging>,
    /// What the records of the unit may come to.
    pub(super) ratio: Ratio,
    /// Which of the units that are merged is being taken in, from 1.
    source: u32,
}

/// An entry that is to be in the unit, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub record: u32,
    /// Its index in the record.
    pub entry: u32,
    /// The number of its stream's key.
    pub stream: u32,
    /// The number of its commit.
    pub commit: u32,
    /// Bytes of its names, payloads and tags.
    pub text_bytes: u32,
    pub position: Position,
}

/// What was taken in of a stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    /// Whether events of it were erased.
    pub is_erased: bool,
    /// The source whose remains say everything that its records say of the stream. 0 for none.
    told_by_source: u32,
    /// How many entries of it are to be in the unit.
    pub row_count: u32,
    /// The position of the last of these.
    last: Position,
    /// Whether one came before another that stands before it.
    pub is_in_disorder: bool,
}

impl UnitBuilder {
    /// A unit of nothing yet.
    pub fn new(identity: UnitIdentity) -> Self {
        let UnitIdentity { number, level, first, last } = identity;
        let info = UnitInfo {
            number,
            level,
            first,
            last,
            block_count: 0,
            remains_count: 0,
            entry_count: 0,
            stored_bytes: 0,
            raw_bytes: 0,
            commit_time: UnixMillis(i64::MIN),
            times: None,
        };
        Self {
            info,
            records: Vec::new(),
            rows: Vec::new(),
            commits: Commits::default(),
            known: Known::default(),
            taken: Vec::new(),
            arranging: None,
            ratio: Ratio::GUESS,
            source: 1,
        }
    }

    /// The number of the unit.
    pub fn number(&self) -> UnitNumber {
        self.info.number
    }

    /// Begins with a unit that is merged into this one. Its pages of remains come next, then its blocks. Its latest
    /// commit may have been erased.
    pub fn begin_unit(&mut self, info: &UnitInfo) {
        self.source = self.source.saturating_add(1);
        self.info.commit_time = self.info.commit_time.max(info.commit_time);
        self.expect_like(info);
    }

    /// Expects records like those of another unit, so that the first block is as large as it should be at once. A unit
    /// that is merged is expected anyway.
    pub fn expect_like(&mut self, info: &UnitInfo) {
        if info.entry_count == 0 {
            return;
        }
        let beside_text = info.entry_count.saturating_mul(BYTES_BESIDE_TEXT as u64);
        let filters = info.entry_count.saturating_mul(FILTER_BYTES_PER_ENTRY);
        let bounded = |bytes: u64| bytes.clamp(1, u64::from(u32::MAX)) as usize;
        let estimated_bytes = bounded(info.raw_bytes.saturating_add(beside_text));
        self.ratio.learn(estimated_bytes, bounded(info.stored_bytes.saturating_sub(filters)));
    }

    /// Takes in what remains of streams of which the unit that began last had events erased. Errors: [`Corrupt`].
    pub fn add_remains(&mut self, page: &Page) -> Result<(), Box<Corrupt>> {
        for index in 0..page.len() {
            let name =
                page.key(index).and_then(<[u8]>::split_first).map(|(_, name)| std::str::from_utf8(name));
            let (Some(Ok(name)), Some(Summary::Stream(newer))) = (name, page.summary(index)?) else {
                return Err(sealed::body(&[]).corrupt("remains are of something else than a stream"));
            };
            let stream = self.stream_number(name);
            self.note_erased(stream, self.source);
            if let Some(summary) = self.known.stream(stream) {
                *summary = std::mem::take(summary).then(newer.without_places());
            }
        }
        Ok(())
    }

    /// Takes in the next record of the log, or the next block of a unit. Events that are hidden are left out; facts
    /// never are. Errors: [`Corrupt`] where a block does not say which commits it is of.
    pub fn add(
        &mut self,
        record: Rc<DecodedRecord>,
        is_hidden: &dyn Fn(&Entry<'_>) -> bool,
    ) -> Result<(), Box<Corrupt>> {
        let commits = self.commits.add(&record)?;
        let latest = record.commit_times().max();
        self.info.commit_time = latest.map_or(self.info.commit_time, |time| time.max(self.info.commit_time));
        let mut stream_before: Option<(&str, u32)> = None;
        for ((entry, commit), index) in record.entries().zip(record.commit_indexes()).zip(0..) {
            let stream = match stream_before {
                Some((name, number)) if name == entry.stream => number,
                _ => self.stream_number(entry.stream),
            };
            stream_before = Some((entry.stream, stream));
            self.lay(stream, &entry);
            if matches!(entry.body, Body::Event { .. }) && is_hidden(&entry) {
                self.note_erased(stream, 0);
                continue;
            }
            let record = self.records.len() as u32;
            let commit = commits.get(commit as usize).copied().unwrap_or_default();
            self.keep(
                &entry,
                Row { record, entry: index, stream, commit, text_bytes: 0, position: entry.position },
            );
        }
        self.records.push(record);
        Ok(())
    }

    fn stream_number(&mut self, name: &str) -> u32 {
        let number = self.known.number_of(Kind::Stream, name);
        self.taken.resize(self.known.len(), Taken::default());
        number
    }

    fn note_erased(&mut self, stream: u32, told_by_source: u32) {
        if let Some(taken) = self.taken.get_mut(stream as usize) {
            taken.is_erased = true;
            taken.told_by_source = taken.told_by_source.max(told_by_source);
        }
    }

    /// Sums up what the entry says of its stream, unless remains have said it.
    fn lay(&mut self, stream: u32, entry: &Entry<'_>) {
        let is_told = self.taken.get(stream as usize).is_some_and(|it| it.told_by_source == self.source);
        if let Some(summary) = self.known.stream(stream).filter(|_| !is_told) {
            summary.lay(entry);
        }
    }

    fn keep(&mut self, entry: &Entry<'_>, row: Row) {
        let text_bytes = text_bytes(entry);
        self.info.raw_bytes = self.info.raw_bytes.saturating_add(text_bytes as u64);
        self.info.entry_count = self.info.entry_count.saturating_add(1);
        self.info.times = Some(Times::with(self.info.times, entry.time));
        self.commits.keep(row.commit, entry.position);
        if let Some(taken) = self.taken.get_mut(row.stream as usize) {
            taken.is_in_disorder |= 0 < taken.row_count && entry.position <= taken.last;
            taken.row_count = taken.row_count.saturating_add(1);
            taken.last = entry.position;
        }
        self.rows.push(Row { text_bytes: text_bytes as u32, ..row });
    }
}
