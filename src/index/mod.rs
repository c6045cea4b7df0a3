//! The index: what was derived from the log to find things in it. Pure, and in memory.
//!
//! Of the tail, which no unit covers, it knows for every record where it stands, for every stream which records hold
//! it, and for every id at which positions it stands. Of what units cover it knows what happened in streams that were
//! asked for, and fingerprints of ids. It never holds an event. All of it can be derived again.

mod ids;
mod ids_in_units;
pub mod plan;
mod segments;
mod streams;

use std::ops::ControlFlow;

use crate::codec::{Body, DecodedRecord};
use crate::event::{Position, Revision, StreamName, UnixMillis};
use crate::id::EventId;
use crate::layout::root::Root;
use crate::layout::{Fingerprint, StreamSummary};
use crate::storage::Head;

use ids::Ids;

pub use ids_in_units::IdsInUnits;
pub use segments::{Damage, Segment, Segments};
pub use streams::{IndexedStream, Knowledge, Run, Streams};

/// What was derived from the tail of the log, which no unit covers, up to a head.
#[derive(Debug, Default)]
pub struct Index {
    head: Head,
    /// The last position that units cover.
    covered: Position,
    time: UnixMillis,
    segments: Segments,
    streams: Streams,
    ids: Ids,
    ids_in_units: IdsInUnits,
}

/// How many streams and ids are looked at for each entry that is added, for what is to be forgotten of them.
const SWEPT_PER_ENTRY: usize = 4;

impl Index {
    /// Forgets everything but how far the log reaches: of a store that is closed nothing else is asked.
    pub fn forget(&mut self) {
        *self = Self { head: self.head, ..Self::default() };
    }

    /// An index of nothing yet, for the log after what the units of a root cover.
    pub fn after(root: &Root) -> Self {
        let head = Head { position: root.covered, layout: root.layout, ..Head::default() };
        let streams = Streams::after(root);
        Self { head, covered: root.covered, time: root.commit_time, streams, ..Self::default() }
    }

    /// Goes over to the layout of a root: records that its units cover are forgotten. What is known of streams
    /// depends on the log and not on its layout, and stays. An index that had not come as far as the units
    /// have, or that knows of another log, begins anew.
    pub fn relayout(&mut self, root: &Root) {
        let follows = self.head.layout <= root.layout && self.covered <= root.covered;
        let is_beyond = root.covered <= self.head.position && !self.segments.is_cut_by(root.covered);
        if !follows || !is_beyond {
            // What units are known to hold stays, once all that waits for it is there.
            let _ = self.sweep_ids(usize::MAX);
            let ids_in_units = std::mem::take(&mut self.ids_in_units);
            *self = Self::after(root);
            if follows {
                self.ids_in_units = ids_in_units;
            }
            return;
        }
        self.head.layout = root.layout;
        if self.covered < root.covered {
            self.cover(root.covered);
        }
    }

    /// Goes over to a tail that begins after a position. It takes no time for the streams and the ids: what is to be
    /// forgotten of them waits for [`Index::sweep`].
    fn cover(&mut self, covered: Position) {
        self.ids_in_units.cover(self.covered, covered);
        self.covered = covered;
        self.segments.forget_up_to(covered);
        self.streams.cover(covered);
    }

    /// Goes on with forgetting what units cover, and looks at so many streams and ids for it. `Break` where all of it
    /// is forgotten.
    pub fn sweep(&mut self, count: usize) -> ControlFlow<()> {
        let streams = self.streams.sweep(count);
        let ids = self.sweep_ids(count);
        if streams.is_break() { ids } else { streams }
    }

    fn sweep_ids(&mut self, count: usize) -> ControlFlow<()> {
        let ids_in_units = &mut self.ids_in_units;
        self.ids.forget(self.covered, count, &mut |id| ids_in_units.add(Fingerprint::of(id)))
    }

    /// The head up to which the log was read.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The last position that units cover: the index knows the records after it.
    pub fn covered(&self) -> Position {
        self.covered
    }

    /// The latest time that the store assigned.
    pub fn time(&self) -> UnixMillis {
        self.time
    }

    /// The records of the log.
    pub fn segments(&self) -> &Segments {
        &self.segments
    }

