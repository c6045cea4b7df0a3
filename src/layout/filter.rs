//! The filter of a block: which ids stand there for certain not.
//!
//! A Bloom filter with the double hashing of Kirsch and Mitzenmacher, "Less hashing, same performance" (2006), in
//! the enhanced form of Dillinger and Manolios: each probe is a step further than the one before, and the steps grow.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::Corrupt;
use crate::codec::varint;
use crate::id::EventId;

use super::sealed::{self, Magic};

/// Bits for each id.
const BITS_PER_ID: usize = 16;
/// A filter of a few ids has at least this many bytes: in fewer, probes of one id would often meet one another.
const FILTER_BYTES_MIN: usize = 32;
/// How many bits an id sets.
const PROBE_COUNT: u64 = 8;
const MAGIC: Magic = Magic(b'b');

/// The ids of a block. It has false positives, about six in ten thousand, and no false negatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    bits: Vec<u8>,
}

impl Filter {
    /// The filter of these ids.
    pub fn build(ids: &[EventId]) -> Self {
        let mut bits = vec![0_u8; ids.len().saturating_mul(BITS_PER_ID / 8).max(FILTER_BYTES_MIN)];
        for id in ids {
            for (byte, mask) in probes(*id, bits.len()) {
                if let Some(byte) = bits.get_mut(byte) {
                    *byte |= mask;
                }
            }
        }
        Self { bits }
    }

    /// Whether the id may be among them. `false` is certain.
    pub fn may_contain(&self, id: EventId) -> bool {
        let is_set = |(byte, mask)| self.bits.get(byte).is_some_and(|bits: &u8| bits & mask != 0);
        probes(id, self.bits.len()).all(is_set)
    }

    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        self.bits.capacity().saturating_add(size_of::<Self>())
    }

    /// The stored form: see FORMAT.md, "A filter".
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.bits.len().saturating_add(4));
        varint::push_size(&mut body, self.bits.len());
        body.extend(&self.bits);
        // Half of the bits are set, as if by chance: there is nothing to pack.
        MAGIC.seal_plain(&body)
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(bytes)?;
        let mut cursor = sealed::body(&body);
        let length = cursor.count(usize::MAX)?;
        let bits = cursor.take(length)?.to_vec();
        sealed::end(&cursor)?;
        Ok(Self { bits })
    }
}

/// The bits of an id in so many bytes: which byte, and which bit of it.
fn probes(id: EventId, byte_count: usize) -> impl Iterator<Item = (usize, u8)> {
    let [a, b, c, d, e, f, g, h, rest @ ..] = id.to_bytes();
    let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let second = u64::from_le_bytes(rest);
    // Ids may count, or differ in a few bits alone: both hashes depend on all of them.
    let mut place = mix(first ^ mix(second));
    let mut step = mix(second ^ place);
    let bit_count = (byte_count as u64).saturating_mul(8);
    (0..PROBE_COUNT).map(move |probe| {
        // The high half of the hash, scaled to the number of bits: a filter has fewer than 2^32.
        let bit = (place >> 32).wrapping_mul(bit_count) >> 32;
        place = place.wrapping_add(step);
        step = step.wrapping_add(probe);
        ((bit >> 3) as usize, 1 << (bit & 7))
    })
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): the finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may end where it is surprised"
)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IdGenerator;
    use crate::testing::prng::Prng;

    const PROBED_COUNT: usize = 100_000;

    /// `ids` gives new ids only: the first go into filters, and the rest must not be found there.
    #[track_caller]
    fn check(mut ids: impl FnMut() -> EventId) {
        for id_count in [1, 10, 500, 5_000] {
            let present: Vec<EventId> = (0..id_count).map(|_| ids()).collect();
            let filter = Filter::from_bytes(&Filter::build(&present).to_bytes()).unwrap();
            assert!(present.iter().all(|id| filter.may_contain(*id)));
            let wrong = (0..PROBED_COUNT).filter(|_| filter.may_contain(ids())).count();
            println!("{wrong} of {PROBED_COUNT} with {id_count} ids");
            assert!(wrong < PROBED_COUNT * 15 / 10_000, "{wrong} of {PROBED_COUNT} with {id_count} ids");
        }
    }

    #[test]
    fn random_ids_have_no_false_negatives_and_few_false_positives() {
        let mut prng = Prng::new(1);
        check(|| {
            let mut bytes = [0; EventId::BYTES];
            prng.fill(&mut bytes);
            EventId::from_bytes(bytes)
        });
    }

    #[test]
    fn ids_that_count_have_no_false_negatives_and_few_false_positives() {
        let mut generator = IdGenerator::new([9; EventId::PREFIX_BYTES]);
        check(|| generator.next_id());
        let mut counter = 0_u128;
        check(|| {
            counter += 1;
            EventId::from_bytes(counter.to_le_bytes())
        });
        check(|| {
            counter += 1;
            EventId::from_bytes((counter << 64).to_le_bytes())
        });
    }

    #[test]
    fn a_filter_of_nothing_contains_nothing() {
        let filter = Filter::from_bytes(&Filter::build(&[]).to_bytes()).unwrap();
        assert!(!filter.may_contain(EventId::from_bytes([0; EventId::BYTES])));
    }
}
