//! The unpacked body of a record to its tables. Nothing in it is believed.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::cell::OnceCell;

use crate::event::{Position, Revision, UnixMillis};
use crate::id::EventId;
use crate::limits;

use super::cursor::Cursor;
use super::decoded_record::{Commit, DecodedRecord, NameTable, Row, Span};
use super::expected::{CommitsLeft, next_position};
use super::flags::EntryFlags;
use super::header::Header;
use super::{Corrupt, Part, extensions, ids, order};

/// Reads a body that is as long as its header says.
pub fn parse(header: Header, body: Vec<u8>) -> Result<DecodedRecord, Box<Corrupt>> {
    let (text, tables) = split(&header, body)?;
    let mut parser = Parser::new(&text, &tables);

    let [stream_names, type_names, tag_names] = parser.name_tables()?;
    let (commits, extensions) = parser.commits(&header)?;
    let mut rows = parser.flagged_rows(header.entry_count)?;
    parser.streams(&mut rows, stream_names.len())?;
    parser.types(&mut rows, type_names.len())?;
    parser.positions(&mut rows, &header)?;
    parser.commits_of(&mut rows, &commits)?;
    parser.times(&mut rows, &commits)?;
    parser.revisions(&mut rows, stream_names.len())?;
    let tags = parser.tags(&mut rows, tag_names.len())?;
    parser.payloads(&mut rows)?;
    ids::read_ids(&mut parser.cursor, rows.iter_mut().map(|row| &mut row.id))?;
    parser.end()?;
    Ok(DecodedRecord { header, stream_names, type_names, tag_names, commits, extensions, rows, tags, text })
}

/// The text and the tables of a body.
#[inline(never)]
pub fn split(header: &Header, mut body: Vec<u8>) -> Result<(String, Vec<u8>), Box<Corrupt>> {
    let tables = body.split_off(header.text_bytes.min(body.len()));
    body.shrink_to_fit();
    let text = String::from_utf8(body).map_err(|error| {
        Cursor::new(&[], Part::Body, error.utf8_error().valid_up_to()).corrupt("the text is not UTF-8")
    })?;
    Ok((text, tables))
}

pub(super) const TEXT_PROBLEM: &str = "a length reaches beyond the text, or into a character";

