//! Which events are hidden, as far as facts say that are at hand. Pure.

use crate::codec::{Body, Entry};
use crate::event::{Fact, Position, Revision, StreamName};
use crate::layout::StreamSummary;
use crate::table::ByStream;

/// What facts hid. A fact hides what is there when it is written, and nothing that comes later.
#[derive(Default)]
pub(super) struct Erasure {
    streams: ByStream<Hidden>,
}

/// What is hidden of a stream.
#[derive(Default)]
pub(super) struct Hidden {
    /// Events before this revision.
    before: Revision,
    /// Events before this position.
    until: Position,
    /// What the records say in which the facts were met.
    pub summary: StreamSummary,
}

impl Erasure {
    /// The streams of which anything may be hidden.
    pub fn streams(&self) -> &[(StreamName, Hidden)] {
        self.streams.rows()
    }

    pub fn is_empty(&self) -> bool {
        self.streams().is_empty()
    }

    /// What is known of a stream that has facts.
    pub fn stream_mut(&mut self, stream: &str) -> Option<&mut Hidden> {
        self.streams.get_mut(stream)
    }

    /// Takes note of an entry, where it is a fact.
    pub fn note(&mut self, entry: &Entry<'_>) {
        let Body::Fact(fact) = &entry.body else { return };
        if self.streams.get(entry.stream).is_none()
            && let Ok(name) = StreamName::new(entry.stream)
        {
            self.streams.insert(&name, Hidden::default());
        }
        if let Some(hidden) = self.streams.get_mut(entry.stream) {
            match fact {
                Fact::Truncated { before } => hidden.before = hidden.before.max(*before),
                Fact::Deleted | Fact::Tombstoned => hidden.until = hidden.until.max(entry.position),
            }
        }
    }

    /// Whether an event is hidden. Facts never are.
    pub fn hides(&self, entry: &Entry<'_>) -> bool {
        let Body::Event { revision, .. } = entry.body else { return false };
        let hidden = self.streams.get(entry.stream);
        hidden.is_some_and(|hidden| revision < hidden.before || entry.position < hidden.until)
    }
}
