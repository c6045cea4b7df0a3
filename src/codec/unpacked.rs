//! A block that is unpacked, and what one stream has in it: read without making rows of all others.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::mem::size_of;
use std::ops::Range;

use crate::event::{Position, Revision};
use crate::limits;

use super::Corrupt;
use super::cursor::Cursor;
use super::decode::unpack;
use super::decoded_record::{Commit, DecodedRecord, NameTable, Row, Span};
use super::expected::{CommitsLeft, next_position};
use super::flags::EntryFlags;
use super::header::Header;
use super::ids::IdReader;
use super::parse::{Parser, TEXT_PROBLEM, place_payloads, split};

/// A record of which the checksum matches, and nothing else was read yet.
#[derive(Debug)]
pub struct UnpackedRecord {
    header: Header,
    text: String,
    tables: Vec<u8>,
}

impl UnpackedRecord {
    /// Unpacks the record that is kept under `key`. Errors: [`Corrupt`] where it is not a record, or not whole.
    pub fn open(bytes: &[u8], key: Position) -> Result<Self, Corrupt> {
        let open = || {
            let (header, stored_body) = Header::open(bytes, key)?;
            let (text, tables) = split(&header, unpack(&header, stored_body)?)?;
            Ok(Self { header, text, tables })
        };
        open().map_err(|corrupt: Box<Corrupt>| *corrupt)
    }

    /// The entries of a stream, if it has any here: those that stand side by side, as all of a stream do in a block. Of
    /// what stands after them nothing is looked at but where it ends.
    ///
    /// Errors: [`Corrupt`] where they cannot be read.
    pub fn of_stream(&self, name: &str) -> Result<Option<DecodedRecord>, Corrupt> {
        self.read_stream(name).map_err(|corrupt| *corrupt)
    }

    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        let texts = self.text.capacity().saturating_add(self.tables.capacity());
        size_of::<Self>().saturating_add(texts)
    }

    fn read_stream(&self, name: &str) -> Result<Option<DecodedRecord>, Box<Corrupt>> {
        let Self { header, text, tables } = self;
        let mut parser = Parser::new(text, tables);
        let [stream_names, type_names, tag_names] = parser.name_tables()?;
        let Some(stream) = stream_names.index_of(text, name) else { return Ok(None) };
        let (commits, extensions) = parser.commits(header)?;
        let payloads_start = parser.text_offset();
        let cursor = parser.into_cursor();
        let Some((mut columns, mut rows)) = Columns::begin(cursor, header, stream)? else { return Ok(None) };
        columns.types(&mut rows, type_names.len())?;
        columns.positions(&mut rows, header)?;
        columns.commits(&mut rows, &commits)?;
        columns.times(&mut rows, &commits)?;
        columns.revisions(&mut rows)?;
        let tags = columns.tags(&mut rows, tag_names.len())?;
        let skipped_bytes = columns.payloads(&mut rows)?;
        columns.ids(&mut rows)?;

        let names_start = type_names.start();
        let payloads = payloads_start.saturating_add(skipped_bytes);
        let payloads = payloads..payloads.saturating_add(payload_bytes(&rows));
        let (Some(names), Some(payloads)) = (text.get(names_start..tag_names.end()), text.get(payloads))
        else {
            return Err(columns.corrupt(TEXT_PROBLEM));
        };
        // All that is kept of the text: the name, all types and tags, and the payloads.
        let kept = [name, names, payloads].concat();
        place_payloads(&mut rows, &kept, name.len().saturating_add(names.len()))
            .ok_or_else(|| columns.corrupt(TEXT_PROBLEM))?;
        let shifted = |table: NameTable| table.shifted(names_start, name.len());
        let stream_names = NameTable { bounds: vec![0, name.len() as u32] };
        let (type_names, tag_names) = (shifted(type_names), shifted(tag_names));
        let (header, text) = (*header, kept);
        Ok(Some(DecodedRecord {
            header,
            text,
            stream_names,
            type_names,
            tag_names,
            commits,
            extensions,
            rows,
            tags,
        }))
    }
}

/// How long all payloads are together.
fn payload_bytes(rows: &[Row]) -> usize {
    let lengths = rows.iter().map(|row| row.data.len().saturating_add(row.metadata.len()));
    lengths.fold(0, usize::saturating_add)
}

/// Reads the value that an entry has in a column into its row.
type ReadValue<'r, 'a> = &'r mut dyn FnMut(&mut Cursor<'a>, &mut Row) -> Result<(), Box<Corrupt>>;

