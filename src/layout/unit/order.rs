//! The entries of a unit in the order of the log.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::codec::order::by_position;
use crate::event::Position;
use crate::storage::Direction;

/// Where there are more positions than so many times the entries, entries are sorted.
const SPARSE_FACTOR: u64 = 4;

/// Where an entry stands in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInUnit {
    /// Its position.
    pub position: Position,
    /// The index of its block among those that were given.
    pub block: usize,
    /// Its index in the block.
    pub entry: usize,
}

/// The places of those entries of these blocks from `first` to `last`, both inclusive, that are wanted, in the order of
/// their positions.
///
/// It sorts what it gives and nothing else, so a page of a unit costs what the page holds, and a look at each position
/// of its blocks.
pub fn in_order(
    blocks: &[Rc<DecodedRecord>],
    first: Position,
    last: Position,
    direction: Direction,
    is_wanted: &mut dyn FnMut(&DecodedRecord, usize) -> bool,
) -> Vec<PlaceInUnit> {
    // Both indexes in one number, so that one shape of sort serves: a record has at most 2^16 entries.
    const ENTRY_BITS: u32 = 16;
    let mut placed = Vec::new();
    for (block, index) in blocks.iter().zip(0_usize..) {
        if block.last() < first || last < block.first() {
            continue;
        }
        for (position, entry) in block.positions().zip(0_usize..) {
            if (first..=last).contains(&position) && is_wanted(block, entry) {
                placed.push((position, index << ENTRY_BITS | entry));
            }
        }
    }
    let mut ordered: Vec<PlaceInUnit> = in_order_of_positions(placed, first, last)
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

/// Entries from `first` to `last` in the order of their positions. Where nearly all positions are taken, each entry goes
/// to its place at once.
fn in_order_of_positions(
    placed: Vec<(Position, usize)>,
    first: Position,
    last: Position,
) -> Vec<(Position, usize)> {
    let span = last.0.saturating_sub(first.0).saturating_add(1);
    if (placed.len() as u64).saturating_mul(SPARSE_FACTOR) < span {
        return by_position(placed);
    }
    let mut slots: Vec<Option<usize>> = vec![None; span as usize];
    for (position, code) in placed {
        let slot = position.0.checked_sub(first.0).and_then(|place| slots.get_mut(place as usize));
        if let Some(slot) = slot {
            *slot = Some(code);
        }
    }
    let positions = (first.0..).map(Position);
    positions.zip(slots).filter_map(|(position, code)| Some((position, code?))).collect()
}
