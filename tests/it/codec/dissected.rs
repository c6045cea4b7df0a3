//! A record taken apart, so that a test can break one part of it and put it together again with a checksum
//! that matches.

use everfold::codec::{Corrupt, DecodedRecord};
use everfold::event::Position;
use xxhash_rust::xxh64::xxh64;

/// The parts of a record. Its body is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissected {
    pub magic: [u8; 3],
    pub version: u8,
    pub flags: u8,
    pub first: u64,
    pub last_offset: u64,
    pub entry_count: u64,
    pub commit_count: u64,
    pub body_bytes: u64,
    pub text_bytes: u64,
    pub body: Vec<u8>,
}

impl Dissected {
    /// Takes a whole record apart.
    pub fn new(record: &[u8]) -> Self {
        let (checked, _) = record.split_last_chunk::<8>().unwrap();
        let ([magic @ .., version, flags], mut rest) = checked.split_first_chunk::<5>().unwrap();
        let mut number = || {
            let length = rest.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
            let (digits, after) = rest.split_at(length);
            rest = after;
            digits.iter().rev().fold(0, |value, digit| value << 7 | u64::from(digit & 0x7f))
        };
        let [first, last_offset, entry_count, commit_count, body_bytes, text_bytes] =
            std::array::from_fn(|_| number());
        let body = match flags {
            0 => rest.to_vec(),
            _ => lz4_flex::block::decompress(rest, body_bytes as usize).unwrap(),
        };
        let (magic, version) = (*magic, *version);
        Self {
            magic,
            version,
            flags: 0,
            first,
            last_offset,
            entry_count,
            commit_count,
            body_bytes,
            text_bytes,
            body,
        }
    }

    /// The record with whatever length and text length its body has now, not packed.
    pub fn plain(mut self) -> Vec<u8> {
        self.body_bytes = self.body.len() as u64;
        self.seal()
    }

    /// The record as it is, with a checksum that matches.
    pub fn seal(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend([self.version, self.flags]);
        let numbers = [
            self.first,
            self.last_offset,
            self.entry_count,
            self.commit_count,
            self.body_bytes,
            self.text_bytes,
        ];
        numbers.iter().for_each(|number| push_number(&mut bytes, *number));
        bytes.extend(&self.body);
        bytes.extend(xxh64(&bytes, 0).to_le_bytes());
        bytes
    }
}

/// Appends a number as LEB128.
pub fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while 0x80 <= number {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Decodes under the key that the record itself names.
pub fn decode(dissected: &Dissected, record: &[u8]) -> Result<DecodedRecord, Corrupt> {
    DecodedRecord::decode(record, Position(dissected.first))
}