/// The columns of a record, each read up to the entries that are wanted, and passed over behind them.
struct Columns<'a> {
    cursor: Cursor<'a>,
    /// The flags of all entries.
    flags: &'a [u8],
    /// The entries that are wanted.
    wanted: Range<usize>,
}

impl<'a> Columns<'a> {
    /// Finds the entries of a stream, and makes their rows. `None` where there are none.
    fn begin(
        mut cursor: Cursor<'a>,
        header: &Header,
        stream: usize,
    ) -> Result<Option<(Self, Vec<Row>)>, Box<Corrupt>> {
        let flags = cursor.take(header.entry_count)?;
        let (mut start, mut end) = (None, flags.len());
        for place in 0..flags.len() {
            match (cursor.size(usize::MAX, "an index is beyond its table")? == stream, start) {
                (true, None) => start = Some(place),
                (false, Some(_)) => {
                    end = place;
                    break;
                }
                _ => {}
            }
        }
        let Some(start) = start else { return Ok(None) };
        cursor
            .skip_numbers(flags.len().saturating_sub(end).saturating_sub(usize::from(end < flags.len())))?;
        let columns = Self { cursor, flags, wanted: start..end };
        let mut rows = Vec::with_capacity(end.saturating_sub(start));
        for flags in columns.within() {
            flags.check_fact().map_err(|problem| columns.corrupt(problem))?;
            rows.push(Row::new(flags));
        }
        Ok(Some((columns, rows)))
    }

    fn corrupt(&self, problem: &'static str) -> Box<Corrupt> {
        self.cursor.corrupt(problem)
    }

