//! The filter of a block: which ids stand there for certain not.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::Corrupt;
use crate::id::EventId;
use crate::sort::sort_by_key;

use super::sealed::{self, Magic};

const MAGIC: Magic = Magic(b'b');

/// What stands for an id: five bytes of a hash of it, by which the ids of a log of many millions are told apart but for
/// few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; Fingerprint::BYTES]);

/// So many ids of one generator, one after the other, have one fingerprint.
const COUNTED_TOGETHER: u32 = 4_096;

/// The fingerprints of the ids of a block, each once, in ascending order. It has false positives, about one in two
/// thousand millions but for ids that count, and no false negatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    fingerprints: Vec<Fingerprint>,
}

impl Fingerprint {
    /// Its length in bytes.
    pub const BYTES: usize = 5;
    /// Its length in bits.
    pub const BITS: u32 = 40;

    /// The fingerprint of an id. Of the ids that the store makes only the higher part of the counter counts: nobody
    /// appends one again but to repeat what failed, and their blocks would be as large again with their filters.
    pub fn of(id: EventId) -> Self {
        let (prefix, counter) = id.to_parts();
        let counted = EventId::from_parts(prefix, counter & !(COUNTED_TOGETHER - 1));
        let [a, b, c, d, e, f, g, h, rest @ ..] = if id.is_counted() { counted } else { id }.to_bytes();
        let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // Ids may count, or differ in a few bits alone: the hash depends on all of them.
        let [a, b, c, d, e, ..] = mix(first ^ mix(u64::from_le_bytes(rest))).to_be_bytes();
        Self([a, b, c, d, e])
    }

    /// The number that its bytes are, the highest first.
    pub fn number(self) -> u64 {
        let [a, b, c, d, e] = self.0;
        u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
    }
}

impl Filter {
    /// The filter of these ids.
    pub fn build(ids: &[EventId]) -> Self {
        let all: Vec<Fingerprint> = ids.iter().copied().map(Fingerprint::of).collect();
        let ordered = sort_by_key(all.iter().map(|it| it.number()).zip(0..).collect());
        let mut fingerprints: Vec<Fingerprint> =
            ordered.into_iter().filter_map(|(_, place)| all.get(place).copied()).collect();
        fingerprints.dedup();
        Self { fingerprints }
    }

    /// Whether the id may be among them. `false` is certain.
    pub fn may_contain(&self, id: EventId) -> bool {
        self.fingerprints.binary_search(&Fingerprint::of(id)).is_ok()
    }

    /// The fingerprints of all ids.
    pub fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    /// What it takes of memory, in bytes, for the budget of a cache.
    pub fn memory_bytes(&self) -> usize {
        self.fingerprints
            .capacity()
            .saturating_mul(size_of::<Fingerprint>())
            .saturating_add(size_of::<Self>())
    }

    /// The stored form: see FORMAT.md, "A filter".
    pub fn to_bytes(&self) -> Vec<u8> {
        let body: Vec<u8> = self.fingerprints.iter().flat_map(|fingerprint| fingerprint.0).collect();
        // Fingerprints come as if by chance: there is nothing to pack.
        MAGIC.seal_plain(&body)
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(bytes)?;
        let (stored, rest) = body.as_chunks();
        let fingerprints: Vec<Fingerprint> = stored.iter().copied().map(Fingerprint).collect();
        if !rest.is_empty() || !fingerprints.is_sorted_by(|one, next| one < next) {
            return Err(sealed::body(&body).corrupt("fingerprints are not in their order"));
        }
        Ok(Self { fingerprints })
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): the finaliser of SplitMix64.
pub(crate) fn mix(value: u64) -> u64 {
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
            assert!(wrong == 0, "{wrong} of {PROBED_COUNT} with {id_count} ids");
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
    fn ids_of_one_generator_are_told_apart_by_thousands() {
        let mut generator = IdGenerator::new([9; EventId::PREFIX_BYTES]);
        let present: Vec<EventId> = (0..2 * COUNTED_TOGETHER).map(|_| generator.next_id()).collect();
        let filter = Filter::from_bytes(&Filter::build(&present).to_bytes()).unwrap();
        assert_eq!(filter.fingerprints().len(), 2);
        assert!(present.iter().all(|id| filter.may_contain(*id)));
        assert!((0..PROBED_COUNT).all(|_| !filter.may_contain(generator.next_id())));
        let mut other = IdGenerator::new([8; EventId::PREFIX_BYTES]);
        assert!((0..PROBED_COUNT).all(|_| !filter.may_contain(other.next_id())));
    }

    #[test]
    fn a_filter_of_nothing_contains_nothing() {
        let filter = Filter::from_bytes(&Filter::build(&[]).to_bytes()).unwrap();
        assert!(!filter.may_contain(EventId::from_bytes([0; EventId::BYTES])));
    }
}
