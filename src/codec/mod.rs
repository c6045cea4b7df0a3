//! Records of the log: commits to bytes and back. FORMAT.md has every byte.
//!
//! [`encode_records`] packs commits into records, [`DecodedRecord::decode`] reads one. What is read may be
//! anything: any bytes give either entries or [`Corrupt`], never a panic, and never an allocation that the
//! number of bytes does not justify.

mod columns;
mod corrupt;
pub(crate) mod cursor;
mod decode;
mod decoded_record;
mod encode;
mod expected;
mod extensions;
mod flags;
mod header;
mod ids;
mod interner;
pub(crate) mod order;
pub(crate) mod pack;
mod parse;
mod tags;
mod unpacked;
pub(crate) mod varint;

use crate::event::{Fact, Position, Revision, UnixMillis};
use crate::id::EventId;

pub use corrupt::{Corrupt, Part};
pub use decoded_record::{DecodedRecord, EventNumbers};
pub use encode::{Place, encode_arranged};
pub use extensions::Extensions;
pub use header::RECORD_VERSION;
pub use pack::encode_records;
pub use tags::{Tags, TagsIter};
pub use unpacked::UnpackedRecord;

/// A commit as the codec takes it and gives it back: the entries that were appended together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When the store appended it, by its own clock that never runs backwards.
    pub time: UnixMillis,
    /// What later versions put beside a commit; kept verbatim.
    pub extensions: &'a Extensions,
    /// Its entries, in the order of their positions.
    pub entries: Vec<Entry<'a>>,
}

/// An event or a fact with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// An event.
    Event {
        /// Its place in its stream.
        revision: Revision,
        /// Its type.
        event_type: &'a str,
        /// Its data, to the byte. `None` is not the JSON `null`.
        data: Option<&'a str>,
        /// Its metadata, to the byte. `None` is not the empty object.
        metadata: Option<&'a str>,
        /// Its tags, in the order in which they were given.
        tags: Tags<'a>,
    },
    /// A fact.
    Fact(Fact),
}
