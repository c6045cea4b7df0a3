//! A unit whose entries are in their order: cuts it into blocks.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::order::by_position;
use crate::codec::pack::{ENTRY_BYTES, FRAME_BYTES, Ratio};
use crate::codec::{Body, Corrupt, DecodedRecord, Entry, Extensions, Frame, Place, encode_arranged};
use crate::event::{Position, UnixMillis};
use crate::layout::{BlockAddress, BlockIndex, Filter, sealed};

use super::block::{CommitPart, extensions_of_part};
use super::build::{Row, UnitBuilder};
use super::header::{BlockInfo, UnitHeader, UnitInfo};
use super::known::{EntriesInOrder, Known};

/// Largest block in bytes as it is stored, but for one of a single event that is larger.
const BLOCK_BYTES_TARGET: usize = 16 * 1024;
/// What a block is planned to be: a little less, because the estimate is one.
const PLANNED_BYTES: usize = BLOCK_BYTES_TARGET / 100 * 94;
/// A block at least this full is not tried again with more.
const FULL_BYTES: usize = BLOCK_BYTES_TARGET / 100 * 75;
/// Largest body of a block before packing, about: reading one event unpacks all of it.
const BODY_BYTES_TARGET: usize = 128 * 1024;
/// How often a block is tried to be fuller before what fits is taken.
const ATTEMPTS_MAX: usize = 3;

/// A unit that is cut into blocks.
#[derive(Debug)]
pub struct ArrangedUnit {
    header: UnitHeader,
    records: Vec<Rc<DecodedRecord>>,
    /// By stream, and in each by position.
    rows: Vec<Row>,
    commits: Vec<CommitPart>,
    known: Known,
    /// The numbers of all streams, in the order of their names.
    streams: Vec<u32>,
    remains: Vec<Vec<u8>>,
    /// The first row that is in no block yet.
    next_row: usize,
    ratio: Ratio,
}

/// A block as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltBlock {
    /// Its index in the unit.
    pub index: BlockIndex,
    /// The block.
    pub block: Vec<u8>,
    /// Its filter.
    pub filter: Vec<u8>,
}

/// What is left when all blocks are made.
#[derive(Debug)]
pub struct FinishedUnit {
    /// The header.
    pub header: UnitHeader,
    /// What the directory is to know, in the order of the keys.
    pub entries: EntriesInOrder,
}

/// A block that was tried.
struct Attempt {
    bytes: Vec<u8>,
    end: usize,
}

impl ArrangedUnit {
    pub(super) fn new(
        builder: UnitBuilder,
        commits: Vec<CommitPart>,
        streams: Vec<u32>,
        remains: Vec<Vec<u8>>,
    ) -> Self {
        let UnitBuilder { info, records, rows, known, .. } = builder;
        let remains_bytes: usize = remains.iter().map(Vec::len).sum();
        let info =
            UnitInfo { remains_count: remains.len() as u32, stored_bytes: remains_bytes as u64, ..info };
        let header = UnitHeader { info, blocks: Vec::new() };
        Self { header, records, rows, commits, known, streams, remains, next_row: 0, ratio: Ratio::GUESS }
    }

    /// The pages of what remains of erased events, as they are stored.
    pub fn remains(&self) -> &[Vec<u8>] {
        &self.remains
    }

