//! What an append is judged on: the facts, and everything that came after them.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry, Tags};
use crate::error::Matched;
use crate::event::{Fact, Position, Revision, StreamName, UnixMillis};
use crate::id::EventId;
use crate::query::Subject;
use crate::table::ByStream;

use super::facts::{Facts, KnownEvent, KnownEvents, NumberedCondition, StreamFacts};
use super::{Append, NewEntry, StreamState};

/// The log as it stands at one moment of judging: the gathered facts, then what other tabs committed, then
/// what was accepted from the queue so far.
pub(super) struct Ground<'a> {
    facts: &'a Facts,
    /// Streams that were asked for, or changed after the facts.
    streams: ByStream<Changed>,
    /// Events after the facts whose ids may be asked for.
    known: KnownEvents,
    /// Whether another append of the queue is judged on what this one leaves.
    pub is_asked_again: bool,
    /// Entries after the facts, kept where the queue has conditions.
    recent: Option<Vec<Recent<'a>>>,
    /// The last position in use.
    pub position: Position,
    /// The latest time that the store assigned.
    pub time: UnixMillis,
}

/// A stream, with what changed of it after the facts.
#[derive(Clone, Copy, Default)]
struct Changed {
    facts: StreamFacts,
    /// Whether it was deleted, tombstoned or truncated since.
    is_marked: bool,
}

struct Recent<'a> {
    position: Position,
    revision: Option<Revision>,
    stream: &'a str,
    event_type: &'a str,
    tags: Tags<'a>,
}

/// Whether an event stands that a condition forbids.
pub(super) enum ConditionFound {
    Nothing,
    Match(Matched),
    /// The match that was gathered may have been hidden since: only gathering again can tell.
    Unknown,
}

impl<'a> Ground<'a> {
    /// Lays `tail`, what others committed after the facts, over the facts.
    pub fn new(queue: &[Rc<Append>], facts: &'a Facts, tail: &'a [Rc<DecodedRecord>]) -> Self {
        let mut ground = Self {
            facts,
            streams: ByStream::default(),
            known: KnownEvents::default(),
            is_asked_again: true,
            recent: queue.iter().any(|append| append.condition.is_some()).then(Vec::new),
            position: facts.position,
            time: facts.time,
        };
        for record in tail {
            for time in record.commit_times() {
                ground.time = ground.time.max(time);
            }
            for entry in record.entries() {
                ground.lay_stored(entry);
            }
        }
        ground
    }

    pub fn stream(&self, stream: &str) -> StreamFacts {
        self.changed(stream).facts
    }

    /// A stream with what changed of it, which for most is nothing.
    fn changed(&self, stream: &str) -> Changed {
        match self.streams.get(stream) {
            Some(changed) => *changed,
            None => {
                let facts = self.facts.streams.get(stream).copied().unwrap_or_default();
                Changed { facts, is_marked: false }
            }
        }
    }

    /// The number of a stream, by which it is found again at once.
    pub fn number_of(&mut self, stream: &StreamName) -> usize {
        let known = &self.facts.streams;
        self.streams.number_of(stream, || {
            let facts = known.get(stream.as_str()).copied().unwrap_or_default();
            Changed { facts, is_marked: false }
        })
    }

    /// The stream of this number.
    pub fn facts_of(&self, number: usize) -> StreamFacts {
        self.streams.row(number).copied().unwrap_or_default().facts
    }

    /// The event of this id, where it stands in this stream and is not hidden.
    pub fn known(&self, stream: &StreamName, id: EventId) -> Option<&KnownEvent> {
        if self.known.is_empty() && self.facts.known.is_empty() {
            return None;
        }
        let stream = stream.as_str();
        let known = self.known.get(stream, id).or_else(|| self.facts.known.get(stream, id))?;
        (self.stream(stream).visible_from <= known.revision).then_some(known)
    }

    /// Looks for the first event that a condition forbids.
    pub fn find(&self, condition: &NumberedCondition<'_>) -> ConditionFound {
        if let Some(Some(matched)) = self.facts.matches.get(condition.number) {
            // The facts do not tell how far this stream reaches: any mark on it may have hidden the match.
            let is_doubtful = self.changed(&matched.stream).is_marked;
            return if is_doubtful {
                ConditionFound::Unknown
            } else {
                ConditionFound::Match(matched.clone())
            };
        }
        self.recent
            .iter()
            .flatten()
            .filter(|recent| condition.after < recent.position)
            .find(|recent| {
                let Recent { stream, event_type, tags, .. } = **recent;
                condition.query.matches(Subject { event_type, stream, tags: tags.iter() })
                    && !self.is_hidden(stream, recent.revision)
            })
            .map_or(ConditionFound::Nothing, |recent| {
                ConditionFound::Match(Matched {
                    position: recent.position,
                    stream: recent.stream.to_owned(),
                    event_type: recent.event_type.to_owned(),
                })
            })
    }

    /// Facts of the store have no revision and are never hidden.
    fn is_hidden(&self, stream: &str, revision: Option<Revision>) -> bool {
        revision.is_some_and(|revision| revision < self.stream(stream).visible_from)
    }

    /// Lays an entry of an accepted append, with what it was made of, on the stream of this number.
    pub fn lay_accepted(&mut self, number: usize, stream: &StreamName, new: &NewEntry, entry: &Entry<'a>) {
        if self.is_asked_again
            && let (Some((event, id)), Body::Event { revision, .. }) = (new.named_event(), &entry.body)
        {
            self.known.note(KnownEvent {
                id,
                stream: stream.to_shared(),
                revision: *revision,
                position: entry.position,
                event_type: event.event_type.to_shared(),
                data: event.data.clone(),
            });
        }
        self.lay(number, entry);
    }

    fn lay_stored(&mut self, entry: Entry<'a>) {
        // A stored name was checked when it was decoded; one that is none cannot be asked for either.
        let Ok(stream) = StreamName::new(entry.stream) else { return };
        self.known.note_stored(&entry);
        let number = self.number_of(&stream);
        self.lay(number, &entry);
    }

    fn lay(&mut self, number: usize, entry: &Entry<'a>) {
        if let Some(changed) = self.streams.row_mut(number) {
            changed.facts.lay(&entry.body);
            changed.is_marked |= matches!(entry.body, Body::Fact(_));
        }
        self.position = entry.position;
        let Some(recent) = &mut self.recent else { return };
        let (revision, event_type, tags) = match entry.body {
            Body::Event { revision, event_type, tags, .. } => (Some(revision), event_type, tags),
            Body::Fact(fact) => (None, fact.type_name(), Tags::Given(&[])),
        };
        recent.push(Recent { position: entry.position, revision, stream: entry.stream, event_type, tags });
    }
}

impl StreamFacts {
    /// What a stream is after one more entry.
    pub fn lay(&mut self, body: &Body<'_>) {
        let last = self.state.last_revision();
        match body {
            Body::Event { revision, .. } => self.state = StreamState::Live(*revision),
            Body::Fact(Fact::Deleted) => {
                self.state = StreamState::Deleted(last);
                self.visible_from = self.state.next_revision();
            }
            Body::Fact(Fact::Tombstoned) => {
                self.state = StreamState::Tombstoned(last);
                self.visible_from = self.state.next_revision();
            }
            Body::Fact(Fact::Truncated { before }) => self.visible_from = self.visible_from.max(*before),
        }
    }
}
