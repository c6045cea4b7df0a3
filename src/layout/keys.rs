//! Under which keys the records of the layout are kept.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use xxhash_rust::xxh64::xxh64;

use crate::storage::{Key, KeyRange};

use super::{BlockIndex, RunNumber, UnitNumber};

/// The key of the root in [`crate::storage::Area::Index`].
pub const ROOT: &str = "root";

/// The byte that keys of the directory begin with.
const DIRECTORY: u8 = b'd';
/// In place of the number of a page: the index of the run, which comes after all pages.
const RUN_INDEX: u32 = u32::MAX;

/// Ties the bytes of a record to its key, and unties bytes that were: a checksum at their end holds under this key alone,
/// because it is that of the bytes exclusive or the XXH64 of the key. So records that were exchanged are as damaged as
/// others. The root and the records of the log are not tied: the one has a key that no other has, and the others hold
/// theirs.
pub fn tied(key: &Key, mut bytes: Vec<u8>) -> Vec<u8> {
    if let (Key::Bytes(key), Some(checksum)) = (key, bytes.last_chunk_mut::<8>()) {
        *checksum = (u64::from_le_bytes(*checksum) ^ xxh64(key, 0)).to_le_bytes();
    }
    bytes
}

/// What stands where the index of a run will, as long as its number is claimed and nothing of it lives.
pub type Claim = [u8; 8];

/// So many bytes of a claim are by chance.
const CLAIM_CHANCE_BYTES: usize = 5;

/// The claim that stands under a key. The first bytes are given, and the others tie it to the key: so nothing else
/// that may come to stand there is taken for one.
pub fn claim_of(key: &Key, mut chance: Claim) -> Claim {
    let (given, check) = chance.split_at_mut(CLAIM_CHANCE_BYTES);
    if let Key::Bytes(key) = key {
        let checksum = xxh64(&[key.as_slice(), given].concat(), 0).to_le_bytes();
        check.iter_mut().zip(checksum).for_each(|(byte, of_checksum)| *byte = of_checksum);
    }
    chance
}

/// Whether bytes are a claim that was made under this key.
pub fn is_claim(key: &Key, bytes: &[u8]) -> bool {
    Claim::try_from(bytes).is_ok_and(|claim| claim_of(key, claim) == claim)
}

/// A record of a unit, in [`crate::storage::Area::Units`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitRecord {
    /// Its header.
    Header,
    /// A block.
    Block(BlockIndex),
    /// The filter of a block.
    Filter(BlockIndex),
    /// A page of what remains of erased events.
    Remains(u32),
}

/// A record of a run, in [`crate::storage::Area::Index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRecord {
    /// A page.
    Page(u32),
    /// Its index.
    Index,
}

impl UnitRecord {
    /// The length of its key in bytes: the number of the unit, the kind, the index.
    pub const KEY_BYTES: usize = 8 + 1 + 4;

    /// Its kind and its index, as its key has them.
    pub(crate) fn to_kind(self) -> (u8, u32) {
        match self {
            Self::Header => (0, 0),
            Self::Block(BlockIndex(index)) => (1, index),
            Self::Filter(BlockIndex(index)) => (2, index),
            Self::Remains(index) => (3, index),
        }
    }

    /// The key of this record of a unit.
    pub fn key(self, unit: UnitNumber) -> Key {
        let (kind, index) = self.to_kind();
        let mut key = Vec::with_capacity(Self::KEY_BYTES);
        key.extend(unit.0.to_be_bytes());
        key.push(kind);
        key.extend(index.to_be_bytes());
        Key::Bytes(key)
    }

    /// What stands under a key. `None` for a key that is none of a unit.
    pub fn of(key: &Key) -> Option<(UnitNumber, Self)> {
        let Key::Bytes(bytes) = key else { return None };
        let (unit, rest) = bytes.split_first_chunk::<8>()?;
        let (kind, index) = rest.split_first()?;
        let index = u32::from_be_bytes(index.try_into().ok()?);
        let record = match (kind, index) {
            (0, 0) => Self::Header,
            (1, _) => Self::Block(BlockIndex(index)),
            (2, _) => Self::Filter(BlockIndex(index)),
            (3, _) => Self::Remains(index),
            _ => return None,
        };
        Some((UnitNumber(u64::from_be_bytes(*unit)), record))
    }

