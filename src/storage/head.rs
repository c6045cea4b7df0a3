//! The head: how far the log reaches, in a record of its own.

use xxhash_rust::xxh64::xxh64;

use crate::error::WriteOutcome;
use crate::event::Position;
use crate::limits::INTEGER_MAX;

use super::format::FORMAT_VERSION;
use super::{FaultKind, LayoutChange, StorageFault};

/// How far the log reaches. Every commit reads it and replaces it, which is what orders writers.
///
/// Its form is the same in every version of the format, because every tab has to read it: also one that was opened
/// before another tab had a newer everfold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last position in use; 0 for an empty log.
    pub position: Position,
    /// Changes with every rewrite of records that are there, so that readers notice.
    pub layout: u64,
    /// Bytes of all records ever appended: the difference of two heads says how much lies between them.
    pub appended_bytes: u64,
    /// The version of the format that a writer must know at least. The format record says the same to those who
    /// open the database; here it is read by every commit.
    pub min_writer: u8,
}

impl Default for Head {
    /// The head of an empty log.
    fn default() -> Self {
        Self { position: Position::START, layout: 0, appended_bytes: 0, min_writer: FORMAT_VERSION }
    }
}

impl Head {
    /// The key of the head in [`super::Area::Meta`].
    pub const KEY: &'static str = "head";
    /// Length of the stored form in bytes: magic, the version for writers, three numbers, checksum.
    pub const STORED_BYTES: usize = 4 + 3 * 8 + 8;

    const MAGIC: [u8; 3] = *b"EFh";

    /// Whether this everfold may write what follows this head.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooNew`]: another tab has a newer everfold, which has written what this one does not know.
    pub fn check_writer(self) -> Result<(), StorageFault> {
        if self.min_writer <= FORMAT_VERSION {
            return Ok(());
        }
        let kind = FaultKind::TooNew { version: self.min_writer.into() };
        Err(StorageFault { kind, outcome: WriteOutcome::NotWritten, cause: String::new() })
    }

    /// How many bytes were appended between an older head and this one; `None` where this one does not follow
    /// from it by appends alone.
    pub fn appended_since(self, seen: Self) -> Option<u64> {
        if seen.layout != self.layout || self.position < seen.position {
            return None;
        }
        self.appended_bytes.checked_sub(seen.appended_bytes)
    }

    /// The head after a change of its layout. `None` where it is of another layout than the change is made for.
    pub fn changed(self, change: LayoutChange) -> Option<Self> {
        let (from, to) = match change {
            LayoutChange::Keep => (self.layout, self.layout),
            LayoutChange::Hold { at } => (at, at),
            // What comes after the last number is another one too, and that is all that readers look for.
            LayoutChange::Next { from } => (from, from.wrapping_add(1)),
        };
        (self.layout == from).then_some(Self { layout: to, ..self })
    }

    /// The stored form: see FORMAT.md, "The head".
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::STORED_BYTES);
        bytes.extend(Self::MAGIC);
        bytes.push(self.min_writer);
        bytes.extend(self.position.0.to_le_bytes());
        bytes.extend(self.layout.to_le_bytes());
        bytes.extend(self.appended_bytes.to_le_bytes());
        bytes.extend(xxh64(&bytes, 0).to_le_bytes());
        bytes
    }

    /// Reads the stored form. `None` where the bytes are not one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<8>()?;
        if bytes.len() != Self::STORED_BYTES || xxh64(body, 0) != u64::from_le_bytes(*checksum) {
            return None;
        }
        let (magic, numbers) = body.split_first_chunk::<3>()?;
        let (min_writer, numbers) = numbers.split_first()?;
        let (position, numbers) = numbers.split_first_chunk::<8>()?;
        let (layout, numbers) = numbers.split_first_chunk::<8>()?;
        let (appended_bytes, _) = numbers.split_first_chunk::<8>()?;
        let [position, layout, appended_bytes] =
            [position, layout, appended_bytes].map(|it| u64::from_le_bytes(*it));
        let is_head = *magic == Self::MAGIC && position <= INTEGER_MAX && appended_bytes <= INTEGER_MAX;
        is_head.then_some(Self {
            position: Position(position),
            layout,
            appended_bytes,
            min_writer: *min_writer,
        })
    }
}
