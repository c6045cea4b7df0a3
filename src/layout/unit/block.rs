//! A block of a unit: a record, with what must be known of commits that do not stand in one block alone.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, DecodedRecord, Extensions, Part, UnpackedRecord, varint};
use crate::event::Position;
use crate::limits;

/// The number of the extension that a commit has where not all of its entries stand in one block.
const SPLIT_EXTENSION: u64 = 0;

/// The commit that entries of a block belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitPart {
    /// The first position of the commit in the unit, which no other commit has.
    pub first: Position,
    /// How many entries the commit has in the unit.
    pub entry_count: u64,
}

/// Reads a block, which says its key itself. Errors: [`Corrupt`] for anything but a record.
pub fn decode_block(bytes: &[u8]) -> Result<DecodedRecord, Corrupt> {
    DecodedRecord::decode(bytes, key_of(bytes)?)
}

/// Unpacks a block, which says its key itself. Errors: [`Corrupt`] for anything but a record.
pub fn unpack_block(bytes: &[u8]) -> Result<UnpackedRecord, Corrupt> {
    UnpackedRecord::open(bytes, key_of(bytes)?)
}

fn key_of(bytes: &[u8]) -> Result<Position, Corrupt> {
    let mut cursor = Cursor::new(bytes, Part::Record, 0);
    // Magic, version and flags, which are looked at with the rest.
    cursor.take(5).and_then(|_| cursor.integer()).map(Position).map_err(|corrupt| *corrupt)
}

/// For each commit of a block, or of a record of the log, what it is part of. Errors: [`Corrupt`] where the
/// extension of a commit is not whole.
pub fn commit_parts(record: &DecodedRecord) -> Result<Vec<CommitPart>, Box<Corrupt>> {
    let none = CommitPart { first: Position(u64::MAX), entry_count: 0 };
    let mut parts = vec![none; record.commit_count()];
    for (position, commit) in record.positions().zip(record.commit_indexes()) {
        if let Some(part) = parts.get_mut(commit as usize) {
            part.first = part.first.min(position);
            part.entry_count = part.entry_count.saturating_add(1);
        }
    }
    for (part, commit) in parts.iter_mut().zip(0..) {
        let extensions = record.commit(commit).map(|(_, extensions)| extensions);
        let mut split = extensions.into_iter().flat_map(Extensions::iter);
        if let Some((_, bytes)) = split.find(|(number, _)| *number == SPLIT_EXTENSION) {
            *part = read_split(bytes, part.first)?;
        }
    }
    Ok(parts)
}

/// Whether entries of the commit with these extensions stand in other blocks.
pub(super) fn is_split(extensions: &Extensions) -> bool {
    extensions.iter().any(|(number, _)| *number == SPLIT_EXTENSION)
}

/// Where the part of a commit that begins at `lowest` belongs.
fn read_split(bytes: &[u8], lowest: Position) -> Result<CommitPart, Box<Corrupt>> {
    let mut cursor = Cursor::new(bytes, Part::Body, 0);
    let (before, entry_count) = (cursor.integer()?, cursor.integer()?);
    match lowest.0.checked_sub(before) {
        Some(first @ 1..) if cursor.remaining() == 0 => {
            Ok(CommitPart { first: Position(first), entry_count })
        }
        _ => Err(cursor.corrupt("the commit of a part cannot be where it is said")),
    }
}

/// The extensions of a commit of which `here` entries from `lowest` on stand in a block. Errors: [`Corrupt`] where
/// a commit that is split has no room for one more.
pub(super) fn extensions_of_part(
    given: &Extensions,
    part: CommitPart,
    lowest: Position,
    here: usize,
) -> Result<Extensions, Box<Corrupt>> {
    let own = given.iter().filter(|(number, _)| *number != SPLIT_EXTENSION);
    let mut extensions: Extensions = own.cloned().collect();
    if part.entry_count == here as u64 {
        return Ok(extensions);
    }
    if limits::EXTENSIONS_PER_COMMIT_MAX <= extensions.len() {
        let cursor = Cursor::new(&[], Part::Body, 0);
        return Err(cursor.corrupt("a commit has too many extensions to be split"));
    }
    let mut bytes = Vec::new();
    varint::push_unsigned(&mut bytes, lowest.0.saturating_sub(part.first.0));
    varint::push_unsigned(&mut bytes, part.entry_count);
    extensions.insert(SPLIT_EXTENSION, bytes);
    Ok(extensions)
}
