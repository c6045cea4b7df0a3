//! What a caller asks to have appended.

use crate::event::{Fact, NewEvent, StreamName};
use crate::id::EventId;
use crate::query::AppendCondition;

use super::Expected;

/// A commit that a caller asks for: stored whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// What to write, in this order, and what to check.
    pub writes: Vec<StreamWrite>,
    /// What must not be in the log.
    pub condition: Option<AppendCondition>,
}

/// The part of a commit that concerns one stream. A stream may stand in a commit twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamWrite {
    /// The stream.
    pub stream: StreamName,
    /// What the writer believes of it.
    pub expected: Expected,
    /// What to write there; none to check the expectation only.
    pub entries: Vec<NewEntry>,
}

/// What takes a position: an event or a fact of the store. Its id is fixed before the first attempt, so that
/// what became of a lost answer can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEntry {
    /// An event. Where its own `id` is `None` the store made the id, which nobody can have used before.
    Event(NewEvent, EventId),
    /// A fact.
    Fact(Fact, EventId),
}

impl NewEntry {
    /// The id that was fixed for it.
    pub fn id(&self) -> EventId {
        match self {
            Self::Event(_, id) | Self::Fact(_, id) => *id,
        }
    }

    /// The event with its id, where the caller gave that: only such ids can be in use already.
    pub fn named_event(&self) -> Option<(&NewEvent, EventId)> {
        match self {
            Self::Event(event, id) if event.id.is_some() => Some((event, *id)),
            _ => None,
        }
    }
}

impl Append {
    /// The streams that it writes or checks, once for each time that they stand in it.
    pub fn streams(&self) -> impl Iterator<Item = &StreamName> {
        self.writes.iter().map(|write| &write.stream)
    }

    /// Its entries with their streams, in the order of their positions to be.
    pub fn entries(&self) -> impl Iterator<Item = (&StreamName, &NewEntry)> {
        self.writes.iter().flat_map(|write| write.entries.iter().map(|entry| (&write.stream, entry)))
    }

    /// The ids of its entries.
    pub fn ids(&self) -> Vec<EventId> {
        self.entries().map(|(_, entry)| entry.id()).collect()
    }
}
