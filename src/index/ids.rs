//! The ids of events, and where they stand.

use crate::event::Position;
use crate::id::EventId;
use crate::table::{Table, hash_of};

/// For each id, the positions of the events that have it.
#[derive(Debug, Default)]
pub(super) struct Ids {
    last: Table<(EventId, Place)>,
    /// An id is unique among the visible events of a stream only: in other streams, and once it was hidden,
    /// it may stand again. For each such place the one before it.
    earlier: Vec<(Position, Place)>,
}

/// A position, or with its highest bit the index in [`Ids::earlier`] of a position that has others before it.
#[derive(Debug, Clone, Copy)]
struct Place(u64);

impl Place {
    const EARLIER: u64 = 1 << 63;
}

impl Ids {
    pub fn add(&mut self, id: EventId, position: Position) {
        let hash = hash_of(&id.to_bytes());
        let number = self.last.find(hash, |(other, _)| *other == id);
        match number.and_then(|number| self.last.row_mut(number)) {
            None => self.last.push(hash, (id, Place(position.0))),
            Some((_, place)) => {
                let index = self.earlier.len() as u64;
                self.earlier.push((position, *place));
                *place = Place(Place::EARLIER | index);
            }
        }
    }

    /// Forgets what stands up to a position.
    pub fn forget_up_to(&mut self, covered: Position) {
        let known = std::mem::take(self);
        for (id, _) in known.last.rows() {
            let mut positions: Vec<Position> =
                known.positions(*id).take_while(|position| covered < *position).collect();
            while let Some(position) = positions.pop() {
                self.add(*id, position);
            }
        }
    }

    /// The positions of an id, the last one first.
    pub fn positions(&self, id: EventId) -> impl Iterator<Item = Position> + '_ {
        let found = self.last.get(hash_of(&id.to_bytes()), |(other, _)| *other == id);
        let mut next = found.map(|(_, place)| *place);
        std::iter::from_fn(move || {
            let Place(place) = next?;
            if place & Place::EARLIER == 0 {
                next = None;
                return Some(Position(place));
            }
            let (position, earlier) = self.earlier.get((place & !Place::EARLIER) as usize)?;
            next = Some(*earlier);
            Some(*position)
        })
    }
}
