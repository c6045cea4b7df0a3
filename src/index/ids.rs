//! The ids of events, and where they stand.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::event::Position;
use crate::id::EventId;

/// For each id, the positions of the events that have it.
#[derive(Debug, Default)]
pub(super) struct Ids {
    first: FxHashMap<EventId, Position>,
    /// An id is unique among the visible events of a stream only: in other streams, and once it was hidden,
    /// it may stand again.
    others: BTreeSet<(EventId, Position)>,
}

impl Ids {
    pub fn add(&mut self, id: EventId, position: Position) {
        match self.first.entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(position);
            }
            Entry::Occupied(_) => {
                self.others.insert((id, position));
            }
        }
    }

    pub fn positions(&self, id: EventId) -> impl Iterator<Item = Position> + '_ {
        let others = self.others.range((id, Position::START)..=(id, Position(u64::MAX)));
        self.first.get(&id).copied().into_iter().chain(others.map(|(_, position)| *position))
    }
}
