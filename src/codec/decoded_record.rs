//! A record that was read, and the entries in it.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::cell::OnceCell;
use std::fmt;
use std::mem::size_of;

use crate::event::{Fact, Position, Revision, UnixMillis};
use crate::id::EventId;

use super::cursor::Cursor;
use super::flags::EntryFlags;
use super::header::Header;
use super::tags::StoredTags;
use super::{Body, Entry, Extensions, Frame, Part, Tags};
use super::{extensions, order};

/// A record that was read. All text stays in one buffer: entries are made when they are asked for, and borrow
/// from it.
pub struct DecodedRecord {
    pub(super) header: Header,
    pub(super) text: String,
    pub(super) stream_names: NameTable,
    pub(super) type_names: NameTable,
    pub(super) tag_names: NameTable,
    pub(super) commits: Vec<Commit>,
    /// The extensions of all commits, as they are stored.
    pub(super) extensions: Vec<u8>,
    pub(super) rows: Vec<Row>,
    /// The tags of all rows: indexes into `tag_names`.
    pub(super) tags: Vec<u32>,
}

/// What is known of an event without its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNumbers {
    /// Its place in the log.
    pub position: Position,
    /// Its place in its stream.
    pub revision: Revision,
    /// Its type, by its number among [`DecodedRecord::type_names`].
    pub type_number: usize,
}

/// Where in the text each name of a table begins, and where the last one ends.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    pub(super) bounds: Vec<u32>,
}

/// What a record says of a commit.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) time: UnixMillis,
    /// Where its extensions stand among those of the record; nowhere where it has none.
    pub(super) stored_extensions: Span,
    /// They are asked for by who writes the commit again, and hardly ever by who reads it.
    pub(super) extensions: OnceCell<Extensions>,
    pub(super) entry_count: usize,
}

/// What a record says of an entry: numbers, and where in the record the rest stands.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: EventId,
    pub(super) position: Position,
    pub(super) time: UnixMillis,
    /// The revision of an event, or the one that a truncation names.
    pub(super) revision: Revision,
    pub(super) commit: u32,
    pub(super) stream: u32,
    pub(super) event_type: u32,
    pub(super) data: Span,
    pub(super) metadata: Span,
    pub(super) tags: Span,
    pub(super) flags: EntryFlags,
}

