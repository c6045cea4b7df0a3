//! Makes a unit: takes in records of the log, or the blocks of older units.
//!
//! ```text
//! UnitBuilder::add ...            what is to be in the unit, record by record, in the order of positions
//! UnitBuilder::arrange            by stream
//! ArrangedUnit::next_block ...    one block a step
//! ArrangedUnit::finish            the header, and what the directory is to know
//! ```
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::order::by_position;
use crate::codec::pack::text_bytes;
use crate::codec::{Body, Corrupt, DecodedRecord, Entry};
use crate::event::{Position, UnixMillis};
use crate::layout::directory::{Kind, Page, PageWriter, Summary};
use crate::layout::{UnitNumber, sealed};

use super::arranged::ArrangedUnit;
use super::block::{CommitPart, commit_parts};
use super::header::{Times, UnitInfo};
use super::known::Known;

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
    pub(super) known: Known,
    parts: Vec<Part>,
    /// For each number of a key, what was erased of its stream.
    erased: Vec<Erased>,
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
    /// The index of its part, and once the unit is arranged, of its commit.
    pub commit: u32,
    /// Bytes of its names, payloads and tags.
    pub text_bytes: u32,
    pub position: Position,
}

/// What one record holds of a commit.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// What all parts of a commit have in common.
    commit_first: Position,
    /// The first of the entries that are to be in the unit.
    first: Position,
    entry_count: u64,
}

/// Whether events of a stream were erased.
#[derive(Debug, Clone, Copy, Default)]
struct Erased {
    is_erased: bool,
    /// The source whose remains say everything that its records say of the stream. 0 for none.
    told_by_source: u32,
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
            known: Known::default(),
            parts: Vec::new(),
            erased: Vec::new(),
            source: 1,
        }
    }

    /// Begins with a unit that is merged into this one. Its pages of remains come next, then its blocks. Its latest
    /// commit may have been erased.
    pub fn begin_unit(&mut self, info: &UnitInfo) {
        self.source = self.source.saturating_add(1);
        self.info.commit_time = self.info.commit_time.max(info.commit_time);
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
        let first_part = self.parts.len() as u32;
        let commits = commit_parts(&record)?;
        self.parts.extend(commits.iter().map(|CommitPart { first: commit_first, .. }| Part {
            commit_first: *commit_first,
            first: Position(u64::MAX),
            entry_count: 0,
        }));
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
            let commit = first_part.saturating_add(commit);
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
        self.erased.resize(self.known.len(), Erased::default());
        number
    }

    fn note_erased(&mut self, stream: u32, told_by_source: u32) {
        if let Some(erased) = self.erased.get_mut(stream as usize) {
            erased.is_erased = true;
            erased.told_by_source = erased.told_by_source.max(told_by_source);
        }
    }

    /// Sums up what the entry says of its stream, unless remains have said it.
    fn lay(&mut self, stream: u32, entry: &Entry<'_>) {
        let is_told = self.erased.get(stream as usize).is_some_and(|it| it.told_by_source == self.source);
        if let Some(summary) = self.known.stream(stream).filter(|_| !is_told) {
            summary.lay(entry);
        }
    }

    fn keep(&mut self, entry: &Entry<'_>, row: Row) {
        let text_bytes = text_bytes(entry);
        self.info.raw_bytes = self.info.raw_bytes.saturating_add(text_bytes as u64);
        self.info.entry_count = self.info.entry_count.saturating_add(1);
        self.info.times = Some(Times::with(self.info.times, entry.time));
        if let Some(part) = self.parts.get_mut(row.commit as usize) {
            part.first = part.first.min(entry.position);
            part.entry_count = part.entry_count.saturating_add(1);
        }
        self.rows.push(Row { text_bytes: text_bytes as u32, ..row });
    }

    /// Puts the entries into the order of the unit. Errors: [`Corrupt`] where the entries of a stream did not come in
    /// the order of their positions.
    pub fn arrange(mut self) -> Result<ArrangedUnit, Box<Corrupt>> {
        let commits = self.join_parts();
        let mut starts = vec![0_u32; self.known.len()];
        for row in &self.rows {
            if let Some(count) = starts.get_mut(row.stream as usize) {
                *count = count.saturating_add(1);
            }
        }
        // While records are taken in, all keys are those of streams.
        let streams = self.known.order_from(0);
        place_in_order(&streams, &mut starts);
        let remains = self.remains_of(&streams);
        let ordered = self.rows_by_stream(&mut starts);
        let is_ordered = |one: &Row, next: &Row| one.stream != next.stream || one.position < next.position;
        if !ordered.is_sorted_by(is_ordered) {
            return Err(sealed::body(&[]).corrupt("the entries of a stream are not in their order"));
        }
        self.rows = ordered;
        if self.info.commit_time == UnixMillis(i64::MIN) {
            self.info.commit_time = UnixMillis::default();
        }
        Ok(ArrangedUnit::new(self, commits, streams, remains))
    }

    /// The commits of the unit, each of one or more parts; rows are given the indexes of theirs.
    fn join_parts(&mut self) -> Vec<CommitPart> {
        let placed = self.parts.iter().map(|part| part.commit_first).zip(0..).collect();
        let mut commit_of_part = vec![0_u32; self.parts.len()];
        let mut commits: Vec<CommitPart> = Vec::new();
        let mut first_before = None;
        for (commit_first, index) in by_position(placed) {
            let Some(part) = self.parts.get(index) else { continue };
            if first_before != Some(commit_first) {
                commits.push(CommitPart { first: part.first, entry_count: 0 });
                first_before = Some(commit_first);
            }
            let number = commits.len().saturating_sub(1) as u32;
            if let (Some(commit), Some(place)) = (commits.last_mut(), commit_of_part.get_mut(index)) {
                commit.first = commit.first.min(part.first);
                commit.entry_count = commit.entry_count.saturating_add(part.entry_count);
                *place = number;
            }
        }
        for row in &mut self.rows {
            row.commit = commit_of_part.get(row.commit as usize).copied().unwrap_or_default();
        }
        commits
    }

    /// The pages of what remains of streams of which events were erased.
    fn remains_of(&self, streams: &[u32]) -> Vec<Vec<u8>> {
        let (mut pages, mut writer) = (Vec::new(), PageWriter::default());
        for number in streams {
            let is_erased = self.erased.get(*number as usize).is_some_and(|erased| erased.is_erased);
            if let Some(entry) = self.known.entry(*number).filter(|_| is_erased) {
                writer.push(&entry.key, &entry.summary);
                if writer.is_full() {
                    pages.push(writer.seal().0);
                }
            }
        }
        if !writer.is_empty() {
            pages.push(writer.seal().0);
        }
        pages
    }

    /// The rows stream by stream: counted before, each goes to its place at once.
    fn rows_by_stream(&self, next_places: &mut [u32]) -> Vec<Row> {
        let mut ordered = self.rows.clone();
        for row in &self.rows {
            let Some(next) = next_places.get_mut(row.stream as usize) else { continue };
            if let Some(place) = ordered.get_mut(*next as usize) {
                *place = *row;
            }
            *next = next.saturating_add(1);
        }
        ordered
    }
}

/// Makes the number of rows of each stream the place of its first row.
fn place_in_order(streams: &[u32], counts: &mut [u32]) {
    let mut next = 0_u32;
    for stream in streams {
        if let Some(count) = counts.get_mut(*stream as usize) {
            next = next.saturating_add(std::mem::replace(count, next));
        }
    }
}
