//! The streams of the log: what is there of each, and in which records.

use std::cell::RefCell;
use std::ops::ControlFlow;

use crate::codec::{Body, Entry};
use crate::event::{Position, Revision, StreamName};
use crate::layout::root::Root;
use crate::layout::{Moment, StreamSummary};
use crate::log::StreamFacts;
use crate::sort::sort_numbers;
use crate::table::ByStream;

/// How many new names are put in their places one by one; where there are more, all are sorted.
const NEW_NAMES_FEW: usize = 16;

/// Of how many streams that have nothing in the tail is known what was found out once.
const REMEMBERED_MAX: usize = 16_384;

/// The streams that have events or facts in the tail, and some that were asked for.
#[derive(Debug, Default)]
pub struct Streams {
    streams: ByStream<IndexedStream>,
    /// The numbers of the streams in the order of their names, as many as there were when it was last asked for.
    by_name: RefCell<Vec<u32>>,
    /// The last position that units cover.
    covered: Position,
    /// The stream that is looked at next for what is to be forgotten of it. All were where it is the last.
    sweep_next: usize,
    /// How many of those that were looked at have nothing in the tail, and are remembered.
    remembered_count: usize,
    /// Whether there were too many of them when all were looked at last.
    is_crowded: bool,
    has_hidden: bool,
}

/// What is known of one stream.
#[derive(Debug, Default)]
pub struct IndexedStream {
    /// What happened in it: all that ever did where `knowledge` is whole. It names no places.
    summary: StreamSummary,
    knowledge: Knowledge,
    runs: Vec<Run>,
    /// The first positions of the records that hold facts of it.
    fact_records: Vec<Position>,
    /// Whether it was asked for since it was looked at for what is to be forgotten.
    is_recent: bool,
}

/// How much of a stream's history is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Knowledge {
    /// What happened in the tail. The directory knows what was before.
    #[default]
    Tail,
    /// All of it.
    Whole,
}

/// The events of a stream that stand in one record of the log. Between them may stand events of other streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first position of the record.
    pub record: Position,
    /// The revision of the first.
    pub first_revision: Revision,
    /// How many they are.
    pub count: u32,
}

impl Streams {
    /// No streams yet, of a log of which units cover the beginning.
    pub(super) fn after(root: &Root) -> Self {
        Self { covered: root.covered, has_hidden: hides(root), ..Self::default() }
    }

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

    /// The streams that have events or facts in the tail, in no order.
    pub fn in_tail(&self) -> impl Iterator<Item = &(StreamName, IndexedStream)> {
        self.iter().filter(|(_, stream)| stream.is_beyond(self.covered))
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

    pub(super) fn add(&mut self, entry: &Entry<'_>, record: Position) {
        self.has_hidden |= matches!(entry.body, Body::Fact(_));
        if let Some(stream) = self.streams.get_mut(entry.stream) {
            stream.add(entry, record);
        } else if let Ok(name) = StreamName::new(entry.stream) {
            // A stored name was checked when it was decoded: it is always one.
            let is_whole = self.covered == Position::START;
            let knowledge = if is_whole { Knowledge::Whole } else { Knowledge::Tail };
            let mut stream = IndexedStream { knowledge, ..IndexedStream::default() };
            stream.add(entry, record);
            self.streams.insert(&name, stream);
        }
    }

    /// Takes in what the directory says of a stream, or that it says nothing.
    pub(super) fn resolve(&mut self, name: &StreamName, stored: StreamSummary) {
        let covered = self.covered;
        if self.streams.get(name.as_str()).is_none() {
            self.streams.insert(name, IndexedStream::default());
        }
        if let Some(stream) = self.streams.get_mut(name.as_str())
            && stream.knowledge == Knowledge::Tail
        {
            let mut newer = std::mem::take(&mut stream.summary);
            // What was in the tail once, and is covered by now, is said by both.
            newer.leave_out_hidings_up_to(covered);
            stream.summary = stored.without_places().then(newer);
            (stream.knowledge, stream.is_recent) = (Knowledge::Whole, true);
        }
    }

    /// Goes over to a tail that begins after a position. What stands before it is forgotten step by step, and of a
    /// stream that is asked for at once.
    pub(super) fn cover(&mut self, covered: Position) {
        self.covered = covered;
        self.is_crowded = self.remembered_count == REMEMBERED_MAX;
        (self.sweep_next, self.remembered_count) = (0, 0);
    }

    /// Looks at so many streams, and forgets what stands before the tail. `Break` where nothing is left of that. Streams
    /// that have nothing in the tail are remembered where all is known of them, unless there are too many: then
    /// those that nobody asked for since the last time have to go.
    pub(super) fn sweep(&mut self, stream_count: usize) -> ControlFlow<()> {
        for _ in 0..stream_count {
            let Some(stream) = self.streams.row_mut(self.sweep_next) else { return ControlFlow::Break(()) };
            stream.forget_up_to(self.covered);
            let is_recent = std::mem::take(&mut stream.is_recent) || !self.is_crowded;
            let is_in_tail = stream.is_beyond(self.covered);
            let is_whole = stream.knowledge == Knowledge::Whole;
            if is_in_tail || is_whole && is_recent && self.remembered_count < REMEMBERED_MAX {
                self.remembered_count += usize::from(!is_in_tail);
                self.sweep_next += 1;
            } else {
                self.streams.swap_remove(self.sweep_next);
                self.by_name.get_mut().clear();
            }
        }
        ControlFlow::Continue(())
    }

    /// Forgets what can be found out again, where much was added that nobody looked at.
    pub(super) fn trim(&mut self) {
        if self.sweep_next + REMEMBERED_MAX < self.count() {
            if self.remembered_count == REMEMBERED_MAX {
                self.cover(self.covered);
            }
            let _ = self.sweep(2 * REMEMBERED_MAX);
        }
    }

    /// Forgets what stands before the tail of one stream that is asked for, and says how much of it is known.
    pub(super) fn settle(&mut self, name: &str) -> Option<Knowledge> {
        let (covered, swept_count) = (self.covered, self.sweep_next);
        let number = self.streams.find(name)?;
        let stream = self.streams.row_mut(number)?;
        // Of those that were looked at nothing stands there any more.
        if swept_count <= number {
            stream.forget_up_to(covered);
        }
        stream.is_recent = true;
        Some(stream.knowledge)
    }

    /// Whether any has hidden events.
    pub(super) fn has_hidden(&self) -> bool {
        self.has_hidden
    }
}

impl IndexedStream {
    /// What expectations see of it, as far as it is known.
    pub fn facts(&self) -> StreamFacts {
        self.summary.to_facts()
    }

