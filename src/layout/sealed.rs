//! What all records have in common that are derived from the log: magic, version, packing, checksum.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use xxhash_rust::xxh64::xxh64;

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, Part, RECORD_VERSION, varint};
use crate::limits;

/// Which kind of record it is: the third letter of its magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Magic(pub u8);

/// The first two letters of every magic.
const LETTERS: [u8; 2] = *b"EF";
/// Flag: the body is an LZ4 block.
const PACKED: u8 = 1;
/// LZ4 makes at most this many bytes of one.
const UNPACKED_BYTES_PER_BYTE_MAX: usize = 255;

impl Magic {
    /// A record with this body, which is packed where that makes it smaller.
    pub fn seal(self, body: &[u8]) -> Vec<u8> {
        let packed = lz4_flex::block::compress(body);
        if packed.len() < body.len() {
            self.seal_as(PACKED, body.len(), &packed)
        } else {
            self.seal_plain(body)
        }
    }

    /// A record with this body as it is, for what nothing can pack.
    pub fn seal_plain(self, body: &[u8]) -> Vec<u8> {
        self.seal_as(0, body.len(), body)
    }

    fn seal_as(self, flags: u8, body_bytes: usize, stored_body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(stored_body.len().saturating_add(24));
        bytes.extend(LETTERS);
        bytes.extend([self.0, RECORD_VERSION, flags]);
        varint::push_size(&mut bytes, body_bytes);
        bytes.extend(stored_body);
        bytes.extend(xxh64(&bytes, 0).to_le_bytes());
        bytes
    }

    /// The body of a record of this kind, unpacked. Errors: [`Corrupt`] for any other bytes.
    pub fn open(self, record: &[u8]) -> Result<Vec<u8>, Box<Corrupt>> {
        let start = Cursor::new(record, Part::Record, 0);
        let Some((checked, checksum)) = record.split_last_chunk::<8>() else {
            return Err(start.corrupt("the bytes end early"));
        };
        let mut cursor = Cursor::new(checked, Part::Record, 0);
        let [first, second, third] = cursor.array()?;
        if [first, second] != LETTERS || third != self.0 {
            return Err(start.corrupt("this is a record of another kind"));
        }
        if xxh64(checked, 0) != u64::from_le_bytes(*checksum) {
            return Err(cursor.corrupt("the checksum does not match"));
        }
        if cursor.byte()? != RECORD_VERSION {
            return Err(cursor.corrupt("the version of the format is not known"));
        }
        let flags = cursor.byte()?;
        let body_bytes = cursor.size(limits::RECORD_BODY_BYTES_MAX, "the body is too large")?;
        let stored_bytes = cursor.remaining();
        let stored_body = cursor.take(stored_bytes)?;
        match flags {
            0 if body_bytes == stored_bytes => Ok(stored_body.to_vec()),
            PACKED if body_bytes <= stored_bytes.saturating_mul(UNPACKED_BYTES_PER_BYTE_MAX) => {
                match lz4_flex::block::decompress(stored_body, body_bytes) {
                    Ok(body) if body.len() == body_bytes => Ok(body),
                    _ => Err(cursor.corrupt("the LZ4 block is not whole")),
                }
            }
            0 | PACKED => Err(cursor.corrupt("the body cannot have the length that is said")),
            _ => Err(cursor.corrupt("a flag is not known")),
        }
    }
}

/// Reads a body that was unpacked.
pub(crate) fn body(bytes: &[u8]) -> Cursor<'_> {
    Cursor::new(bytes, Part::Body, 0)
}

/// Ends the reading of a body: nothing may be left.
pub(crate) fn end(cursor: &Cursor<'_>) -> Result<(), Box<Corrupt>> {
    match cursor.remaining() {
        0 => Ok(()),
        _ => Err(cursor.corrupt("there are bytes after the end")),
    }
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may end where it is surprised"
)]
#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: Magic = Magic(b'?');

    #[track_caller]
    fn check(body: &[u8]) {
        for record in [MAGIC.seal(body), MAGIC.seal_plain(body)] {
            assert_eq!(MAGIC.open(&record).unwrap(), body);
            assert_eq!(Magic(b'!').open(&record).unwrap_err().problem, "this is a record of another kind");
            for bit in 0..record.len() * 8 {
                let mut damaged = record.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(MAGIC.open(&damaged).is_err(), "bit {bit}");
            }
            for length in 0..record.len() {
                assert!(MAGIC.open(&record[..length]).is_err(), "{length} bytes");
            }
        }
    }

    #[test]
    fn a_body_comes_back_and_damage_is_found() {
        check(b"");
        check(b"short");
        check(&[7; 300]);
    }

    #[test]
    fn a_length_that_cannot_be_is_refused_before_memory_is_reserved() {
        let record = MAGIC.seal_as(PACKED, 1 << 24, &[0; 16]);
        assert_eq!(MAGIC.open(&record).unwrap_err().problem, "the body cannot have the length that is said");
        let record = MAGIC.seal_as(2, 0, &[]);
        assert_eq!(MAGIC.open(&record).unwrap_err().problem, "a flag is not known");
    }
}
