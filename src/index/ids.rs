//! The ids of events, and where they stand.

use std::ops::ControlFlow;

use crate::event::Position;
use crate::id::EventId;
use crate::table::{Slots, hash_of};

/// For each id, the positions of the events in the tail that have it.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// All events, in the order of their positions. The first of them may be forgotten.
    rows: Vec<(EventId, Position)>,
    forgotten_count: usize,
    /// The number of the first row. Numbers go on when rows are forgotten.
    base: u32,
    /// The number of the last row of each id.
    last: Slots,
    /// An id is unique among the visible events of a stream only: in other streams, and once it was hidden,
    /// it may stand again. For the number of each such row that of the one before it, in ascending order.
    earlier: Vec<(u32, u32)>,
}

impl Ids {
    /// Once there is room for so many times as many rows as there are, they move.
    const ROOM_MAX: usize = 32;

    pub fn add(&mut self, id: EventId, position: Position) {
        let number = match self.base.checked_add(self.rows.len() as u32) {
            Some(number) if number < u32::MAX => number,
            _ => {
                self.move_rows();
                self.rows.len() as u32
            }
        };
        let hash = hash_of(&id.to_bytes());
        if let Some(earlier) = self.last_of(hash, id) {
            self.earlier.push((number, earlier));
            self.last.remove(hash, earlier);
        }
        self.last.push(hash, number, self.rows.len() - self.forgotten_count);
        self.rows.push((id, position));
    }

    /// Forgets so many of those that stand up to a position, and tells of each id. `Break` where none is left.
    pub fn forget(
        &mut self,
        covered: Position,
        id_count: usize,
        forgotten: &mut dyn FnMut(EventId),
    ) -> ControlFlow<()> {
        for _ in 0..id_count {
            let first = self.rows.get(self.forgotten_count).copied();
            let Some((id, _)) = first.filter(|(_, position)| *position <= covered) else {
                return ControlFlow::Break(());
            };
            self.last.remove(hash_of(&id.to_bytes()), self.base + self.forgotten_count as u32);
            self.forgotten_count += 1;
            forgotten(id);
            if self.rows.len() <= 2 * self.forgotten_count {
                self.drop_forgotten();
            }
        }
        ControlFlow::Continue(())
    }

    fn drop_forgotten(&mut self) {
        self.base += self.forgotten_count as u32;
        self.rows.drain(..self.forgotten_count);
        self.forgotten_count = 0;
        self.earlier.drain(..self.earlier.partition_point(|(number, _)| *number < self.base));
        if Self::ROOM_MAX * (self.rows.len() + 1) < self.last.capacity() {
            self.move_rows();
        }
    }

    /// Puts the rows where they take no more room than they need, under new numbers.
    fn move_rows(&mut self) {
        let Self { rows, forgotten_count, .. } = std::mem::take(self);
        rows.into_iter().skip(forgotten_count).for_each(|(id, position)| self.add(id, position));
    }

    /// The positions of an id, the last one first.
    pub fn positions(&self, id: EventId) -> impl Iterator<Item = Position> + '_ {
        let mut next = self.last_of(hash_of(&id.to_bytes()), id);
        std::iter::from_fn(move || {
            let number = next?;
            let (_, position) = self.row(number)?;
            let place = self.earlier.binary_search_by_key(&number, |(number, _)| *number);
            next = place.ok().and_then(|place| self.earlier.get(place)).map(|(_, earlier)| *earlier);
            Some(*position)
        })
    }

    /// The number of the last row of an id.
    fn last_of(&self, hash: u32, id: EventId) -> Option<u32> {
        self.last.find(hash, &|number| self.row(number).is_some_and(|(other, _)| *other == id))
    }

    /// The row of a number, if it is not forgotten.
    fn row(&self, number: u32) -> Option<&(EventId, Position)> {
        let place = number.checked_sub(self.base)? as usize;
        self.rows.get(place).filter(|_| self.forgotten_count <= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::prng::Prng;

    #[test]
    fn positions_are_found_from_where_they_are_not_forgotten() {
        for seed in 0..200 {
            println!("seed {seed}");
            let mut prng = Prng::new(seed);
            let id_count = *prng.pick(&[1, 20, 1_000_000]);
            let (mut ids, mut there, mut told) = (Ids::default(), Vec::new(), Vec::new());
            let mut covered = 0;
            for position in 1..400 {
                let id = EventId::from_bytes(u128::from(prng.below(id_count)).to_be_bytes());
                ids.add(id, Position(position));
                there.push((id, Position(position)));
                if prng.chance(50) {
                    covered = prng.between(covered..=position);
                    let mut gone = Vec::new();
                    let count = prng.between(1..=400) as usize;
                    let _ = ids.forget(Position(covered), count, &mut |id| gone.push(id));
                    told.extend(gone);
                }
                let is_there = |(_, position): &&(EventId, Position)| told.len() < position.0 as usize;
                for (id, _) in there.iter().filter(is_there) {
                    let same = there.iter().rev().filter(is_there).filter(|(other, _)| other == id);
                    let expected: Vec<Position> = same.map(|(_, position)| *position).collect();
                    assert_eq!(ids.positions(*id).collect::<Vec<_>>(), expected);
                }
            }
            while ids.forget(Position(covered), 7, &mut |id| told.push(id)).is_continue() {}
            let expected: Vec<EventId> = there.iter().take(covered as usize).map(|(id, _)| *id).collect();
            assert_eq!(told, expected);
        }
    }
}
