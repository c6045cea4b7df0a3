//! Under which keys the records of consumers are kept, in [`crate::storage::Area::Consumers`].

use crate::storage::{Key, KeyRange};

/// What the key of a standing begins with; the name follows.
const STANDING: u8 = 0;
/// What the key of a parked stream begins with; the length of the consumer's name, the name and the stream follow.
const PARKED: u8 = 1;
/// Above all bytes that a text begins with.
const ABOVE: u8 = u8::MAX;

/// The key of the standing of this consumer.
pub fn standing(name: &str) -> Key {
    Key::Bytes([&[STANDING], name.as_bytes()].concat())
}

/// The keys of all standings.
pub fn standings() -> KeyRange {
    KeyRange { from: Some(Key::Bytes(vec![STANDING])), to: Some(Key::Bytes(vec![STANDING, ABOVE])) }
}

/// The keys of all that is parked.
pub fn all_parked() -> KeyRange {
    KeyRange { from: Some(Key::Bytes(vec![PARKED])), to: Some(Key::Bytes(vec![PARKED, ABOVE])) }
}

/// The name of the consumer whose standing has this key. `None` for a key that no name gives.
pub fn name_of(key: &Key) -> Option<&str> {
    let Key::Bytes(bytes) = key else { return None };
    str::from_utf8(bytes.strip_prefix(&[STANDING])?).ok()
}

/// The key of what a consumer has parked of a stream.
pub fn parked(name: &str, stream: &str) -> Key {
    Key::Bytes([&prefix(name), stream.as_bytes()].concat())
}

/// The keys of all that a consumer has parked.
pub fn parked_of(name: &str) -> KeyRange {
    let prefix = prefix(name);
    let to = [prefix.as_slice(), &[ABOVE]].concat();
    KeyRange { from: Some(Key::Bytes(prefix)), to: Some(Key::Bytes(to)) }
}

/// The stream that a consumer has parked under this key. `None` for any other key.
pub fn stream_of<'a>(name: &str, key: &'a Key) -> Option<&'a str> {
    let Key::Bytes(bytes) = key else { return None };
    str::from_utf8(bytes.strip_prefix(prefix(name).as_slice())?).ok()
}

fn prefix(name: &str) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    [&[PARKED], length.to_be_bytes().as_slice(), name.as_bytes()].concat()
}