    /// How much of it is known.
    pub fn knowledge(&self) -> Knowledge {
        self.knowledge
    }

    /// In which records of the tail its events stand, in order.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The first positions of the records of the tail that hold events or facts of it, in no order.
    pub fn records(&self) -> impl Iterator<Item = Position> {
        self.runs.iter().map(|run| run.record).chain(self.fact_records.iter().copied())
    }

    /// Whether it is known to have had an event or a fact.
    pub fn exists(&self) -> bool {
        self.summary.standing.is_some() || !self.summary.hidings.is_empty()
    }

    /// What happened in it, without places.
    pub fn summary(&self) -> &StreamSummary {
        &self.summary
    }

    /// Its first event, seen or hidden.
    pub fn first(&self) -> Option<Moment> {
        self.summary.moments.map(|moments| moments.first)
    }

    /// Its last event, seen or hidden.
    pub fn last(&self) -> Option<Moment> {
        self.summary.moments.map(|moments| moments.last)
    }

    /// How many of its events are seen.
    pub fn visible_count(&self) -> u64 {
        let facts = self.facts();
        facts.state.next_revision().0.saturating_sub(facts.visible_from.0)
    }

    /// How many of its events that stand up to a position before the tail are seen in the state as of it.
    pub fn visible_count_as_of(&self, covered: Position) -> u64 {
        let end = match self.runs.first() {
            Some(run) => run.first_revision,
            None => self.facts().state.next_revision(),
        };
        end.0.saturating_sub(self.visible_from(covered).0)
    }

    /// Where its first event or fact stands, if all of it is known.
    pub fn began(&self) -> Position {
        let first_hiding = self.summary.hidings.first().map(|hiding| hiding.position);
        let first_event = self.first().map(|first| first.position);
        match (first_event, first_hiding) {
            (Some(event), Some(hiding)) => event.min(hiding),
            (event, hiding) => event.or(hiding).unwrap_or(Position::START),
        }
    }

    /// Whether it has events or facts after a position.
    fn is_beyond(&self, covered: Position) -> bool {
        let last_run = self.runs.last().map(|run| run.record);
        last_run.max(self.fact_records.last().copied()).is_some_and(|last| covered < last)
    }

    /// Forgets the records up to a position.
    fn forget_up_to(&mut self, covered: Position) {
        self.runs.drain(..self.runs.partition_point(|run| run.record <= covered));
        self.fact_records.drain(..self.fact_records.partition_point(|record| *record <= covered));
    }

    /// From which revision on its events are seen in the state as of a position.
    pub fn visible_from(&self, as_of: Position) -> Revision {
        self.summary.visible_from(as_of)
    }

    fn add(&mut self, entry: &Entry<'_>, record: Position) {
        self.summary.lay(entry);
        let Body::Event { revision, .. } = entry.body else {
            self.fact_records.push(record);
            return;
        };
        match self.runs.last_mut() {
            Some(run) if run.record == record => run.count += 1,
            _ => self.runs.push(Run { record, first_revision: revision, count: 1 }),
        }
    }
}

/// Whether units hold facts: where there are none, every event is seen.
fn hides(root: &Root) -> bool {
    root.units.iter().map(|unit| unit.entry_count).fold(0, u64::saturating_add) != root.visible_count
}

impl Run {
    /// The revision after its last event.
    pub fn end(&self) -> Revision {
        Revision(self.first_revision.0 + u64::from(self.count))
    }
}
