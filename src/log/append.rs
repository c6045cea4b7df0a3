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

/// An event with its id, or a fact of the store: what takes a position. The id is fixed before the first
/// attempt, so that a lost answer can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEntry {
    /// An event. Its `id` is `Some`.
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
}
