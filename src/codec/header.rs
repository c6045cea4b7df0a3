//! The header of a record, and the checksum at its end.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use xxhash_rust::xxh64::xxh64;

use crate::event::Position;
use crate::limits;

use super::cursor::Cursor;
use super::varint;
use super::{Corrupt, Part};

/// The version of the form of records.
pub const RECORD_VERSION: u8 = 1;

const MAGIC: [u8; 3] = *b"EFr";
const CHECKSUM_BYTES: usize = 8;
/// Flag: the body is packed.
const PACKED: u8 = 1;
/// LZ4 makes at most this many bytes of one.
const UNPACKED_BYTES_PER_BYTE_MAX: usize = 255;

/// What stands before the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// How the body is stored.
    pub packing: Packing,
    /// The lowest position, which is the key of the record.
    pub first: Position,
    /// The highest position.
    pub last: Position,
    /// How many events and facts the record has.
    pub entry_count: usize,
    /// How many commits they belong to.
    pub commit_count: usize,
    /// Length of the body before packing.
    pub body_bytes: usize,
    /// Length of the text that the body begins with.
    pub text_bytes: usize,
}

/// How a body is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// As an LZ4 block.
    Lz4,
}

impl Header {
    /// The record of this header and this body, as it is stored.
    pub fn seal(&self, stored_body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(stored_body.len().saturating_add(48));
        bytes.extend(MAGIC);
        bytes.push(RECORD_VERSION);
        bytes.push(match self.packing {
            Packing::Plain => 0,
            Packing::Lz4 => PACKED,
        });
        varint::push_unsigned(&mut bytes, self.first.0);
        varint::push_unsigned(&mut bytes, self.last.0.saturating_sub(self.first.0));
        for size in [self.entry_count, self.commit_count, self.body_bytes, self.text_bytes] {
            varint::push_size(&mut bytes, size);
        }
        bytes.extend(stored_body);
        bytes.extend(xxh64(&bytes, 0).to_le_bytes());
        bytes
    }

    /// Checks a record as a whole, and splits it into its header and its body as it is stored.
    #[inline(never)]
    pub fn open(record: &[u8], key: Position) -> Result<(Self, &[u8]), Box<Corrupt>> {
        let mut cursor = Cursor::new(record, Part::Record, 0);
        if cursor.array::<3>()? != MAGIC {
            return Err(Cursor::new(record, Part::Record, 0).corrupt("this is not a record of the log"));
        }
        let Some((checked, checksum)) = record.split_last_chunk::<CHECKSUM_BYTES>() else {
            return Err(cursor.corrupt("the bytes end early"));
        };
        if xxh64(checked, 0) != u64::from_le_bytes(*checksum) {
            return Err(cursor.corrupt("the checksum does not match"));
        }
        let mut cursor = Cursor::new(checked, Part::Record, 0);
        cursor.array::<3>()?;
        let header = Self::read(&mut cursor, key)?;
        let stored_body = cursor.take(cursor.remaining())?;
        Ok((header, stored_body))
    }

    fn read(cursor: &mut Cursor<'_>, key: Position) -> Result<Self, Box<Corrupt>> {
        if cursor.byte()? != RECORD_VERSION {
            return Err(cursor.corrupt("the version of the format is not known"));
        }
        let packing = match cursor.byte()? {
            0 => Packing::Plain,
            PACKED => Packing::Lz4,
            _ => return Err(cursor.corrupt("a flag is not known")),
        };
        let (first, last) = read_positions(cursor, key)?;
        let entry_count = cursor.size(limits::RECORD_ENTRIES_MAX, "there are too many entries")?;
        let commit_count = cursor.size(entry_count, "there are more commits than entries")?;
        if entry_count == 0 || commit_count == 0 {
            return Err(cursor.corrupt("the record is empty"));
        }
        let body_bytes = cursor.size(limits::RECORD_BODY_BYTES_MAX, "the body is too large")?;
        let text_bytes = cursor.size(body_bytes, "the text is longer than the body")?;
        let header = Self { packing, first, last, entry_count, commit_count, body_bytes, text_bytes };
        header.check_body_bytes(cursor)?;
        Ok(header)
    }

    /// Refuses a length that the stored body cannot have: it is what the body's memory is reserved for.
    fn check_body_bytes(&self, cursor: &Cursor<'_>) -> Result<(), Box<Corrupt>> {
        let stored_bytes = cursor.remaining();
        let possible = match self.packing {
            Packing::Plain => self.body_bytes == stored_bytes,
            Packing::Lz4 => self.body_bytes <= stored_bytes.saturating_mul(UNPACKED_BYTES_PER_BYTE_MAX),
        };
        if possible { Ok(()) } else { Err(cursor.corrupt("the body cannot have the length that is said")) }
    }
}

fn read_positions(cursor: &mut Cursor<'_>, key: Position) -> Result<(Position, Position), Box<Corrupt>> {
    let first = cursor.integer()?;
    if first == 0 || first != key.0 {
        return Err(cursor.corrupt("the first position is not the key of the record"));
    }
    let last = first.saturating_add(cursor.integer()?);
    if limits::INTEGER_MAX < last {
        return Err(cursor.corrupt("the last position is too large"));
    }
    Ok((Position(first), Position(last)))
}
