//! The columns of a record on their way into bytes.

use crate::event::{Fact, Revision, UnixMillis};
use crate::id::EventId;
use crate::limits;

use super::flags::EntryFlags;
use super::interner::Interner;
use super::varint;
use super::{Body, Entry, Frame, Tags, ids};

/// What is gathered of the entries of a record, column by column. Values of one kind stand side by side
/// because they resemble each other, which is what LZ4 needs.
#[derive(Debug, Default)]
pub struct Columns<'a> {
    stream_names: Interner<'a>,
    type_names: Interner<'a>,
    tag_names: Interner<'a>,
    payloads: Vec<u8>,

    flags: Vec<u8>,
    streams: Vec<u8>,
    types: Vec<u8>,
    positions: Vec<u8>,
    commits: Vec<u8>,
    times: Vec<u8>,
    revisions: Vec<u8>,
    tags: Vec<u8>,
    data_lengths: Vec<u8>,
    metadata_lengths: Vec<u8>,
    ids: Vec<EventId>,

    /// For each stream the revision that its next event is expected to have.
    next_revisions: Vec<u64>,
}

/// How an entry stands to the one before it.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// What its position differs from the one after the entry before it.
    pub position_difference: i64,
    /// What the index of its commit differs from the expected one.
    pub commit_difference: i64,
    /// The time of its commit.
    pub commit_time: UnixMillis,
}

impl<'a> Columns<'a> {
    /// Adds an entry.
    pub fn push(&mut self, entry: &Entry<'a>, surroundings: Surroundings) {
        let Surroundings { position_difference, commit_difference, commit_time } = surroundings;
        let time_difference = entry.time.0 - commit_time.0;
        let mut flags = difference(&mut self.positions, EntryFlags::POSITION, position_difference)
            | difference(&mut self.commits, EntryFlags::COMMIT, commit_difference)
            | difference(&mut self.times, EntryFlags::TIME, time_difference);

        let stream = self.stream_names.index_of(entry.stream.as_bytes());
        varint::push_size(&mut self.streams, stream);
        flags |= match &entry.body {
            Body::Fact(fact) => self.push_fact(*fact),
            Body::Event { revision, event_type, data, metadata, tags } => {
                varint::push_size(&mut self.types, self.type_names.index_of(event_type.as_bytes()));
                self.push_revision(stream, *revision)
                    | payload(&mut self.payloads, &mut self.data_lengths, EntryFlags::DATA, *data)
                    | payload(&mut self.payloads, &mut self.metadata_lengths, EntryFlags::METADATA, *metadata)
                    | self.push_tags(*tags)
            }
        };
        self.flags.push(flags);
        self.ids.push(entry.id);
    }

    fn push_fact(&mut self, fact: Fact) -> u8 {
        let kind = match fact {
            Fact::Deleted => EntryFlags::DELETED,
            Fact::Tombstoned => EntryFlags::TOMBSTONED,
            Fact::Truncated { before } => {
                varint::push_unsigned(&mut self.revisions, before.0);
                EntryFlags::TRUNCATED
            }
        };
        EntryFlags::FACT | kind
    }

    fn push_revision(&mut self, stream: usize, revision: Revision) -> u8 {
        if self.next_revisions.len() <= stream {
            self.next_revisions.resize(stream + 1, 0);
        }
        let expected = std::mem::replace(&mut self.next_revisions[stream], revision.0 + 1);
        difference(&mut self.revisions, EntryFlags::REVISION, revision.0 as i64 - expected as i64)
    }

    fn push_tags(&mut self, tags: Tags<'a>) -> u8 {
        if tags.is_empty() {
            return 0;
        }
        varint::push_size(&mut self.tags, tags.len());
        for tag in tags {
            varint::push_size(&mut self.tags, self.tag_names.index_of(tag.as_bytes()));
        }
        EntryFlags::TAGS
    }

    /// The body of a record with these entries, and how much of it is text.
    pub fn into_body(self, frames: &[Frame<'_>]) -> (Vec<u8>, usize) {
        let names = [&self.stream_names, &self.type_names, &self.tag_names];
        let mut body = Vec::with_capacity(self.payloads.len() + 64 * self.ids.len() + 256);
        names.iter().for_each(|names| names.push_text(&mut body));
        body.extend(&self.payloads);
        let text_bytes = body.len();

        names.iter().for_each(|names| varint::push_size(&mut body, names.len()));
        names.iter().for_each(|names| names.push_lengths(&mut body));
        push_frames(&mut body, frames);
        let columns = [
            &self.flags,
            &self.streams,
            &self.types,
            &self.positions,
            &self.commits,
            &self.times,
            &self.revisions,
            &self.tags,
            &self.data_lengths,
            &self.metadata_lengths,
        ];
        columns.iter().for_each(|column| body.extend(*column));
        ids::push_ids(&mut body, &self.ids);
        (body, text_bytes)
    }
}

/// Appends a difference where there is one, and says so with `flag`.
fn difference(column: &mut Vec<u8>, flag: u8, difference: i64) -> u8 {
    if difference == 0 {
        return 0;
    }
    varint::push_signed(column, difference);
    flag
}

/// Appends a text where there is one, and says so with `flag`.
fn payload(payloads: &mut Vec<u8>, lengths: &mut Vec<u8>, flag: u8, text: Option<&str>) -> u8 {
    let Some(text) = text else { return 0 };
    varint::push_size(lengths, text.len());
    payloads.extend(text.as_bytes());
    flag
}

fn push_frames(body: &mut Vec<u8>, frames: &[Frame<'_>]) {
    let mut previous_time = 0;
    for frame in frames {
        varint::push_signed(body, frame.time.0 - previous_time);
        previous_time = frame.time.0;
    }
    for frame in frames {
        let is_extended = usize::from(!frame.extensions.is_empty());
        varint::push_size(body, frame.entries.len() << 1 | is_extended);
    }
    for frame in frames.iter().filter(|frame| !frame.extensions.is_empty()) {
        assert!(frame.extensions.len() <= limits::EXTENSIONS_PER_COMMIT_MAX);
        varint::push_size(body, frame.extensions.len());
        for (number, bytes) in frame.extensions.iter() {
            assert!(bytes.len() <= limits::EXTENSION_BYTES_MAX);
            varint::push_unsigned(body, *number);
            varint::push_size(body, bytes.len());
            body.extend(bytes);
        }
    }
}
