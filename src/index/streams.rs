//! The streams of the log: what is there of each, and in which records.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::codec::{Body, Entry};
use crate::event::{Position, Revision, StreamName, UnixMillis};
use crate::log::StreamFacts;

use super::SegmentNumber;

/// All streams that ever had an event or a fact, in the order of their names.
#[derive(Debug, Default)]
pub struct Streams {
    streams: BTreeMap<StreamName, IndexedStream>,
    has_hidden: bool,
}

/// What is known of one stream.
#[derive(Debug, Default)]
pub struct IndexedStream {
    facts: StreamFacts,
    /// Where events became hidden: the fact's position, and the first revision seen from then on.
    hidings: Vec<(Position, Revision)>,
    runs: Vec<Run>,
    /// Records that hold facts of it.
    fact_segments: Vec<SegmentNumber>,
    first: Option<Moment>,
    last: Option<Moment>,
}

/// The events of a stream that stand in one record. Between them may stand events of other streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The record.
    pub segment: SegmentNumber,
    /// The revision of the first.
    pub first_revision: Revision,
    /// How many they are.
    pub count: u32,
}

/// When and where an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Where.
    pub position: Position,
    /// When.
    pub time: UnixMillis,
}

impl Streams {
    /// The stream of this name.
    pub fn get(&self, name: &str) -> Option<&IndexedStream> {
        self.streams.get(name)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.streams.len()
    }

    /// All streams, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&StreamName, &IndexedStream)> {
        self.streams.iter()
    }

    /// The streams whose names begin with `prefix` and come after `after`, in order.
    pub fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a StreamName, &'a IndexedStream)> {
        let from = match after {
            Some(after) if prefix <= after => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.streams
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(name, _)| name.as_str().starts_with(prefix))
    }

    pub(super) fn add(&mut self, entry: &Entry<'_>, segment: SegmentNumber) {
        self.has_hidden |= matches!(entry.body, Body::Fact(_));
        if let Some(stream) = self.streams.get_mut(entry.stream) {
            stream.add(entry, segment);
        } else if let Ok(name) = StreamName::new(entry.stream) {
            // A stored name was checked when it was decoded: it is always one.
            self.streams.entry(name).or_default().add(entry, segment);
        }
    }

    /// Whether any has hidden events.
    pub(super) fn has_hidden(&self) -> bool {
        self.has_hidden
    }
}

impl IndexedStream {
    /// What expectations see of it.
    pub fn facts(&self) -> StreamFacts {
        self.facts
    }

    /// In which records its events stand, in order.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The records that hold events or facts of it, in no order.
    pub fn segments(&self) -> impl Iterator<Item = SegmentNumber> {
        self.runs.iter().map(|run| run.segment).chain(self.fact_segments.iter().copied())
    }

    /// Its first event, seen or hidden.
    pub fn first(&self) -> Option<Moment> {
        self.first
    }

    /// Its last event, seen or hidden.
    pub fn last(&self) -> Option<Moment> {
        self.last
    }

    /// How many of its events are seen.
    pub fn visible_count(&self) -> u64 {
        self.facts.state.next_revision().0.saturating_sub(self.facts.visible_from.0)
    }

    /// From which revision on its events are seen in the state as of a position.
    pub fn visible_from(&self, as_of: Position) -> Revision {
        let hiding = self.hidings.iter().rev().find(|(position, _)| *position <= as_of);
        hiding.map_or(Revision::FIRST, |(_, revision)| *revision)
    }

    fn add(&mut self, entry: &Entry<'_>, segment: SegmentNumber) {
        let seen_before = self.facts.visible_from;
        self.facts.lay(&entry.body);
        if self.facts.visible_from != seen_before {
            self.hidings.push((entry.position, self.facts.visible_from));
        }
        let Body::Event { revision, .. } = entry.body else {
            self.fact_segments.push(segment);
            return;
        };
        let moment = Moment { position: entry.position, time: entry.time };
        self.first.get_or_insert(moment);
        self.last = Some(moment);
        match self.runs.last_mut() {
            Some(run) if run.segment == segment => run.count += 1,
            _ => self.runs.push(Run { segment, first_revision: revision, count: 1 }),
        }
    }
}

impl Run {
    /// The revision after its last event.
    pub fn end(&self) -> Revision {
        Revision(self.first_revision.0 + u64::from(self.count))
    }
}
