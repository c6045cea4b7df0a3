//! Records of the log: commits to bytes and back. FORMAT.md has every byte.

use std::collections::BTreeMap;

use crate::event::{Fact, Position, Revision, Tag, UnixMillis};
use crate::id::EventId;

/// A commit as the codec takes it: the entries that were appended together.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// When the store appended it, by its own clock that never runs backwards.
    pub time: UnixMillis,
    /// What later versions put beside a commit; kept verbatim.
    pub extensions: &'a Extensions,
    /// Its entries.
    pub entries: Vec<Entry<'a>>,
}

/// What later versions put beside a commit, by number.
pub type Extensions = BTreeMap<u64, Vec<u8>>;

/// An event or a fact with its place in the log.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its place in the whole log.
    pub position: Position,
    /// Its stream.
    pub stream: &'a str,
    /// Its id.
    pub id: EventId,
    /// When it happened: the commit's time where the caller gave none.
    pub time: UnixMillis,
    /// The rest of it.
    pub body: Body<'a>,
}

/// What an event has and a fact has not, and the other way round.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// An event.
    Event {
        /// Its place in its stream.
        revision: Revision,
        /// Its type.
        event_type: &'a str,
        /// Its data.
        data: Option<&'a str>,
        /// Its metadata.
        metadata: Option<&'a str>,
        /// Its tags.
        tags: Tags<'a>,
    },
    /// A fact.
    Fact(Fact),
}

/// The tags of an entry: those that a caller gave, or those that stand in a record.
#[derive(Debug, Clone, Copy)]
pub enum Tags<'a> {
    /// A caller's.
    Given(&'a [Tag]),
}

/// A record that was read, its payloads still in one buffer.
#[derive(Debug)]
pub struct DecodedRecord {}

impl DecodedRecord {
    /// The entry at this place of the record.
    pub fn entry(&self, _index: usize) -> Option<Entry<'_>> {
        None
    }
}
