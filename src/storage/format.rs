//! The format: which versions of everfold may read a database, and which may write it.

use xxhash_rust::xxh64::xxh64;

/// The version of the format that this everfold writes, which the format record and the head give. Records have versions of
/// their own.
pub const FORMAT_VERSION: u8 = 1;

/// Which versions of the format a reader and a writer must know, in a record of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// A reader that knows no version as high as this cannot understand what is there.
    pub min_reader: u32,
    /// A writer that knows no version as high as this would break what is there; it may read.
    pub min_writer: u32,
}

impl Format {
    /// The key of the format in [`super::Area::Meta`].
    pub const KEY: &'static str = "format";
    /// The newest version that this everfold knows.
    pub const CURRENT: u32 = FORMAT_VERSION as u32;
    /// The oldest version that it knows: those before it were never published.
    pub const OLDEST: u32 = 1;
    /// Length of the stored form in bytes: two versions, checksum.
    pub const STORED_BYTES: usize = 2 * 4 + 8;

    /// What this everfold writes into a new database.
    pub fn current() -> Self {
        Self { min_reader: Self::CURRENT, min_writer: Self::CURRENT }
    }

    /// The stored form: see FORMAT.md, "The format record".
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::STORED_BYTES);
        bytes.extend(self.min_reader.to_le_bytes());
        bytes.extend(self.min_writer.to_le_bytes());
        bytes.extend(xxh64(&bytes, 0).to_le_bytes());
        bytes
    }

    /// Reads the stored form. `None` where the bytes are not one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<8>()?;
        if bytes.len() != Self::STORED_BYTES || xxh64(body, 0) != u64::from_le_bytes(*checksum) {
            return None;
        }
        let (min_reader, rest) = body.split_first_chunk::<4>()?;
        let (min_writer, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            min_reader: u32::from_le_bytes(*min_reader),
            min_writer: u32::from_le_bytes(*min_writer),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[track_caller]
    fn check(format: Format) {
        let bytes = format.to_bytes();
        assert_eq!(bytes.len(), Format::STORED_BYTES);
        assert_eq!(Format::from_bytes(&bytes), Some(format));
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1;
            assert_eq!(Format::from_bytes(&damaged), None, "byte {index} flipped");
            assert_eq!(Format::from_bytes(&bytes[..index]), None, "cut at {index}");
        }
    }

    #[test]
    fn the_format_comes_back_and_its_damage_is_found() {
        check(Format::current());
        check(Format { min_reader: 1, min_writer: u32::MAX });
    }
}
