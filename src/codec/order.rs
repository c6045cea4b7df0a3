//! The entries of a record in the order of their positions, of which no two are the same.

use crate::event::Position;
use crate::sort::sort_numbers;

/// So many bits are spent on each position, at most, to see whether one occurs twice.
const BITS_PER_POSITION_MAX: u64 = 256;

/// The lowest and the highest of these positions. `None` where one occurs twice, or where there are none.
#[inline(never)]
pub fn bounds_of_distinct(positions: Vec<Position>) -> Option<(Position, Position)> {
    let (lowest, highest) = (*positions.iter().min()?, *positions.iter().max()?);
    let span = highest.0 - lowest.0;
    let are_distinct = if span / BITS_PER_POSITION_MAX < positions.len() as u64 {
        // Of those of a block most of the log around them are others: it takes less time to mark them than to sort them.
        are_unmarked(&positions, lowest, span)
    } else {
        is_ascending(&by_position(positions.into_iter().zip(0..).collect()))
    };
    are_distinct.then_some((lowest, highest))
}

/// Whether none of these positions, which all lie in a span, is met twice.
fn are_unmarked(positions: &[Position], lowest: Position, span: u64) -> bool {
    let mut words = vec![0_u64; (span / u64::from(u64::BITS)) as usize + 1];
    positions.iter().all(|position| {
        let offset = position.0 - lowest.0;
        let (word, bit) =
            (&mut words[(offset / u64::from(u64::BITS)) as usize], 1 << (offset % u64::from(u64::BITS)));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    })
}

/// Positions with the indexes of what stands there, in ascending order.
pub fn by_position(placed: Vec<(Position, usize)>) -> Vec<(Position, usize)> {
    // What the log appends is in order.
    if is_ascending(&placed) {
        return placed;
    }
    let mut numbers: Vec<u32> = (0..placed.len() as u32).collect();
    sort_numbers(&mut numbers, &|one, other| placed[one as usize].0 < placed[other as usize].0);
    numbers.iter().map(|number| placed[*number as usize]).collect()
}

fn is_ascending(placed: &[(Position, usize)]) -> bool {
    placed.is_sorted_by(|(one, _), (next, _)| one < next)
}