pub(super) struct Parser<'a> {
    tables: &'a [u8],
    /// What is left of the tables.
    cursor: Cursor<'a>,
    text: &'a str,
    /// How much of the text has been given out.
    text_offset: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, tables: &'a [u8]) -> Self {
        Self { tables, cursor: Cursor::new(tables, Part::Body, text.len()), text, text_offset: 0 }
    }

    /// Where the text begins that belongs to nothing yet.
    pub(super) fn text_offset(&self) -> usize {
        self.text_offset
    }

    /// What is left of the tables.
    pub(super) fn into_cursor(self) -> Cursor<'a> {
        self.cursor
    }

    /// The next `length` bytes of the text.
    fn span(&mut self, length: usize) -> Result<Span, Box<Corrupt>> {
        let start = self.text_offset;
        let end = start.saturating_add(length);
        if !self.text.is_char_boundary(end) {
            return Err(self.cursor.corrupt(TEXT_PROBLEM));
        }
        self.text_offset = end;
        Ok(Span { start: start as u32, end: end as u32 })
    }

    /// Streams, types and tags.
    #[inline(never)]
    pub(super) fn name_tables(&mut self) -> Result<[NameTable; 3], Box<Corrupt>> {
        let mut counts = [0; 3];
        for count in &mut counts {
            *count = self.cursor.count(usize::MAX)?;
        }
        let [streams, types, tags] = counts;
        Ok([self.name_table(streams)?, self.type_table(types)?, self.name_table(tags)?])
    }

    fn name_table(&mut self, count: usize) -> Result<NameTable, Box<Corrupt>> {
        if self.cursor.remaining() < count {
            return Err(self.cursor.corrupt("there are more names than bytes"));
        }
        let mut bounds = Vec::with_capacity(count.saturating_add(1));
        bounds.push(self.span(0)?.start);
        for _ in 0..count {
            let length = self.cursor.size(limits::NAME_BYTES_MAX, "a name is too long")?;
            if length == 0 {
                return Err(self.cursor.corrupt("a name is empty"));
            }
            bounds.push(self.span(length)?.end);
        }
        Ok(NameTable { bounds })
    }

    fn type_table(&mut self, count: usize) -> Result<NameTable, Box<Corrupt>> {
        let table = self.name_table(count)?;
        let starts = table.bounds.iter().take(count);
        let is_own = |&start: &u32| self.text.as_bytes().get(start as usize) == Some(&b'$');
        if starts.clone().any(is_own) {
            return Err(self.cursor.corrupt("the type of an event begins with \"$\""));
        }
        Ok(table)
    }

    /// The commits, and all of their extensions as they are stored.
    #[inline(never)]
    pub(super) fn commits(&mut self, header: &Header) -> Result<(Vec<Commit>, Vec<u8>), Box<Corrupt>> {
        if self.cursor.remaining() < header.commit_count {
            return Err(self.cursor.corrupt("there are more commits than bytes"));
        }
        let mut commits = Vec::with_capacity(header.commit_count);
        let mut time = 0;
        for _ in 0..header.commit_count {
            let difference = self.cursor.signed()?;
            time = self.cursor.time_after(UnixMillis(time), difference)?.0;
            let (stored_extensions, extensions) = (Span::default(), OnceCell::new());
            commits.push(Commit { time: UnixMillis(time), stored_extensions, extensions, entry_count: 0 });
        }
        let is_extended = self.entry_counts(&mut commits, header.entry_count)?;
        let start = self.cursor.remaining();
        for (commit, _) in commits.iter_mut().zip(is_extended).filter(|(_, is_extended)| *is_extended) {
            let before = self.cursor.remaining();
            extensions::read(&mut self.cursor, &mut |_, _| ())?;
            commit.stored_extensions.start = start.abs_diff(before) as u32;
            commit.stored_extensions.end = start.abs_diff(self.cursor.remaining()) as u32;
        }
        let (_, stored) = self.tables.split_at(self.tables.len().saturating_sub(start));
        let length = start.saturating_sub(self.cursor.remaining());
        Ok((commits, stored.get(..length).unwrap_or_default().to_vec()))
    }

    /// How many entries each commit has here, and whether it is extended.
    fn entry_counts(
        &mut self,
        commits: &mut [Commit],
        entry_count: usize,
    ) -> Result<Vec<bool>, Box<Corrupt>> {
        let mut entries_left = entry_count;
        let mut is_extended = Vec::with_capacity(commits.len());
        for commit in commits {
            let head = self.cursor.size(usize::MAX, "a commit has too many entries")?;
            is_extended.push(head & 1 == 1);
            commit.entry_count = head >> 1;
            match entries_left.checked_sub(commit.entry_count) {
                Some(left) if 0 < commit.entry_count => entries_left = left,
                _ => {
                    return Err(self.cursor.corrupt("a commit is empty, or has more entries than there are"));
                }
            }
        }
        if entries_left == 0 {
            return Ok(is_extended);
        }
        Err(self.cursor.corrupt("there are entries without a commit"))
    }

    fn flagged_rows(&mut self, entry_count: usize) -> Result<Vec<Row>, Box<Corrupt>> {
        let flags = self.cursor.take(entry_count)?;
        let mut rows = Vec::with_capacity(entry_count);
        for &flags in flags {
            let flags = EntryFlags(flags);
            flags.check_fact().map_err(|problem| self.cursor.corrupt(problem))?;
            rows.push(Row::new(flags));
        }
        Ok(rows)
    }

    fn streams(&mut self, rows: &mut [Row], stream_count: usize) -> Result<(), Box<Corrupt>> {
        for row in rows {
            row.stream = self.cursor.index(stream_count)?;
        }
        Ok(())
    }

    fn types(&mut self, rows: &mut [Row], type_count: usize) -> Result<(), Box<Corrupt>> {
        for row in rows.iter_mut().filter(|row| !row.flags.has(EntryFlags::FACT)) {
            row.event_type = self.cursor.index(type_count)?;
        }
        Ok(())
    }

    fn positions(&mut self, rows: &mut [Row], header: &Header) -> Result<(), Box<Corrupt>> {
        let mut expected = header.first.0;
        let mut is_ascending = true;
        for row in &mut *rows {
            let before = expected;
            row.position = next_position(&mut self.cursor, row.flags, header, &mut expected)?;
            is_ascending &= before <= row.position.0;
        }
        let bounds = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) if is_ascending => Some((first.position, last.position)),
            _ => order::bounds_of_distinct(rows.iter().map(|row| row.position).collect()),
        };
        match bounds {
            None => Err(self.cursor.corrupt("two entries have the same position")),
            Some(bounds) if bounds == (header.first, header.last) => Ok(()),
            Some(_) => Err(self.cursor.corrupt("no entry has the first or the last position")),
        }
    }

    fn commits_of(&mut self, rows: &mut [Row], commits: &[Commit]) -> Result<(), Box<Corrupt>> {
        let mut left = CommitsLeft::new(commits);
        for row in rows {
            row.commit = left.take(&mut self.cursor, row.flags)?;
        }
        Ok(())
    }

    fn times(&mut self, rows: &mut [Row], commits: &[Commit]) -> Result<(), Box<Corrupt>> {
        for row in rows {
            let commit_time =
                commits.get(row.commit as usize).map_or(UnixMillis::default(), |commit| commit.time);
            row.time = commit_time;
            if row.flags.has(EntryFlags::TIME) {
                let difference = self.cursor.difference()?;
                row.time = self.cursor.time_after(commit_time, difference)?;
            }
        }
        Ok(())
    }

    fn revisions(&mut self, rows: &mut [Row], stream_count: usize) -> Result<(), Box<Corrupt>> {
        let mut expected = vec![0_u64; stream_count];
        for row in rows {
            if row.flags.has(EntryFlags::FACT) {
                if row.flags.0 & EntryFlags::FACT_KIND == EntryFlags::TRUNCATED {
                    row.revision = Revision(self.cursor.integer()?);
                }
                continue;
            }
            let Some(expected) = expected.get_mut(row.stream as usize) else {
                return Err(self.cursor.corrupt("an index is beyond its table"));
            };
            let revision = if row.flags.has(EntryFlags::REVISION) {
                expected.checked_add_signed(self.cursor.difference()?)
            } else {
                Some(*expected)
            };
            match revision {
                Some(revision @ 0..=limits::INTEGER_MAX) => {
                    row.revision = Revision(revision);
                    *expected = revision.saturating_add(1);
                }
                _ => return Err(self.cursor.corrupt("a revision is out of its range")),
            }
        }
        Ok(())
    }

    fn tags(&mut self, rows: &mut [Row], tag_count: usize) -> Result<Vec<u32>, Box<Corrupt>> {
        let mut indexes = Vec::new();
        for row in rows.iter_mut().filter(|row| row.flags.event_has(EntryFlags::TAGS)) {
            let count = self.cursor.count(limits::TAGS_PER_EVENT_MAX)?;
            if count == 0 {
                return Err(self.cursor.corrupt("a tagged event has no tag"));
            }
            row.tags.start = self.tags_length(&indexes)?;
            for _ in 0..count {
                indexes.push(self.cursor.index(tag_count)?);
            }
            row.tags.end = self.tags_length(&indexes)?;
        }
        Ok(indexes)
    }

    fn tags_length(&self, indexes: &[u32]) -> Result<u32, Box<Corrupt>> {
        u32::try_from(indexes.len()).map_err(|_| self.cursor.corrupt("there are too many tags"))
    }

    /// Lengths of data, then lengths of metadata; in the text, the data and the metadata of an event stand
    /// side by side.
    fn payloads(&mut self, rows: &mut [Row]) -> Result<(), Box<Corrupt>> {
        for flag in [EntryFlags::DATA, EntryFlags::METADATA] {
            for row in rows.iter_mut().filter(|row| row.flags.event_has(flag)) {
                let span = if flag == EntryFlags::DATA { &mut row.data } else { &mut row.metadata };
                span.end = self.cursor.payload_length()?;
            }
        }
        let end = place_payloads(rows, self.text, self.text_offset);
        self.text_offset = end.ok_or_else(|| self.cursor.corrupt(TEXT_PROBLEM))?;
        Ok(())
    }

    fn end(&self) -> Result<(), Box<Corrupt>> {
        if self.text_offset != self.text.len() {
            return Err(self.cursor.corrupt("there is text that belongs to nothing"));
        }
        if self.cursor.remaining() != 0 {
            return Err(self.cursor.corrupt("there are bytes after the end"));
        }
        Ok(())
    }
}

