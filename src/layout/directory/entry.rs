//! An entry of the directory: a key, and what is known of it.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::Corrupt;
use crate::layout::{Posting, StreamSummary, sealed};
use crate::limits;

/// Longest key in bytes: a kind and a name.
pub(super) const KEY_BYTES_MAX: usize = 1 + limits::NAME_BYTES_MAX;

/// What a name is the name of: the first byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A category: the part of streams' names before the first `-`.
    Category,
    /// A tag.
    Tag,
    /// A stream.
    Stream,
    /// A type of events, or of facts.
    Type,
}

/// What is known under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// Of a stream.
    Stream(StreamSummary),
    /// Of a type, a tag or a category.
    Posting(Posting),
}

/// A key with what is known under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The key: see [`key`].
    pub key: Vec<u8>,
    /// What is known.
    pub summary: Summary,
}

impl Kind {
    /// The byte that keys of this kind begin with.
    pub fn byte(self) -> u8 {
        match self {
            Self::Category => b'c',
            Self::Tag => b'g',
            Self::Stream => b's',
            Self::Type => b't',
        }
    }

    /// The kind of a key. `None` for bytes that are no key.
    pub fn of(key: &[u8]) -> Option<Self> {
        let kinds = [Self::Category, Self::Tag, Self::Stream, Self::Type];
        let (first, name) = key.split_first()?;
        let is_name = (1..=limits::NAME_BYTES_MAX).contains(&name.len());
        kinds.into_iter().find(|kind| is_name && kind.byte() == *first)
    }
}

/// The key of a name, or the prefix of all keys whose names begin with it. Keys are in the order of their bytes.
pub fn key(kind: Kind, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len().saturating_add(1));
    key.push(kind.byte());
    key.extend(name.as_bytes());
    key
}

impl Summary {
    /// What both say together: this one older, `newer` of a later range of positions. Both are of one key: of two
    /// that cannot be, the newer one stands.
    #[must_use]
    pub fn then(self, newer: Self) -> Self {
        match (self, newer) {
            (Self::Stream(older), Self::Stream(newer)) => Self::Stream(older.then(newer)),
            (Self::Posting(older), Self::Posting(newer)) => Self::Posting(older.then(newer)),
            (_, newer) => newer,
        }
    }

    /// Adds what a later range of positions says of the same key.
    #[inline(never)]
    pub fn add_to(self, found: &mut Option<Self>) {
        *found = Some(match found.take() {
            Some(older) => older.then(self),
            None => self,
        });
    }

    /// Appends the stored form: see FORMAT.md, "Summaries".
    pub fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Stream(summary) => summary.write(bytes),
            Self::Posting(posting) => posting.write(bytes),
        }
    }

    /// Reads the stored form of what is known under `key`. Errors: [`Corrupt`] for anything else.
    pub fn read(key: &[u8], bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let mut cursor = sealed::body(bytes);
        let summary = match Kind::of(key) {
            Some(Kind::Stream) => StreamSummary::read(&mut cursor).map(Self::Stream)?,
            Some(Kind::Type | Kind::Tag | Kind::Category) => Posting::read(&mut cursor).map(Self::Posting)?,
            None => return Err(cursor.corrupt("the kind of a key is not known")),
        };
        sealed::end(&cursor)?;
        Ok(summary)
    }
}
