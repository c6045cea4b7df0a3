//! The entries of a unit in the order of the log.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::codec::order::by_position;
use crate::event::Position;
use crate::layout::{BlockIndex, UnitNumber};
use crate::storage::Direction;

use super::header::UnitInfo;

/// Where there are more positions than so many times the entries, there is no place for each position.
const SPARSE_FACTOR: u64 = 4;
/// Most positions of a unit that there are places for.
const PLACES_MAX: u64 = 1 << 18;
/// A block has at most 2^16 entries: the index of the block and that of the entry are one number.
const ENTRY_BITS: u32 = 16;
/// The place of a position that no entry is known to have. No block has so high an index.
const FREE: u32 = u32::MAX;

/// Where an entry stands in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInUnit {
    /// Its position.
    pub position: Position,
    /// The index of its block: among those that were given, or in the unit.
    pub block: usize,
    /// Its index in the block.
    pub entry: usize,
}

/// Which entry has which position of a unit, as far as its blocks were looked at: each of them once, however many pages
/// are read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOrder {
    unit: UnitNumber,
    first: Position,
    places: Vec<u32>,
    is_placed: Vec<bool>,
}

impl UnitOrder {
    /// The order of a unit no block of which was looked at. `None` where most of its events are erased, or where it is
    /// larger than units are made.
    pub fn new(unit: &UnitInfo) -> Option<Self> {
        let span = unit.last.0.checked_sub(unit.first.0)?.checked_add(1)?;
        let is_dense = span <= unit.entry_count.saturating_mul(SPARSE_FACTOR);
        let fits = span <= PLACES_MAX && unit.block_count < FREE >> ENTRY_BITS;
        (is_dense && fits).then(|| Self {
            unit: unit.number,
            first: unit.first,
            places: vec![FREE; span as usize],
            is_placed: vec![false; unit.block_count as usize],
        })
    }

    /// The unit.
    pub fn unit(&self) -> UnitNumber {
        self.unit
    }

    /// Gives the entries of blocks of the unit their places, but for blocks that were looked at before.
    pub fn place(&mut self, blocks: &[BlockIndex], records: &[Rc<DecodedRecord>]) {
        for (block, record) in blocks.iter().zip(records) {
            match self.is_placed.get_mut(block.0 as usize) {
                Some(is_placed) if !*is_placed => *is_placed = true,
                _ => continue,
            }
            for (position, entry) in record.positions().zip(0_u32..) {
                let place =
                    position.0.checked_sub(self.first.0).and_then(|at| self.places.get_mut(at as usize));
                if let Some(place) = place {
                    *place = block.0 << ENTRY_BITS | entry;
                }
            }
        }
    }

    /// The entry that has this position, by the index of its block in the unit.
    pub fn entry_at(&self, position: Position) -> Option<PlaceInUnit> {
        let place = *self.places.get(position.0.checked_sub(self.first.0)? as usize)?;
        (place != FREE).then_some(PlaceInUnit {
            position,
            block: (place >> ENTRY_BITS) as usize,
            entry: (place & ((1 << ENTRY_BITS) - 1)) as usize,
        })
    }
}

/// The places of those entries of these blocks that are from `first` to `last`, both inclusive, in the order of their
/// positions: what a unit is read by that has no [`UnitOrder`].
pub fn in_order(
    blocks: &[Rc<DecodedRecord>],
    first: Position,
    last: Position,
    direction: Direction,
) -> Vec<PlaceInUnit> {
    let mut placed = Vec::new();
    for (block, index) in blocks.iter().zip(0_usize..) {
        if block.last() < first || last < block.first() {
            continue;
        }
        for (position, entry) in block.positions().zip(0_usize..) {
            if (first..=last).contains(&position) {
                placed.push((position, index << ENTRY_BITS | entry));
            }
        }
    }
    let mut ordered: Vec<PlaceInUnit> = by_position(placed)
        .into_iter()
        .map(|(position, code)| PlaceInUnit {
            position,
            block: code >> ENTRY_BITS,
            entry: code & ((1 << ENTRY_BITS) - 1),
        })
        .collect();
    if direction == Direction::Backwards {
        ordered.reverse();
    }
    ordered
}