    /// All records of a unit.
    pub fn range(unit: UnitNumber) -> KeyRange {
        let last = [unit.0.to_be_bytes().as_slice(), &[u8::MAX; 5]].concat();
        KeyRange { from: Some(Self::Header.key(unit)), to: Some(Key::Bytes(last)) }
    }
}

impl RunRecord {
    /// The key of this record of a run.
    pub fn key(self, run: RunNumber) -> Key {
        let page = match self {
            Self::Page(page) => page,
            Self::Index => RUN_INDEX,
        };
        let mut key = Vec::with_capacity(13);
        key.push(DIRECTORY);
        key.extend(run.0.to_be_bytes());
        key.extend(page.to_be_bytes());
        Key::Bytes(key)
    }

    /// What stands under a key. `None` for a key that is none of a run.
    pub fn of(key: &Key) -> Option<(RunNumber, Self)> {
        let Key::Bytes(bytes) = key else { return None };
        let (DIRECTORY, rest) = bytes.split_first().map(|(first, rest)| (*first, rest))? else { return None };
        let (run, page) = rest.split_first_chunk::<8>()?;
        let record = match u32::from_be_bytes(page.try_into().ok()?) {
            RUN_INDEX => Self::Index,
            page => Self::Page(page),
        };
        Some((RunNumber(u64::from_be_bytes(*run)), record))
    }

    /// All records of a run.
    pub fn range(run: RunNumber) -> KeyRange {
        KeyRange { from: Some(Self::Page(0).key(run)), to: Some(Self::Index.key(run)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_units_come_back_and_lie_in_the_range_of_their_unit() {
        let records = [
            UnitRecord::Header,
            UnitRecord::Block(BlockIndex(0)),
            UnitRecord::Block(BlockIndex(300)),
            UnitRecord::Filter(BlockIndex(7)),
            UnitRecord::Remains(u32::MAX),
        ];
        let mut previous = None;
        for unit in [0, 255, 256, 1 << 40].map(UnitNumber) {
            for record in records {
                let key = record.key(unit);
                assert_eq!(UnitRecord::of(&key), Some((unit, record)));
                assert!(previous < Some(key.clone()), "keys are not in the order of units and kinds");
                let range = UnitRecord::range(unit);
                assert!(range.from <= Some(key.clone()) && Some(key.clone()) <= range.to);
                assert_eq!(RunRecord::of(&key), None);
                previous = Some(key);
            }
        }
    }

    #[test]
    fn keys_of_runs_come_back_and_lie_in_the_range_of_their_run() {
        for run in [0, 255, 1 << 40].map(RunNumber) {
            for record in [RunRecord::Page(0), RunRecord::Page(9), RunRecord::Index] {
                let key = record.key(run);
                assert_eq!(RunRecord::of(&key), Some((run, record)));
                let range = RunRecord::range(run);
                assert!(range.from <= Some(key.clone()) && Some(key.clone()) <= range.to);
            }
        }
    }

    #[test]
    fn a_claim_is_known_under_its_key_alone() {
        let (key, other) = (RunRecord::Index.key(RunNumber(7)), RunRecord::Index.key(RunNumber(8)));
        let claim = claim_of(&key, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(claim, [1, 2, 3, 4, 5, 131, 85, 29]);
        assert!(is_claim(&key, &claim) && !is_claim(&other, &claim));
        assert!(!is_claim(&key, &claim[..7]) && !is_claim(&key, &[]) && !is_claim(&key, &[1; 8]));
        for place in 0..claim.len() {
            let mut flipped = claim;
            flipped.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1);
            assert!(!is_claim(&key, &flipped), "byte {place}");
        }
    }

    #[test]
    fn other_keys_are_none() {
        for bytes in [&b""[..], b"root", b"d", b"d12345678", b"12345678", b"\0\0\0\0\0\0\0\0\x04\0\0\0\0"] {
            let key = Key::Bytes(bytes.to_vec());
            assert_eq!((UnitRecord::of(&key), RunRecord::of(&key)), (None, None), "{key:?}");
        }
    }
}
