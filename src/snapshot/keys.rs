//! Under which keys snapshots are kept.
//!
//! Streams are spread over sets, each of which keeps a few snapshots. So their number has a bound that nobody has to
//! count for, and those of one stream stand side by side, where they can be deleted without being looked for.

use xxhash_rust::xxh64::xxh64;

use crate::event::StreamName;
use crate::storage::{Key, KeyRange};

/// How many sets there are.
pub const SET_COUNT: u16 = 512;
/// Most snapshots in one set.
pub const SNAPSHOTS_PER_SET_MAX: usize = 8;

const SET_MASK: u16 = SET_COUNT - 1;
/// Stands between the name of the stream and that of the aggregate.
const SEPARATOR: u8 = 0;
/// Above all bytes of names.
const ABOVE: u8 = u8::MAX;

/// The key in [`crate::storage::Area::Snapshots`] of a stream's state under an aggregate of this name.
pub fn key(aggregate: &str, stream: &StreamName) -> Key {
    with(stream, &[&[SEPARATOR], aggregate.as_bytes()].concat())
}

/// All snapshots of a stream.
pub fn range_of_stream(stream: &StreamName) -> KeyRange {
    KeyRange { from: Some(with(stream, &[SEPARATOR])), to: Some(with(stream, &[SEPARATOR, ABOVE])) }
}

/// All snapshots of the set in which a stream has its place.
pub fn range_of_set(stream: &StreamName) -> KeyRange {
    let set = set_of(stream);
    let above = [set.as_slice(), &[ABOVE]].concat();
    KeyRange { from: Some(Key::Bytes(set.to_vec())), to: Some(Key::Bytes(above)) }
}

/// All snapshots.
pub fn range_of_all() -> KeyRange {
    KeyRange { from: Some(Key::Bytes(Vec::new())), to: Some(Key::Bytes(vec![ABOVE])) }
}

fn with(stream: &StreamName, rest: &[u8]) -> Key {
    Key::Bytes([&set_of(stream), stream.as_str().as_bytes(), rest].concat())
}

fn set_of(stream: &StreamName) -> [u8; 2] {
    let hash = xxh64(stream.as_str().as_bytes(), 0);
    (hash as u16 & SET_MASK).to_be_bytes()
}
