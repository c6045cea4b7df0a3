//! Which records a page of events is read from. Pure.

use std::ops::{Range, RangeInclusive};

use crate::event::{Position, Revision};
use crate::layout::{BlockAddress, StoredRun};
use crate::query::Query;
use crate::storage::Direction;

use super::{Index, IndexedStream, Segment};

/// Most events of one page.
pub const PAGE_EVENTS_MAX: usize = 4_096;
/// Most payload of one page, in bytes; a page of one event may have more.
pub const PAGE_PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Most stored bytes that one page is read from; a page from one record may have more.
pub const PAGE_STORED_BYTES_MAX: u64 = 256 * 1024;
/// What a block counts for among them: so much an event that is wanted of it, but no less and no more than this. Of a block
/// nothing is kept but what one stream has in it. So the events of a stream that is spread over many units are one page, and
/// all blocks that hold them are read at once.
pub const BLOCK_BYTES: RangeInclusive<u64> = 4 * 1024..=16 * 1024;
const BLOCK_BYTES_AN_EVENT: u64 = 256;
/// Most records that one page is read from.
pub const PAGE_SEGMENTS_MAX: usize = 2_048;

/// Where entries stand: what a page is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A record of the log, by its first position.
    Log(Position),
    /// A block of a unit.
    Block(BlockAddress),
}

/// The records to read for one page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The records and blocks, in the order in which they are to be read.
    pub sources: Vec<Source>,
    /// Where the page after these records begins, in the terms of the read; `None` where they are the last.
    pub next: Option<u64>,
    /// The record of the log that stands in the way, by its first position: what is asked for begins there, and
    /// cannot be read.
    pub damaged: Option<Position>,
}

/// The part of the log that a read asks for: both bounds are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// From which end to read.
    pub direction: Direction,
}

/// Adds up what a page may be read from.
struct Budget {
    events_left: usize,
    stored_bytes_left: u64,
    segments_left: usize,
}

impl Budget {
    fn of_a_page() -> Self {
        Self {
            events_left: PAGE_EVENTS_MAX,
            stored_bytes_left: PAGE_STORED_BYTES_MAX,
            segments_left: PAGE_SEGMENTS_MAX,
        }
    }

    fn is_spent(&self) -> bool {
        self.events_left == 0 || self.stored_bytes_left == 0 || self.segments_left == 0
    }

    fn spend(&mut self, event_count: usize, stored_bytes: u64) {
        self.events_left = self.events_left.saturating_sub(event_count);
        self.stored_bytes_left = self.stored_bytes_left.saturating_sub(stored_bytes);
        self.segments_left = self.segments_left.saturating_sub(1);
    }
}

/// Events of a stream with successive revisions that stand in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedRun {
    /// Where.
    pub source: Source,
    /// The revision of the first.
    pub first_revision: Revision,
    /// The revision after the last.
    pub end: Revision,
}

/// Where the events of a stream stand, in the order of their revisions: in `stored` blocks, and in the tail.
pub fn places_of(stream: &IndexedStream, stored: &[StoredRun]) -> Vec<PlacedRun> {
    let in_units = stored.iter().map(|run| PlacedRun {
        source: Source::Block(run.address),
        first_revision: run.first_revision,
        end: run.end(),
    });
    let in_tail = stream.runs().iter().map(|run| PlacedRun {
        source: Source::Log(run.record),
        first_revision: run.first_revision,
        end: run.end(),
    });
    in_units.chain(in_tail).collect()
}

/// Plans a page of one stream, whose events stand in these places, for revisions of `range`.
///
/// Where revisions lack between two that are there, they were erased, which nobody sees, or a damaged record held
/// them: then the plan ends before the lack, and names the record where the lack comes first.
pub fn plan_stream(
    index: &Index,
    stream: &IndexedStream,
    places: &[PlacedRun],
    range: Range<u64>,
    direction: Direction,
) -> Plan {
    let first = places.partition_point(|run| run.end.0 <= range.start);
    let end = places.partition_point(|run| run.first_revision.0 < range.end);
    let wanted = places.get(first..end).unwrap_or_default();
    let visible_from = stream.facts().visible_from.0;
    let mut plan = Plan::default();
    let mut budget = Budget::of_a_page();
    let mut edge = match direction {
        Direction::Forwards => range.start,
        Direction::Backwards => range.end,
    };
    let mut take = |run: &PlacedRun| -> bool {
        let (near, far) = match direction {
            Direction::Forwards => (run.first_revision.0.max(range.start), run.end.0.min(range.end)),
            Direction::Backwards => (run.end.0.min(range.end), run.first_revision.0.max(range.start)),
        };
        if near != edge && visible_from < near.max(edge) {
            plan.next = Some(edge);
            if plan.sources.is_empty() {
                plan.damaged = Some(damage_beside(index, run.source, direction));
            }
            return false;
        }
        if budget.is_spent() {
            plan.next = Some(edge);
            return false;
        }
        budget.spend((run.end.0 - run.first_revision.0) as usize, stored_bytes(index, run));
        plan.sources.push(run.source);
        edge = far;
        true
    };
    match direction {
        Direction::Forwards => wanted.iter().all(&mut take),
        Direction::Backwards => wanted.iter().rev().all(&mut take),
    };
    plan
}