    /// Makes the next block. `None` after the last. Errors: [`Corrupt`] where two entries claim the same position,
    /// or where a commit cannot be split.
    pub fn next_block(&mut self) -> Result<Option<BuiltBlock>, Box<Corrupt>> {
        let start = self.next_row;
        if self.rows.len() <= start {
            return Ok(None);
        }
        let Attempt { bytes, end } = self.cut(start)?;
        self.next_row = end;
        let index = BlockIndex(self.header.info.block_count);
        let rows = self.rows.get(start..end).unwrap_or_default();
        let address = BlockAddress { unit: self.header.info.number, block: index };
        let mut ids = Vec::with_capacity(rows.len());
        let (mut first, mut last) = (Position(u64::MAX), Position::START);
        for row in rows {
            let Some(entry) = entry_of(&self.records, row) else { continue };
            self.known.store(row.stream, &entry, address);
            if matches!(entry.body, Body::Event { .. }) {
                ids.push(entry.id);
            }
            (first, last) = (first.min(entry.position), last.max(entry.position));
        }
        let first_entry = rows.first().and_then(|row| entry_of(&self.records, row));
        let first_stream = first_entry.map_or("", |entry| entry.stream).to_owned();
        let filter = Filter::build(&ids).to_bytes();
        let (entry_count, stored_bytes) = (rows.len() as u32, bytes.len() as u32);
        self.header.blocks.push(BlockInfo { first_stream, first, last, entry_count, stored_bytes });
        let info = &mut self.header.info;
        info.block_count = info.block_count.saturating_add(1);
        let added_bytes = bytes.len().saturating_add(filter.len()) as u64;
        info.stored_bytes = info.stored_bytes.saturating_add(added_bytes);
        Ok(Some(BuiltBlock { index, block: bytes, filter }))
    }

    /// Ends the unit, whose blocks are all made.
    pub fn finish(self) -> FinishedUnit {
        FinishedUnit { header: self.header, entries: self.known.into_entries(&self.streams) }
    }

    /// The block that begins with the row at `start`.
    ///
    /// LZ4 does not say beforehand what it makes of a text. So the cut is guessed from what it made of the last
    /// block, and moved while the block is too large, or much too small.
    fn cut(&mut self, start: usize) -> Result<Attempt, Box<Corrupt>> {
        let mut exceeding = self.rows.len().saturating_add(1);
        let mut fitting: Option<Attempt> = None;
        for attempt in 0.. {
            let least = fitting.as_ref().map_or(start, |it| it.end).saturating_add(1);
            let guess = match attempt {
                0..ATTEMPTS_MAX => self.guess_end(start),
                _ => start.saturating_add(exceeding) / 2,
            };
            let end = guess.min(exceeding.saturating_sub(1)).max(least);
            let bytes = self.encode(start, end)?;
            self.ratio.learn(self.estimate_bytes(start, end), bytes.len());
            if BLOCK_BYTES_TARGET < bytes.len() && least < end {
                exceeding = end;
                continue;
            }
            let exceeds = BLOCK_BYTES_TARGET < bytes.len() && fitting.is_some();
            let is_full = FULL_BYTES <= bytes.len();
            if !exceeds {
                fitting = Some(Attempt { bytes, end });
            }
            // A guess that is no further says that the block ends with a stream, or with the body that it may have.
            let is_last = exceeds || end.saturating_add(1) >= exceeding || self.guess_end(start) <= end;
            if is_full || is_last || ATTEMPTS_MAX <= attempt {
                break;
            }
        }
        fitting.ok_or_else(|| sealed::body(&[]).corrupt("a block has no entry"))
    }

    /// Where a block that begins with the row at `start` should end.
    fn guess_end(&self, start: usize) -> usize {
        let budget_bytes = self.ratio.unpacked_bytes(PLANNED_BYTES).min(BODY_BYTES_TARGET);
        let mut sum_bytes = 0_usize;
        let rows = self.rows.get(start..).unwrap_or_default();
        let fits = |row: &&Row| {
            sum_bytes = sum_bytes.saturating_add(estimated_bytes(row));
            sum_bytes <= budget_bytes
        };
        let end = start.saturating_add(rows.iter().take_while(fits).count().max(1));
        match self.start_of_cut_stream(end) {
            // The stream that would be cut fits into the next block, and this one is full enough without it.
            Some(stream_start)
                if start < stream_start
                    && self.stream_bytes(stream_start, budget_bytes) <= budget_bytes
                    && budget_bytes / 2 <= self.estimate_bytes(start, stream_start) =>
            {
                stream_start
            }
            _ => end,
        }
    }

