//! Where the events of a type, a tag or a category stand.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, varint};

use super::stored_numbers::{Differences, read_list, read_u32};
use super::{BlockAddress, BlockIndex, UnitNumber};

/// Where the events of a type, a tag or a category stand, unit by unit, in the order of their positions.
///
/// A monoid: [`Posting::then`] is associative, and the empty one is neutral.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Posting {
    /// The units that hold any; none of them is empty.
    pub units: Vec<UnitPosting>,
}

/// What one unit holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitPosting {
    /// The unit.
    pub unit: UnitNumber,
    /// How many events match. Facts count under their own types alone, and under no category.
    pub event_count: u64,
    /// The blocks that hold events or facts that match, in ascending order.
    pub blocks: Vec<BlockIndex>,
}

impl Posting {
    /// Adds an event or a fact, which counts for `event_count`. Within a unit, blocks come in their order.
    pub fn add(&mut self, address: BlockAddress, event_count: u64) {
        let BlockAddress { unit, block } = address;
        match self.units.last_mut() {
            Some(last) if last.unit == unit => {
                last.event_count = last.event_count.saturating_add(event_count);
                if last.blocks.last() != Some(&block) {
                    last.blocks.push(block);
                }
            }
            _ => self.units.push(UnitPosting { unit, event_count, blocks: vec![block] }),
        }
    }

    /// What both hold: this one older, `newer` from a later range of positions.
    #[must_use]
    pub fn then(mut self, newer: Self) -> Self {
        self.units.extend(newer.units);
        self
    }

    /// How many events match, in all units.
    pub fn event_count(&self) -> u64 {
        self.units.iter().fold(0, |sum, unit| sum.saturating_add(unit.event_count))
    }

    /// Appends the stored form: see FORMAT.md, "Summaries".
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let mut units = Differences::default();
        varint::push_size(bytes, self.units.len());
        for UnitPosting { unit, event_count, blocks } in &self.units {
            units.push(bytes, unit.0);
            varint::push_unsigned(bytes, *event_count);
            varint::push_size(bytes, blocks.len());
            let mut indexes = Differences::default();
            blocks.iter().for_each(|block| indexes.push(bytes, u64::from(block.0)));
        }
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else.
    pub fn read(cursor: &mut Cursor<'_>) -> Result<Self, Box<Corrupt>> {
        let mut numbers = Differences::default();
        let units = read_list(cursor, |cursor| {
            let unit = numbers.read_unit(cursor)?;
            let event_count = cursor.integer()?;
            let mut indexes = Differences::default();
            let blocks = read_list(cursor, |cursor| match u32::try_from(indexes.read(cursor)?) {
                Ok(block) => Ok(BlockIndex(block)),
                Err(_) => Err(cursor.corrupt("the index of a block is too large")),
            })?;
            if blocks.is_empty() || !blocks.is_sorted_by(|one, next| one < next) {
                return Err(cursor.corrupt("blocks are missing, or not in their order"));
            }
            Ok(UnitPosting { unit, event_count, blocks })
        })?;
        Ok(Self { units })
    }
}

impl BlockAddress {
    pub(super) fn write(self, units: &mut Differences, bytes: &mut Vec<u8>) {
        units.push(bytes, self.unit.0);
        varint::push_unsigned(bytes, u64::from(self.block.0));
    }

    pub(super) fn read(units: &mut Differences, cursor: &mut Cursor<'_>) -> Result<Self, Box<Corrupt>> {
        Ok(Self { unit: units.read_unit(cursor)?, block: BlockIndex(read_u32(cursor)?) })
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
    use crate::layout::sealed;

    fn address(unit: u64, block: u32) -> BlockAddress {
        BlockAddress { unit: UnitNumber(unit), block: BlockIndex(block) }
    }

    fn posting(addresses: &[(u64, u32)]) -> Posting {
        let mut posting = Posting::default();
        addresses.iter().for_each(|&(unit, block)| posting.add(address(unit, block), 1));
        posting
    }

    #[test]
    fn blocks_are_named_once_and_events_counted_each() {
        let posting = posting(&[(7, 0), (7, 0), (7, 3), (2, 3)]);
        let counts: Vec<(u64, u64, usize)> =
            posting.units.iter().map(|unit| (unit.unit.0, unit.event_count, unit.blocks.len())).collect();
        assert_eq!(counts, [(7, 3, 2), (2, 1, 1)]);
        assert_eq!(posting.event_count(), 4);
    }

    #[test]
    fn it_comes_back_and_joins_in_any_grouping() {
        let parts = [posting(&[(7, 0), (7, 3)]), Posting::default(), posting(&[(2, 9)]), posting(&[(9, 1)])];
        let [a, b, c, d] = parts.clone();
        let left = a.clone().then(b.clone()).then(c.clone()).then(d.clone());
        assert_eq!(left, a.then(b.then(c.then(d))));
        let mut bytes = Vec::new();
        left.write(&mut bytes);
        assert_eq!(Posting::read(&mut sealed::body(&bytes)).unwrap(), left);
    }
}