    fn flags_in(&self, range: Range<usize>) -> impl Iterator<Item = EntryFlags> + use<'a> {
        self.flags.get(range).unwrap_or_default().iter().map(|flags| EntryFlags(*flags))
    }

    /// Passes over the values that some of the entries have in a column.
    #[inline(never)]
    fn skip(&mut self, entries: Range<usize>, has: fn(EntryFlags) -> bool) -> Result<(), Box<Corrupt>> {
        let count = self.flags_in(entries).filter(|flags| has(*flags)).count();
        self.cursor.skip_numbers(count)
    }

    fn before(&self) -> impl Iterator<Item = EntryFlags> + use<'a> {
        self.flags_in(0..self.wanted.start)
    }

    fn within(&self) -> impl Iterator<Item = EntryFlags> + use<'a> {
        self.flags_in(self.wanted.clone())
    }

    fn after(&self) -> impl Iterator<Item = EntryFlags> + use<'a> {
        self.flags_in(self.wanted.end..self.flags.len())
    }

    /// Passes over the values that the entries behind those that are wanted have in a column.
    fn skip_rest(&mut self, has: fn(EntryFlags) -> bool) -> Result<(), Box<Corrupt>> {
        self.skip(self.wanted.end..self.flags.len(), has)
    }

    /// Reads a column of which a value says nothing of the next.
    #[inline(never)]
    fn column(
        &mut self,
        rows: &mut [Row],
        has: fn(EntryFlags) -> bool,
        read: ReadValue<'_, 'a>,
    ) -> Result<(), Box<Corrupt>> {
        self.skip(0..self.wanted.start, has)?;
        for row in rows.iter_mut().filter(|row| has(row.flags)) {
            read(&mut self.cursor, row)?;
        }
        self.skip_rest(has)
    }

    fn types(&mut self, rows: &mut [Row], type_count: usize) -> Result<(), Box<Corrupt>> {
        self.column(rows, |flags| !flags.has(EntryFlags::FACT), &mut |cursor, row| {
            row.event_type = cursor.index(type_count)?;
            Ok(())
        })
    }

    fn positions(&mut self, rows: &mut [Row], header: &Header) -> Result<(), Box<Corrupt>> {
        let mut expected = header.first.0;
        for flags in self.before() {
            next_position(&mut self.cursor, flags, header, &mut expected)?;
        }
        for row in rows {
            row.position = next_position(&mut self.cursor, row.flags, header, &mut expected)?;
        }
        self.skip_rest(|flags| flags.has(EntryFlags::POSITION))
    }

    fn commits(&mut self, rows: &mut [Row], commits: &[Commit]) -> Result<(), Box<Corrupt>> {
        let mut left = CommitsLeft::new(commits);
        for flags in self.before() {
            left.take(&mut self.cursor, flags)?;
        }
        for row in rows {
            row.commit = left.take(&mut self.cursor, row.flags)?;
        }
        self.skip_rest(|flags| flags.has(EntryFlags::COMMIT))
    }

    fn times(&mut self, rows: &mut [Row], commits: &[Commit]) -> Result<(), Box<Corrupt>> {
        for row in &mut *rows {
            row.time = commits.get(row.commit as usize).map(|commit| commit.time).unwrap_or_default();
        }
        self.column(rows, |flags| flags.has(EntryFlags::TIME), &mut |cursor, row| {
            let difference = cursor.difference()?;
            row.time = cursor.time_after(row.time, difference)?;
            Ok(())
        })
    }

    fn revisions(&mut self, rows: &mut [Row]) -> Result<(), Box<Corrupt>> {
        let has = |flags: EntryFlags| match flags.has(EntryFlags::FACT) {
            true => flags.0 & EntryFlags::FACT_KIND == EntryFlags::TRUNCATED,
            false => flags.has(EntryFlags::REVISION),
        };
        let mut next = 0_u64;
        self.skip(0..self.wanted.start, has)?;
        for row in rows {
            let revision = match (row.flags.has(EntryFlags::FACT), has(row.flags)) {
                (true, false) => continue,
                (true, true) => {
                    row.revision = Revision(self.cursor.integer()?);
                    continue;
                }
                (false, true) => next.checked_add_signed(self.cursor.difference()?),
                (false, false) => Some(next),
            };
            match revision {
                Some(revision @ 0..=limits::INTEGER_MAX) => {
                    row.revision = Revision(revision);
                    next = revision.saturating_add(1);
                }
                _ => return Err(self.corrupt("a revision is out of its range")),
            }
        }
        self.skip_rest(has)
    }

    /// The tags of all entries that are wanted, by their indexes.
    fn tags(&mut self, rows: &mut [Row], tag_count: usize) -> Result<Vec<u32>, Box<Corrupt>> {
        let mut tags = Vec::new();
        self.skip_tags(self.before())?;
        for row in rows.iter_mut().filter(|row| row.flags.event_has(EntryFlags::TAGS)) {
            let count = self.cursor.count(limits::TAGS_PER_EVENT_MAX)?;
            if count == 0 {
                return Err(self.corrupt("a tagged event has no tag"));
            }
            row.tags.start = tags.len() as u32;
            for _ in 0..count {
                tags.push(self.cursor.index(tag_count)?);
            }
            row.tags.end = tags.len() as u32;
        }
        self.skip_tags(self.after())?;
        Ok(tags)
    }

    #[inline(never)]
    fn skip_tags(&mut self, all_flags: impl Iterator<Item = EntryFlags>) -> Result<(), Box<Corrupt>> {
        for _ in all_flags.filter(|flags| flags.event_has(EntryFlags::TAGS)) {
            let count = self.cursor.count(limits::TAGS_PER_EVENT_MAX)?;
            self.cursor.skip_numbers(count)?;
        }
        Ok(())
    }

    /// Reads how long payloads are, into the ends of their spans. Gives how long those are that stand before them.
    fn payloads(&mut self, rows: &mut [Row]) -> Result<usize, Box<Corrupt>> {
        let data = self.lengths(rows, |flags| flags.event_has(EntryFlags::DATA), |row| &mut row.data)?;
        let metadata =
            self.lengths(rows, |flags| flags.event_has(EntryFlags::METADATA), |row| &mut row.metadata)?;
        Ok(data.saturating_add(metadata))
    }

    #[inline(never)]
    fn lengths(
        &mut self,
        rows: &mut [Row],
        has: fn(EntryFlags) -> bool,
        span_of: fn(&mut Row) -> &mut Span,
    ) -> Result<usize, Box<Corrupt>> {
        let mut skipped_bytes = 0_usize;
        for _ in self.before().filter(|flags| has(*flags)) {
            skipped_bytes = skipped_bytes.saturating_add(self.cursor.payload_length()? as usize);
        }
        for row in rows.iter_mut().filter(|row| has(row.flags)) {
            span_of(row).end = self.cursor.payload_length()?;
        }
        self.skip_rest(has)?;
        Ok(skipped_bytes)
    }

    fn ids(&mut self, rows: &mut [Row]) -> Result<(), Box<Corrupt>> {
        let mut ids = IdReader::begin(&mut self.cursor, self.flags.len())?;
        ids.skip(&mut self.cursor, self.wanted.start)?;
        for row in rows {
            row.id = ids.next(&mut self.cursor)?;
        }
        Ok(())
    }
}
