//! The streams of the log: what is there of each, and in which records.

use std::cell::RefCell;

use crate::codec::{Body, Entry};
use crate::event::{Position, Revision, StreamName, UnixMillis};
use crate::log::StreamFacts;
use crate::sort::sort_numbers;
use crate::table::ByStream;

use super::SegmentNumber;

/// How many new names are put in their places one by one; where there are more, all are sorted.
const NEW_NAMES_FEW: usize = 16;

/// All streams that ever had an event or a fact.
#[derive(Debug, Default)]
pub struct Streams {
    streams: ByStream<IndexedStream>,
    /// The numbers of the streams in the order of their names, as many as there were when it was last asked for.
    by_name: RefCell<Vec<u32>>,
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
        self.streams.rows().len()
    }

    /// All streams, in the order in which they began.
    pub fn iter(&self) -> impl Iterator<Item = &(StreamName, IndexedStream)> {
        self.streams.rows().iter()
    }

    /// The streams whose names begin with `prefix` and come after `after`, in the order of their names.
    pub fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a (StreamName, IndexedStream)> {
        self.put_in_order();
        let is_before = |name: &str| name < prefix || after.is_some_and(|after| name <= after);
        let first = self.by_name.borrow().partition_point(|number| is_before(self.name(*number)));
        (first..)
            .map_while(|place| self.streams.rows().get(*self.by_name.borrow().get(place)? as usize))
            .take_while(move |(name, _)| name.as_str().starts_with(prefix))
    }

    fn put_in_order(&self) {
        let mut by_name = self.by_name.borrow_mut();
        let new = by_name.len() as u32..self.count() as u32;
        if new.len() <= NEW_NAMES_FEW {
            for number in new {
                let place = by_name.partition_point(|other| self.name(*other) < self.name(number));
                by_name.insert(place, number);
            }
        } else {
            by_name.extend(new);
            sort_numbers(&mut by_name, &|one, other| self.name(one) < self.name(other));
        }
    }

    fn name(&self, number: u32) -> &str {
        self.streams.rows().get(number as usize).map_or("", |(name, _)| name.as_str())
    }

    pub(super) fn add(&mut self, entry: &Entry<'_>, segment: SegmentNumber) {
        self.has_hidden |= matches!(entry.body, Body::Fact(_));
        if let Some(stream) = self.streams.get_mut(entry.stream) {
            stream.add(entry, segment);
        } else if let Ok(name) = StreamName::new(entry.stream) {
            // A stored name was checked when it was decoded: it is always one.
            let mut stream = IndexedStream::default();
            stream.add(entry, segment);
            self.streams.insert(&name, stream);
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
