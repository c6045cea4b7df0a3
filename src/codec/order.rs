//! The entries of a record in the order of their positions, of which no two are the same.

use crate::event::Position;
use crate::sort::sort_numbers;

/// The lowest and the highest of these positions. `None` where one occurs twice, or where there are none.
pub fn bounds_of_distinct(positions: impl Iterator<Item = Position>) -> Option<(Position, Position)> {
    let ordered = by_position(positions.zip(0..).collect());
    match (ordered.first(), ordered.last()) {
        (Some((first, _)), Some((last, _))) if is_ascending(&ordered) => Some((*first, *last)),
        _ => None,
    }
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