/// A part of the record's text or of its list of tags.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl DecodedRecord {
    /// The lowest position, which is the record's key.
    pub fn first(&self) -> Position {
        self.header.first
    }

    /// The highest position.
    pub fn last(&self) -> Position {
        self.header.last
    }

    /// How many events and facts there are: at least one.
    #[allow(clippy::len_without_is_empty, reason = "a record is never empty")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The entry at this index, in the order in which they are stored: in a record of the log, that of their
    /// positions. `None` beyond the last.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.rows.get(index).and_then(|row| self.entry_of(row))
    }

    /// All entries, in the order in which they are stored.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Entry<'_>> + Clone {
        self.rows.iter().filter_map(|row| self.entry_of(row))
    }

    /// The positions of all entries, in the order in which they are stored.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = Position> + '_ {
        self.rows.iter().map(|row| row.position)
    }

    /// The position of the entry at this index. `None` beyond the last.
    pub fn position(&self, index: usize) -> Option<Position> {
        self.rows.get(index).map(|row| row.position)
    }

    /// Whether there is an event at this index, and not a fact.
    pub fn is_event(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| !row.flags.has(EntryFlags::FACT))
    }

    /// What is known of the event at this index by numbers alone. `None` for a fact, and beyond the last.
    pub fn numbers(&self, index: usize) -> Option<EventNumbers> {
        let row = self.rows.get(index).filter(|row| !row.flags.has(EntryFlags::FACT))?;
        let Row { position, revision, event_type, .. } = *row;
        Some(EventNumbers { position, revision, type_number: event_type as usize })
    }

    /// The stream of the entry at this index. `None` beyond the last.
    pub fn stream(&self, index: usize) -> Option<&str> {
        self.name(&self.stream_names, self.rows.get(index)?.stream)
    }

    /// The index after the last of the entries that follow the one at this index, without another between them, and
    /// are of its stream.
    pub fn end_of_run(&self, index: usize) -> usize {
        let rest = self.rows.get(index..).unwrap_or_default();
        let stream = rest.first().map(|row| row.stream);
        let count = rest.iter().take_while(|row| Some(row.stream) == stream).count();
        index.saturating_add(count)
    }

    /// The names of all types of its events.
    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        let bounds = self.type_names.bounds.iter().zip(self.type_names.bounds.iter().skip(1));
        bounds.filter_map(|(start, end)| self.text_of(Span { start: *start, end: *end }))
    }

    /// The metadata of the event at this index. `None` where it has none, for a fact, and beyond the last.
    pub fn metadata(&self, index: usize) -> Option<&str> {
        let row = self.rows.get(index).filter(|row| row.flags.has(EntryFlags::METADATA))?;
        self.text_of(row.metadata)
    }

    /// Bytes of the data and the metadata of the entry at this index: 0 for a fact, and beyond the last.
    pub fn payload_bytes(&self, index: usize) -> usize {
        self.rows.get(index).map_or(0, |row| row.data.len().saturating_add(row.metadata.len()))
    }

    /// For each entry, in the order in which they are stored, the index of its commit.
    pub fn commit_indexes(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.rows.iter().map(|row| row.commit)
    }

    /// The time and the extensions of a commit. `None` beyond the last.
    pub fn commit(&self, index: u32) -> Option<(UnixMillis, &Extensions)> {
        self.commits.get(index as usize).map(|commit| (commit.time, self.extensions_of(commit)))
    }

    /// The time and the extensions of the commit that the entry at this index belongs to. `None` beyond the last.
    pub fn commit_of(&self, entry: usize) -> Option<(UnixMillis, &Extensions)> {
        self.commit(self.rows.get(entry)?.commit)
    }

    /// How many commits its entries belong to.
    pub fn commit_count(&self) -> usize {
        self.commits.len()
    }

    /// The times of its commits, in the order in which they are stored.
    pub fn commit_times(&self) -> impl Iterator<Item = UnixMillis> + '_ {
        self.commits.iter().map(|commit| commit.time)
    }

    /// The commits with their entries, as they can be encoded again: commits in the order in which they are
    /// stored, the entries of each in the order of their positions.
    pub fn frames(&self) -> Vec<Frame<'_>> {
        let mut frames: Vec<Frame<'_>> = self
            .commits
            .iter()
            .map(|commit| Frame {
                time: commit.time,
                extensions: self.extensions_of(commit),
                entries: Vec::with_capacity(commit.entry_count),
            })
            .collect();
        let placed = self.rows.iter().map(|row| row.position).zip(0..).collect();
        for (_, index) in order::by_position(placed) {
            let Some(row) = self.rows.get(index) else { continue };
            if let (Some(frame), Some(entry)) = (frames.get_mut(row.commit as usize), self.entry_of(row)) {
                frame.entries.push(entry);
            }
        }
        frames
    }

    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        let names = [&self.stream_names, &self.type_names, &self.tag_names];
        let indexes = names.iter().map(|names| names.bounds.capacity()).sum::<usize>();
        [
            size_of::<Self>(),
            self.text.capacity(),
            indexes.saturating_add(self.tags.capacity()).saturating_mul(size_of::<u32>()),
            self.commits.capacity().saturating_mul(size_of::<Commit>()),
            self.rows.capacity().saturating_mul(size_of::<Row>()),
            self.extensions.capacity(),
        ]
        .iter()
        .sum()
    }

    pub(super) fn tag_name(&self, index: u32) -> Option<&str> {
        self.name(&self.tag_names, index)
    }

    /// Never fails to read them: parsing has.
    #[inline(never)]
    fn extensions_of<'a>(&'a self, commit: &'a Commit) -> &'a Extensions {
        commit.extensions.get_or_init(|| {
            let mut extensions = Extensions::new();
            let Span { start, end } = commit.stored_extensions;
            let stored = self.extensions.get(start as usize..end as usize).unwrap_or_default();
            let mut cursor = Cursor::new(stored, Part::Body, 0);
            let mut insert = |number, bytes: &[u8]| extensions.insert(number, bytes.to_vec());
            if !stored.is_empty() {
                drop(extensions::read(&mut cursor, &mut insert));
            }
            extensions
        })
    }

    fn name(&self, names: &NameTable, index: u32) -> Option<&str> {
        let [start, end] = *names.bounds.get(index as usize..)?.first_chunk()?;
        self.text_of(Span { start, end })
    }

    fn text_of(&self, Span { start, end }: Span) -> Option<&str> {
        self.text.get(start as usize..end as usize)
    }

    /// Never `None` for a row of this record: parsing has looked up everything that stands in it.
    fn entry_of(&self, row: &Row) -> Option<Entry<'_>> {
        let body = match row.fact() {
            Some(fact) => Body::Fact(fact),
            None => self.event_of(row)?,
        };
        let stream = self.name(&self.stream_names, row.stream)?;
        Some(Entry { position: row.position, stream, id: row.id, time: row.time, body })
    }

    fn event_of(&self, row: &Row) -> Option<Body<'_>> {
        let payload =
            |flag, span| if row.flags.has(flag) { self.text_of(span).map(Some) } else { Some(None) };
        let indexes = self.tags.get(row.tags.start as usize..row.tags.end as usize)?;
        Some(Body::Event {
            revision: row.revision,
            event_type: self.name(&self.type_names, row.event_type)?,
            data: payload(EntryFlags::DATA, row.data)?,
            metadata: payload(EntryFlags::METADATA, row.metadata)?,
            tags: Tags::Stored(StoredTags { record: self, indexes }),
        })
    }
}

impl Span {
    pub(super) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }
}

impl Row {
    /// The fact that the row is, if it is one.
    fn fact(&self) -> Option<Fact> {
        if !self.flags.has(EntryFlags::FACT) {
            return None;
        }
        match self.flags.0 & EntryFlags::FACT_KIND {
            EntryFlags::DELETED => Some(Fact::Deleted),
            EntryFlags::TOMBSTONED => Some(Fact::Tombstoned),
            _ => Some(Fact::Truncated { before: self.revision }),
        }
    }
}

impl fmt::Debug for DecodedRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.frames()).finish()
    }
}
