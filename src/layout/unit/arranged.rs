//! A unit whose entries are in their order: cuts it into blocks.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::ControlFlow;
use std::rc::Rc;

use crate::codec::pack::{ENTRY_BYTES, FRAME_BYTES, Ratio};
use crate::codec::{Body, Corrupt, DecodedRecord, Entry, Extensions, Frame, Place, encode_arranged};
use crate::event::{Position, UnixMillis};
use crate::layout::{BlockAddress, BlockIndex, Filter, UnitNumber, sealed};
use crate::sort::{Sorting, sort_by_key};

use super::arrange::PAIRS_PER_STEP;
use super::block::extensions_of_part;
use super::build::{Row, UnitBuilder};
use super::commits::Commits;
use super::header::{BlockInfo, UnitHeader, UnitInfo};
use super::known::{EntriesInOrder, Known};

/// Largest block in bytes as it is stored, but for one of a single event that is larger.
const BLOCK_BYTES_TARGET: usize = 24 * 1024;
/// What a block is planned to be: a little less, because the estimate is one.
const PLANNED_BYTES: usize = BLOCK_BYTES_TARGET / 100 * 94;
/// A block at least this full is not tried again with more.
const FULL_BYTES: usize = BLOCK_BYTES_TARGET / 100 * 75;
/// Largest body of a block before packing, about: reading one event unpacks all of it.
const BODY_BYTES_TARGET: usize = 192 * 1024;
/// How often a block is tried to be fuller before what fits is taken.
const ATTEMPTS_MAX: usize = 3;

/// About what an entry adds to the body of a block beside its text.
pub(super) const BYTES_BESIDE_TEXT: usize = ENTRY_BYTES + FRAME_BYTES;

