//! The entries of a unit in the order of the log.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::event::Position;
use crate::layout::{BlockIndex, UnitNumber};
use crate::sort::sort_by_key;

/// A record has at most 2^16 entries: its place among the blocks and that of the entry in it are one number.
const ENTRY_BITS: u32 = 16;

/// The entries of blocks of a unit in the order of their positions: made once, however many pages are read from them.
#[derive(Debug)]
pub struct UnitOrder {
    unit: UnitNumber,
    blocks: Vec<BlockIndex>,
    placed: Vec<(u64, usize)>,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInUnit {
    /// Its block.
    pub block: BlockIndex,
    /// Its index in the block.
    pub entry: usize,
}

impl UnitOrder {
    /// The order of these blocks of a unit, in which they stand in ascending order.
    pub fn new(unit: UnitNumber, blocks: &[BlockIndex], records: &[Rc<DecodedRecord>]) -> Self {
        let mut placed = Vec::new();
        for (record, index) in records.iter().zip(0_usize..) {
            placed.extend(
                record.positions().zip(index << ENTRY_BITS..).map(|(position, place)| (position.0, place)),
            );
        }
        Self { unit, blocks: blocks.to_vec(), placed: sort_by_key(placed) }
    }

    /// Whether it has the entries of all of these blocks, which are in ascending order.
    pub fn covers(&self, unit: UnitNumber, blocks: &[BlockIndex]) -> bool {
        self.unit == unit && blocks.iter().all(|block| self.blocks.binary_search(block).is_ok())
    }

    /// How many entries stand before a position.
    pub fn count_before(&self, position: Position) -> usize {
        self.placed.partition_point(|(other, _)| *other < position.0)
    }

    /// The entry before which stand so many others.
    pub fn place(&self, index: usize) -> Option<PlaceInUnit> {
        let (_, place) = self.placed.get(index)?;
        let block = *self.blocks.get(place >> ENTRY_BITS)?;
        Some(PlaceInUnit { block, entry: place & ((1 << ENTRY_BITS) - 1) })
    }
}