/// Lets the spans of payloads, which say how long they are, say where in the text they stand: from `start` on, one after
/// the other. Gives where the last one ends; `None` where one reaches beyond the text, or ends within a character.
#[inline(never)]
pub(super) fn place_payloads(rows: &mut [Row], text: &str, start: usize) -> Option<usize> {
    let mut next = start;
    for row in rows {
        for span in [&mut row.data, &mut row.metadata] {
            let end = next.saturating_add(span.len());
            if !text.is_char_boundary(end) {
                return None;
            }
            *span = Span { start: next as u32, end: end as u32 };
            next = end;
        }
    }
    Some(next)
}

impl NameTable {
    pub(super) fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// Where in the text the first name begins.
    pub(super) fn start(&self) -> usize {
        self.bounds.first().copied().unwrap_or_default() as usize
    }

    /// Where in the text the last name ends.
    pub(super) fn end(&self) -> usize {
        self.bounds.last().copied().unwrap_or_default() as usize
    }

    /// The index of a name.
    pub(super) fn index_of(&self, text: &str, name: &str) -> Option<usize> {
        let mut bounds = self.bounds.iter().zip(self.bounds.iter().skip(1));
        bounds.position(|(start, end)| text.get(*start as usize..*end as usize) == Some(name))
    }

    /// The same names in a text in which what stood at `from` stands at `to`.
    pub(super) fn shifted(self, from: usize, to: usize) -> Self {
        let shift = |bound: u32| (bound as usize).saturating_sub(from).saturating_add(to) as u32;
        Self { bounds: self.bounds.into_iter().map(shift).collect() }
    }
}

impl Row {
    pub(super) fn new(flags: EntryFlags) -> Self {
        Self {
            id: EventId::from_bytes([0; EventId::BYTES]),
            position: Position::START,
            time: UnixMillis::default(),
            revision: Revision::FIRST,
            commit: 0,
            stream: 0,
            event_type: 0,
            data: Span::default(),
            metadata: Span::default(),
            tags: Span::default(),
            flags,
        }
    }
}
