//! The bytes of a record to what stands in it.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::event::Position;

use super::cursor::Cursor;
use super::decoded_record::DecodedRecord;
use super::header::{Header, Packing};
use super::parse::parse;
use super::{Corrupt, Part};

impl DecodedRecord {
    /// Reads the record that is kept under `key`. Errors: [`Corrupt`] for anything else than what
    /// [`super::encode_records`] or [`super::encode_arranged`] made for this key.
    pub fn decode(bytes: &[u8], key: Position) -> Result<Self, Corrupt> {
        read(bytes, key).map_err(|corrupt| *corrupt)
    }
}

fn read(bytes: &[u8], key: Position) -> Result<DecodedRecord, Box<Corrupt>> {
    let (header, stored_body) = Header::open(bytes, key)?;
    let body = unpack(&header, stored_body)?;
    parse(header, body)
}

#[inline(never)]
pub(super) fn unpack(header: &Header, stored_body: &[u8]) -> Result<Vec<u8>, Box<Corrupt>> {
    match header.packing {
        Packing::Plain => Ok(stored_body.to_vec()),
        Packing::Lz4 => match lz4_flex::block::decompress(stored_body, header.body_bytes) {
            Ok(body) if body.len() == header.body_bytes => Ok(body),
            _ => Err(Cursor::new(&[], Part::Body, 0).corrupt("the LZ4 block is not whole")),
        },
    }
}