    /// The first row of the stream that a cut before the row at `end` goes through.
    fn start_of_cut_stream(&self, end: usize) -> Option<usize> {
        let cut = self.rows.get(end)?.stream;
        let before = self.rows.get(..end)?.iter().rev().take_while(|row| row.stream == cut).count();
        (0 < before).then(|| end.saturating_sub(before))
    }

    /// What the stream that begins at a row is estimated to come to, or more than `budget_bytes`.
    fn stream_bytes(&self, start: usize, budget_bytes: usize) -> usize {
        let rows = self.rows.get(start..).unwrap_or_default();
        let stream = rows.first().map(|row| row.stream);
        let mut sum_bytes = 0_usize;
        for row in rows.iter().take_while(|row| Some(row.stream) == stream) {
            sum_bytes = sum_bytes.saturating_add(estimated_bytes(row));
            if budget_bytes < sum_bytes {
                break;
            }
        }
        sum_bytes
    }

    fn estimate_bytes(&self, start: usize, end: usize) -> usize {
        self.rows.get(start..end).unwrap_or_default().iter().map(estimated_bytes).sum()
    }

    /// The rows as a block.
    fn encode(&self, start: usize, end: usize) -> Result<Vec<u8>, Box<Corrupt>> {
        let rows = self.rows.get(start..end).unwrap_or_default();
        let ordered = by_position(rows.iter().map(|row| row.position).zip(0..).collect());
        if !ordered.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(sealed::body(&[]).corrupt("two entries have the same position"));
        }
        // Entries of a commit stand side by side in the log.
        let in_log: Vec<(usize, &Row)> =
            ordered.iter().filter_map(|(_, index)| Some((*index, rows.get(*index)?))).collect();
        let groups = || in_log.chunk_by(|(_, one), (_, next)| one.commit == next.commit);
        let extensions = groups().map(|group| self.extensions_of(group)).collect::<Result<Vec<_>, _>>()?;
        let mut places = vec![Place { frame: 0, entry: 0 }; rows.len()];
        let mut frames = Vec::with_capacity(extensions.len());
        for (group, extensions) in groups().zip(&extensions) {
            let mut entries = Vec::with_capacity(group.len());
            for (index, row) in group {
                let (Some(place), Some(entry)) = (places.get_mut(*index), entry_of(&self.records, row))
                else {
                    continue;
                };
                *place = Place { frame: frames.len(), entry: entries.len() };
                entries.push(entry);
            }
            let time = group.first().and_then(|(_, row)| self.commit_of(row)).map(|(time, _)| time);
            frames.push(Frame { time: time.unwrap_or_default(), extensions, entries });
        }
        Ok(encode_arranged(&frames, &places).bytes)
    }

    fn extensions_of(&self, group: &[(usize, &Row)]) -> Result<Extensions, Box<Corrupt>> {
        let Some((_, row)) = group.first() else { return Ok(Extensions::new()) };
        match (self.commit_of(row), self.commits.get(row.commit as usize)) {
            (Some((_, given)), Some(part)) => extensions_of_part(given, *part, row.position, group.len()),
            _ => Ok(Extensions::new()),
        }
    }

    /// The time and the extensions of a row's commit.
    fn commit_of(&self, row: &Row) -> Option<(UnixMillis, &Extensions)> {
        self.records.get(row.record as usize)?.commit_of(row.entry as usize)
    }
}

/// Never `None` for a row of these records.
fn entry_of<'a>(records: &'a [Rc<DecodedRecord>], row: &Row) -> Option<Entry<'a>> {
    records.get(row.record as usize)?.entry(row.entry as usize)
}

/// About what an entry adds to the body of a block.
fn estimated_bytes(row: &Row) -> usize {
    (row.text_bytes as usize).saturating_add(ENTRY_BYTES).saturating_add(FRAME_BYTES)
}