    /// The streams of the log.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The stream of this name, if it ever had an event or a fact.
    pub fn stream(&self, name: &str) -> Option<&IndexedStream> {
        self.streams.get(name)
    }

    /// Makes what is known of a stream true to the position that units cover. `None` where nothing is known.
    pub fn settle(&mut self, name: &str) -> Option<Knowledge> {
        self.streams.settle(name)
    }

    /// The ids of events that units hold.
    pub fn ids_in_units(&mut self) -> &mut IdsInUnits {
        &mut self.ids_in_units
    }

    /// Whether an event of this id may stand in a unit. `false` is certain.
    pub fn may_stand_in_units(&mut self, id: EventId) -> bool {
        // Those that are to be forgotten are not yet among those that units hold.
        let mut waiting = self.ids.positions(id).filter(|position| *position <= self.covered);
        self.ids_in_units.may_hold(id, self.covered) || waiting.next().is_some()
    }

    /// Takes in what the directory says of a stream, as of the position that units cover.
    pub fn resolve(&mut self, name: &StreamName, stored: StreamSummary) {
        self.streams.resolve(name, stored);
    }

    /// Forgets what can be found out again, where there is much of it.
    pub fn trim(&mut self) {
        self.streams.trim();
    }

    /// The positions at which events of this id stand, in any stream, seen or hidden.
    pub fn positions_of(&self, id: EventId) -> impl Iterator<Item = Position> + '_ {
        self.ids.positions(id).take_while(|position| self.covered < *position)
    }

    /// Takes in the next record of the log. One that was taken in before is passed over; one that does not
    /// follow leaves a gap that is noted as damage.
    pub fn add_record(&mut self, record: &DecodedRecord, size_bytes: u64) {
        if record.last() <= self.head.position {
            return;
        }
        if record.first() <= self.head.position {
            let problem = format!("the record at {} overlaps the one before it", record.first());
            self.add_damaged(self.head.position.next(), size_bytes, problem);
            self.segments.extend_damage_to(record.last());
            self.head.position = record.last();
            return;
        }
        self.note_gap_before(record.first());
        self.segments.push(Segment::whole(record.first(), record.last(), size_bytes));
        for time in record.commit_times() {
            self.time = self.time.max(time);
        }
        for entry in record.entries() {
            self.streams.add(&entry, record.first());
            if let Body::Event { .. } = entry.body {
                self.ids.add(entry.id, entry.position);
            }
        }
        let _ = self.sweep(SWEPT_PER_ENTRY * record.len());
        self.head.position = record.last();
        self.head.appended_bytes += size_bytes;
    }

    /// Notes a record that cannot be read. Where it ends is known only from what follows.
    pub fn add_damaged(&mut self, first: Position, size_bytes: u64, problem: String) {
        if first <= self.head.position {
            return;
        }
        self.note_gap_before(first);
        self.segments.push(Segment::damaged(first, size_bytes, problem));
        self.head.position = first;
        self.head.appended_bytes += size_bytes;
    }

    /// Ends a reading at the head that it was made under: what is missing at the end is noted as damage.
    pub fn finish(&mut self, head: Head) {
        if self.head.position < head.position {
            match self.segments.last_is_damaged() {
                true => self.segments.extend_damage_to(head.position),
                false => self.note_gap_before(head.position.next()),
            }
        }
        self.head = head;
    }

    /// Notes that a record cannot be read, although it could be once.
    pub fn mark_damaged(&mut self, first: Position, problem: String) {
        self.segments.mark_damaged(first, problem);
    }

    /// Whether any stream has hidden events.
    pub fn has_hidden(&self) -> bool {
        self.streams.has_hidden()
    }

    /// From which revision on the events of a stream are seen in the state as of a position, as far as the stream is
    /// known.
    pub fn visible_from(&self, stream: &str, as_of: Position) -> Revision {
        self.stream(stream).map_or(Revision::FIRST, |stream| stream.visible_from(as_of))
    }

    fn note_gap_before(&mut self, next: Position) {
        if self.head.position.next() == next {
            return;
        }
        match self.segments.last_is_damaged() {
            true => self.segments.extend_damage_to(Position(next.0 - 1)),
            false => {
                self.segments.push(Segment::missing(self.head.position.next(), Position(next.0 - 1)));
            }
        }
    }
}