/// How many bytes are stored of a record, or what a block counts for.
fn stored_bytes(index: &Index, run: &PlacedRun) -> u64 {
    match run.source {
        Source::Log(first) => index.segments().get(first).map_or(0, |segment| segment.size_bytes),
        Source::Block(_) => {
            let event_count = run.end.0.saturating_sub(run.first_revision.0);
            event_count.saturating_mul(BLOCK_BYTES_AN_EVENT).clamp(*BLOCK_BYTES.start(), *BLOCK_BYTES.end())
        }
    }
}

/// The first record that cannot be read of those that may hold the next event of a stream in the state as of a
/// position: reading may not end there as if the stream did.
pub fn damage_after(index: &Index, stream: Option<&IndexedStream>, as_of: Position) -> Option<Position> {
    index.segments().first_damaged()?;
    let summary = stream.map(IndexedStream::summary);
    let last_event = summary.and_then(|summary| summary.moments).map(|moments| moments.last.position);
    let last_hiding = summary.and_then(|summary| summary.hidings.last()).map(|hiding| hiding.position);
    let known = last_event.max(last_hiding).unwrap_or(Position::START);
    let mut segments = index.segments().all().iter();
    let damaged = segments.find(|segment| segment.damage.is_some() && known < segment.first)?;
    (damaged.first <= as_of).then_some(damaged.first)
}

/// The damaged record nearest to one that is whole, on the side from which reading comes. Only damage makes
/// revisions lack; were there none, the whole record itself is named, so that a read ends all the same.
fn damage_beside(index: &Index, whole: Source, direction: Direction) -> Position {
    let segments = index.segments();
    let whole = match whole {
        Source::Log(first) => first,
        Source::Block(_) => index.covered().next(),
    };
    let (before, after) = segments.all().split_at_checked(segments.place_of(whole)).unwrap_or_default();
    let is_damaged = |segment: &&Segment| segment.damage.is_some();
    match direction {
        Direction::Forwards => before.iter().rev().find(is_damaged),
        Direction::Backwards => after.iter().find(is_damaged),
    }
    .map_or(whole, |segment| segment.first)
}

/// Plans a page of the tail of the log. Where the query names its streams, only the records that hold them.
pub fn plan_tail(index: &Index, query: &Query, stretch: Stretch) -> Plan {
    if stretch.last < stretch.first {
        return Plan::default();
    }
    let segments = index.segments();
    let first = segments.place_of(stretch.first);
    let end = segments.place_of(stretch.last.next());
    // A record may reach over the end of the stretch.
    let end = match segments.all().get(end) {
        Some(segment) if segment.first <= stretch.last => end + 1,
        _ => end,
    };
    let mut candidates: Vec<u32> = match query.streams() {
        Some(names) if segments.first_damaged().is_none() => {
            let mut holds = vec![false; end.saturating_sub(first)];
            let streams = names.into_iter().filter_map(|name| index.stream(name));
            for record in streams.flat_map(IndexedStream::records).filter(|it| index.covered() < *it) {
                let place = segments.place_of(record).checked_sub(first);
                if let Some(held) = place.and_then(|place| holds.get_mut(place)) {
                    *held = true;
                }
            }
            (first as u32..).zip(holds).filter(|(_, held)| *held).map(|(place, _)| place).collect()
        }
        _ => (first as u32..end as u32).collect(),
    };
    if stretch.direction == Direction::Backwards {
        candidates.reverse();
    }
    take_in_budget(index, &candidates, stretch)
}

fn take_in_budget(index: &Index, candidates: &[u32], stretch: Stretch) -> Plan {
    let mut plan = Plan::default();
    let mut budget = Budget::of_a_page();
    for &candidate in candidates {
        let Some(segment) = index.segments().all().get(candidate as usize) else { continue };
        if segment.damage.is_some() || budget.is_spent() {
            plan.damaged = (segment.damage.is_some() && plan.sources.is_empty()).then_some(segment.first);
            plan.next = Some(match stretch.direction {
                Direction::Forwards => segment.first.0.max(stretch.first.0) - 1,
                Direction::Backwards => segment.last.0.min(stretch.last.0) + 1,
            });
            return plan;
        }
        budget.spend(0, segment.size_bytes);
        plan.sources.push(Source::Log(segment.first));
    }
    plan
}

/// The revisions of a stream that a read sees: from its bounds, what is hidden, and what there is.
pub fn visible_range(
    stream: &IndexedStream,
    from: Revision,
    before: Option<Revision>,
    as_of: Position,
) -> Range<u64> {
    let start = from.max(stream.visible_from(as_of)).0;
    let end = stream.facts().state.next_revision().0.min(before.map_or(u64::MAX, |before| before.0));
    start..end.max(start)
}