/// A unit that is cut into blocks.
#[derive(Debug)]
pub struct ArrangedUnit {
    header: UnitHeader,
    records: Vec<Rc<DecodedRecord>>,
    /// By stream, and in each by position.
    rows: Vec<Row>,
    commits: Commits,
    known: Known,
    /// The numbers of all streams, in the order of their names.
    streams: Vec<u32>,
    /// The numbers of all other keys, on their way into order.
    others: Option<Sorting>,
    remains: Vec<Vec<u8>>,
    /// The first row that is in no block yet.
    next_row: usize,
    /// What is known of where the block that begins there can end.
    cut: Cut,
    ratio: Ratio,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockStep {
    /// A block was tried, and is too large or much too small: it is tried again.
    Tried,
    /// The next block.
    Block(BuiltBlock),
    /// All blocks are made.
    Finished,
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

/// The attempts at a block.
#[derive(Debug)]
struct Cut {
    attempt: usize,
    /// The first end that is known to be too far.
    exceeding: usize,
    /// The fullest block that fits.
    fitting: Option<Attempt>,
}

/// A block that was tried.
#[derive(Debug)]
struct Attempt {
    bytes: Vec<u8>,
    end: usize,
}

impl Cut {
    const NEW: Self = Self { attempt: 0, exceeding: usize::MAX, fitting: None };
}

impl ArrangedUnit {
    /// The unit of a builder whose rows are in their order.
    pub(super) fn new(builder: UnitBuilder, streams: Vec<u32>, remains: Vec<Vec<u8>>) -> Self {
        let UnitBuilder { info, records, rows, commits, known, ratio, .. } = builder;
        let remains_bytes: usize = remains.iter().map(Vec::len).sum();
        let info =
            UnitInfo { remains_count: remains.len() as u32, stored_bytes: remains_bytes as u64, ..info };
        let header = UnitHeader { info, blocks: Vec::new() };
        let (next_row, cut) = (0, Cut::NEW);
        Self { header, records, rows, commits, known, streams, others: None, remains, next_row, cut, ratio }
    }

    /// The number of the unit.
    pub fn number(&self) -> UnitNumber {
        self.header.info.number
    }

    /// The pages of what remains of erased events, as they are stored.
    pub fn remains(&self) -> &[Vec<u8>] {
        &self.remains
    }

    /// Makes the next block. `None` after the last. Errors: those of [`ArrangedUnit::block_step`].
    pub fn next_block(&mut self) -> Result<Option<BuiltBlock>, Box<Corrupt>> {
        loop {
            match self.block_step()? {
                BlockStep::Tried => {}
                BlockStep::Block(built) => return Ok(Some(built)),
                BlockStep::Finished => return Ok(None),
            }
        }
    }

    /// Tries to make the next block: mostly, the first attempt is right. Errors: [`Corrupt`] where two entries claim
    /// the same position, or where a commit cannot be split.
    pub fn block_step(&mut self) -> Result<BlockStep, Box<Corrupt>> {
        if self.rows.len() <= self.next_row {
            return Ok(BlockStep::Finished);
        }
        let mut cut = std::mem::replace(&mut self.cut, Cut::NEW);
        match (self.try_cut(&mut cut)?, cut.fitting.take()) {
            (ControlFlow::Break(()), Some(fitting)) => Ok(BlockStep::Block(self.take_block(fitting))),
            (_, fitting) => {
                self.cut = Cut { fitting, ..cut };
                Ok(BlockStep::Tried)
            }
        }
    }

    /// Notes what stands in a block.
    fn take_block(&mut self, Attempt { bytes, end }: Attempt) -> BuiltBlock {
        let start = std::mem::replace(&mut self.next_row, end);
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
        BuiltBlock { index, block: bytes, filter }
    }

    /// Goes on with putting the keys of the directory into their order, for a few milliseconds at most. `Break` where
    /// [`ArrangedUnit::finish`] has nothing left to do that takes long. All blocks are made.
    pub fn finish_step(&mut self) -> ControlFlow<()> {
        let known = &self.known;
        let unsorted = || Sorting::new((self.streams.len() as u32..known.len() as u32).collect());
        let others = self.others.get_or_insert_with(unsorted);
        others.step(PAIRS_PER_STEP, &|one, other| known.is_less(one, other))
    }

    /// Ends the unit, whose blocks are all made.
    pub fn finish(mut self) -> FinishedUnit {
        while self.finish_step().is_continue() {}
        let others = self.others.as_ref().map_or(&[][..], Sorting::numbers);
        FinishedUnit { header: self.header, entries: self.known.into_entries(&self.streams, others) }
    }

    /// Tries a block that begins with the next row. `Break` where what fits is to be taken.
    ///
    /// LZ4 does not say beforehand what it makes of a text. So the cut is guessed from what it made of the last
    /// block, and moved while the block is too large, or much too small.
    fn try_cut(&mut self, cut: &mut Cut) -> Result<ControlFlow<()>, Box<Corrupt>> {
        let start = self.next_row;
        cut.exceeding = cut.exceeding.min(self.rows.len().saturating_add(1));
        let least = cut.fitting.as_ref().map_or(start, |it| it.end).saturating_add(1);
        let guess = match cut.attempt {
            0..ATTEMPTS_MAX => self.guess_end(start),
            _ => start.saturating_add(cut.exceeding) / 2,
        };
        let end = guess.min(cut.exceeding.saturating_sub(1)).max(least);
        let bytes = self.encode(start, end)?;
        self.ratio.learn(self.estimate_bytes(start, end), bytes.len());
        let is_decided = ATTEMPTS_MAX <= cut.attempt;
        cut.attempt = cut.attempt.saturating_add(1);
        if BLOCK_BYTES_TARGET < bytes.len() && least < end {
            cut.exceeding = end;
            return Ok(ControlFlow::Continue(()));
        }
        let exceeds = BLOCK_BYTES_TARGET < bytes.len() && cut.fitting.is_some();
        let is_full = FULL_BYTES <= bytes.len();
        if !exceeds {
            cut.fitting = Some(Attempt { bytes, end });
        }
        // A guess that is no further says that the block ends with a stream, or with the body that it may have.
        let is_last = exceeds || end.saturating_add(1) >= cut.exceeding || self.guess_end(start) <= end;
        let is_taken = is_full || is_last || is_decided;
        Ok(if is_taken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
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
        match self.start_of_cut_stream(start, end) {
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

    /// The first row, from `start` on, of the stream that a cut before the row at `end` goes through.
    fn start_of_cut_stream(&self, start: usize, end: usize) -> Option<usize> {
        let cut = self.rows.get(end)?.stream;
        let before = self.rows.get(start..end)?.iter().rev().take_while(|row| row.stream == cut).count();
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
        let ordered = sort_by_key(rows.iter().map(|row| row.position.0).zip(0..).collect());
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
        match (self.commit_of(row), self.commits.get(row.commit)) {
            (Some((_, given)), Some(part)) => extensions_of_part(given, part, row.position, group.len()),
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
    (row.text_bytes as usize).saturating_add(BYTES_BESIDE_TEXT)
}
