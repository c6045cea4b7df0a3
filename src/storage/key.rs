//! Keys of records, and ranges of them.

use crate::event::Position;

/// The key of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A key of [`Area::Log`](super::Area::Log): the record's first position.
    Position(Position),
    /// A key of any other area.
    Bytes(Vec<u8>),
}

impl Key {
    /// The text's UTF-8 bytes as a key.
    pub fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    /// How many bytes it counts for in a [`Usage`](super::Usage).
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Position(_) => 8,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

/// A range of keys. Both bounds are inclusive; `None` is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// The lowest key of the range.
    pub from: Option<Key>,
    /// The highest key of the range.
    pub to: Option<Key>,
}

impl From<Key> for KeyRange {
    /// The range of this key alone.
    fn from(key: Key) -> Self {
        Self { from: Some(key.clone()), to: Some(key) }
    }
}
