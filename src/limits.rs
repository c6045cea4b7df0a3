//! Every bound of the store, in one place.
//!
//! A bound is part of the contract: what exceeds one is refused with `LIMIT_EXCEEDED` before anything is
//! written. The codec relies on the same numbers to refuse hostile bytes before it allocates for them.

use crate::error::Error;

/// Longest name of a stream or a type, and longest tag, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 256;
/// Most tags on one event.
pub const TAGS_PER_EVENT_MAX: usize = 32;
/// Largest event in bytes: the JSON texts of its data and its metadata, and its names and tags.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Most events in one commit.
pub const COMMIT_EVENTS_MAX: usize = 10_000;
/// Most writes and checks in one commit: a stream may stand in it without an event.
pub const COMMIT_WRITES_MAX: usize = 10_000;
/// Largest commit in bytes, counted as its events are.
pub const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of arrays and objects in data and metadata.
pub const JSON_DEPTH_MAX: usize = 64;
/// Most items in one query, and most entries in each of an item's lists.
pub const QUERY_ENTRIES_MAX: usize = 1_000;
/// Most names in all lists of a query together: they cross with every page that is read.
pub const QUERY_NAMES_MAX: usize = 10_000;
/// Largest document of a declarative reducer, and largest state that one begins with, in bytes of JSON.
pub const REDUCER_BYTES_MAX: usize = 256 * 1024;
/// Most writes in all steps of a declarative reducer: paths under `$set`, `$inc` and the like.
pub const REDUCER_WRITES_MAX: usize = 1_000;
/// Most declarative reducers of one open store, which keeps each that it has compiled.
pub const REDUCERS_MAX: usize = 1_000;
/// Most that one event makes of values in a declarative reducer, in bytes: a state that takes itself in twice
/// doubles with every event.
pub const REDUCER_EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Largest record that a group of commits is packed into, in bytes. Chromium keeps values of 64 KiB and more
/// in files of their own, which makes each several times dearer; a single larger commit is one record
/// all the same, because a commit is never cut.
pub const RECORD_BYTES_TARGET: usize = 60_000;
/// Largest body of a record once unpacked, in bytes. A commit's own bytes, and as much again for ids, tags
/// and lengths.
pub const RECORD_BODY_BYTES_MAX: usize = 2 * COMMIT_BYTES_MAX;
/// Largest body that a group of commits is packed into, before compression, in bytes: reading one event
/// unpacks its whole record. A single commit may be larger.
pub const RECORD_BODY_BYTES_TARGET: usize = 512 * 1024;
/// Most events and facts in one record.
pub const RECORD_ENTRIES_MAX: usize = 65_536;
/// Most blocks of a unit, and most pages of what remains in it of erased events. No unit comes near it: it bounds what a
/// number that was stored can make a reader reserve.
pub const UNIT_PARTS_MAX: u32 = 1 << 20;
/// Most extensions of one commit.
pub const EXTENSIONS_PER_COMMIT_MAX: usize = 16;
/// Largest extension of a commit, in bytes.
pub const EXTENSION_BYTES_MAX: usize = 64 * 1024;
/// How much of what other tabs wrote a commit reads inside its transaction, in bytes, before it gives way
/// and catches up outside of it.
pub const BEHIND_BYTES_MAX: u64 = 256 * 1024;
/// Most payload that one group of appends carries into a transaction, in bytes. A single commit may be larger.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest state that a snapshot is kept of, in bytes of its JSON text.
pub const SNAPSHOT_STATE_BYTES_MAX: usize = 1024 * 1024;
/// Largest document of a projection, in bytes of its JSON text.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// Longest key of a document, in bytes of UTF-8.
pub const DOCUMENT_KEY_BYTES_MAX: usize = 1024;
/// Most indexes of a projection.
pub const PROJECTION_INDEXES_MAX: usize = 64;
/// Most streams that a consumer passes over because it could not handle an event of them.
pub const PARKED_STREAMS_MAX: usize = 256;
/// Longest reason for which one is passed over, in bytes of UTF-8.
pub const PARKED_REASON_BYTES_MAX: usize = 1024;
/// Most events that a consumer is handed at once.
pub const CONSUMER_BATCH_MAX: usize = 1_000;
/// Most documents that are given at once.
pub const DOCUMENTS_PER_ANSWER_MAX: usize = 10_000;
/// Largest position, revision and absolute time: what a JavaScript number holds exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Refuses `value` above `maximum` by the limit's public name.
pub fn check(limit: &'static str, value: usize, maximum: usize) -> Result<(), Error> {
    if value <= maximum { Ok(()) } else { Err(Error::limit_exceeded(limit, value as u64, maximum as u64)) }
}
