//! What judging needs of the log up to a head, gathered before the transaction.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::error::Matched;
use crate::event::{Json, Position, Revision, StreamName, UnixMillis};
use crate::id::EventId;
use crate::query::Query;

use super::StreamState;

/// What is known of the log up to a position, as far as a queue of appends asks for it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The position up to which all of this holds.
    pub position: Position,
    /// The latest time that the store assigned.
    pub time: UnixMillis,
    /// Each stream that the queue names. One that is missing never existed.
    pub streams: FxHashMap<StreamName, StreamFacts>,
    /// Each event whose id the queue gives and which stands in that stream, seen or hidden.
    pub known: FxHashMap<(EventId, StreamName), KnownEvent>,
    /// For each condition of the queue, in the order of the appends that have one: the first event that it
    /// forbids. `None` without any.
    pub matches: Vec<Option<Matched>>,
}

/// What is known of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamFacts {
    /// What expectations see.
    pub state: StreamState,
    /// The first revision that is not hidden.
    pub visible_from: Revision,
}

/// An event whose id is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEvent {
    /// Its place in its stream.
    pub revision: Revision,
    /// Its place in the log.
    pub position: Position,
    /// Its type.
    pub event_type: Rc<str>,
    /// Its data.
    pub data: Option<Json>,
}

/// A condition with the place of its answer in [`Facts::matches`].
pub(super) struct NumberedCondition<'a> {
    pub query: &'a Query,
    pub after: Position,
    pub number: usize,
}
