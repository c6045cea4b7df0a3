//! What judging needs of the log up to a head, gathered before the transaction.

use std::rc::Rc;

use crate::codec::{Body, Entry};
use crate::error::Matched;
use crate::event::{Json, Position, Revision, UnixMillis};
use crate::id::EventId;
use crate::query::Query;
use crate::table::{ByStream, Table, hash_of};

use super::StreamState;

/// What is known of the log up to a position, as far as a queue of appends asks for it.
#[derive(Debug, Default)]
pub struct Facts {
    /// The position up to which all of this holds.
    pub position: Position,
    /// The latest time that the store assigned.
    pub time: UnixMillis,
    /// Each stream that the queue names. One that is missing never existed.
    pub(crate) streams: ByStream<StreamFacts>,
    /// Each event whose id the queue gives and which stands in that stream, seen or hidden.
    pub known: KnownEvents,
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

/// Events whose ids are asked for, by id and stream.
#[derive(Debug, Default)]
pub struct KnownEvents {
    events: Table<KnownEvent>,
}

/// An event whose id is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEvent {
    /// Its id.
    pub id: EventId,
    /// Its stream.
    pub stream: Rc<str>,
    /// Its place in its stream.
    pub revision: Revision,
    /// Its place in the log.
    pub position: Position,
    /// Its type.
    pub event_type: Rc<str>,
    /// Its data.
    pub data: Option<Json>,
}

impl KnownEvents {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events.rows().is_empty()
    }

    /// The last event that has this id in this stream: all before it are hidden.
    pub fn get(&self, stream: &str, id: EventId) -> Option<&KnownEvent> {
        self.events.get(hash_of(&id.to_bytes()), |event| event.id == id && *event.stream == *stream)
    }

    /// Notes an event, where it is not known of a later one with its id in its stream.
    pub fn note(&mut self, known: KnownEvent) {
        let hash = hash_of(&known.id.to_bytes());
        let number = self.events.find(hash, |event| event.id == known.id && event.stream == known.stream);
        match number.and_then(|number| self.events.row_mut(number)) {
            None => self.events.push(hash, known),
            Some(noted) if noted.revision < known.revision => *noted = known,
            Some(_) => {}
        }
    }

    /// Notes a stored entry, where it is an event.
    pub fn note_stored(&mut self, entry: &Entry<'_>) {
        let Body::Event { revision, event_type, data, .. } = &entry.body else { return };
        self.note(KnownEvent {
            id: entry.id,
            stream: Rc::from(entry.stream),
            revision: *revision,
            position: entry.position,
            event_type: Rc::from(*event_type),
            data: data.map(Json::from_trusted),
        });
    }
}

/// A condition with the place of its answer in [`Facts::matches`].
pub(super) struct NumberedCondition<'a> {
    pub query: &'a Query,
    pub after: Position,
    pub number: usize,
}
