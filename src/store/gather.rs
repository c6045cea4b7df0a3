//! Gathering what a group of appends is judged on.

use std::rc::Rc;

use crate::codec::{DecodedRecord, Entry};
use crate::error::{Error, Matched};
use crate::event::Position;
use crate::host::Host;
use crate::index::Index;
use crate::index::plan::{Plan, Source, Stretch, plan_all};
use crate::log::{Append, Facts, NewEntry};
use crate::query::AppendCondition;
use crate::sort::sort_numbers;
use crate::storage::{Direction, Head, Storage};

use super::Shared;
use super::catch_up::Slice;
use super::fetch::damage_of;
use super::scan::Scan;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Gathers the facts for a queue, as of the head that is returned with them.
    ///
    /// Most appends need nothing but what the index holds. Only an id that stands somewhere already, or a
    /// condition that looks back, has records read.
    pub(super) async fn gather(&self, queue: &[Rc<Append>]) -> Result<(Head, Facts), Error> {
        let Asked { head, mut facts, positions } = Asked::of(&self.index.borrow(), queue)?;
        if !positions.is_empty() {
            note_known(&mut facts, &self.records_at(positions).await?);
        }
        let mut slice = Slice::begin(&self.host);
        for condition in queue.iter().filter_map(|append| append.condition.as_ref()) {
            let matched = self.first_match(condition, facts.position, &mut slice).await?;
            facts.matches.push(matched);
        }
        Ok((head, facts))
    }

    /// The records that hold these positions, with the position; a position that none holds is left out.
    pub(super) async fn records_at(
        &self,
        positions: Vec<Position>,
    ) -> Result<Vec<(Rc<DecodedRecord>, Position)>, Error> {
        let positions = in_order(&positions);
        let mut plan_records = |index: &Index| {
            let segments = index.segments();
            let holders = positions.iter().filter_map(|it| segments.all().get(segments.place_of(*it)));
            let sources = holders.map(|segment| Source::Log(segment.first)).collect();
            let mut plan = Plan { sources, ..Plan::default() };
            plan.sources.dedup();
            plan
        };
        let (_, records) = self.fetch_planned(&mut plan_records).await?;
        Ok(holders(&records, positions))
    }

    /// The first event up to `as_of` that a condition forbids.
    async fn first_match(
        &self,
        condition: &AppendCondition,
        as_of: Position,
        slice: &mut Slice,
    ) -> Result<Option<Matched>, Error> {
        let query = &condition.fail_if_events_match;
        let mut first = condition.after.next();
        loop {
            let stretch = Stretch { first, last: as_of, direction: Direction::Forwards };
            let mut plan_page = |index: &Index| plan_all(index, query, stretch);
            let (plan, records) = self.fetch_planned(&mut plan_page).await?;
            let scan = Scan { query, since: None, until: None, stretch, as_of };
            let found = scan.first_match(&self.index.borrow(), &records);
            if found.is_some() {
                return Ok(found);
            }
            // Many conditions that look far back are long work, even where every record is at hand.
            slice.yield_when_over(&self.host).await;
            match plan.next {
                Some(next) => first = Position(next).next(),
                None => return Ok(None),
            }
        }
    }
}

/// What the index answers about a queue, and what has to be read beside.
struct Asked {
    head: Head,
    facts: Facts,
    /// Where ids stand that the queue gives.
    positions: Vec<Position>,
}

impl Asked {
    /// Fails on a log with damage, which cannot be judged upon: a stream's last revision may stand in what cannot
    /// be read.
    #[inline(never)]
    fn of(index: &Index, queue: &[Rc<Append>]) -> Result<Self, Error> {
        if let Some(segment) = index.segments().first_damaged() {
            return Err(damage_of(segment));
        }
        let head = index.head();
        let mut facts = Facts { position: head.position, time: index.time(), ..Facts::default() };
        let mut positions = Vec::new();
        for append in queue {
            for write in &append.writes {
                if let Some(stream) = index.stream(write.stream.as_str()) {
                    facts.streams.insert(&write.stream, stream.facts());
                }
                for (_, id) in write.entries.iter().filter_map(NewEntry::named_event) {
                    positions.extend(index.positions_of(id).filter(|position| *position <= head.position));
                }
            }
        }
        Ok(Self { head, facts, positions })
    }
}

/// Positions in ascending order, each once.
#[inline(never)]
fn in_order(positions: &[Position]) -> Vec<Position> {
    let mut numbers: Vec<u32> = (0..positions.len() as u32).collect();
    let position = |number: u32| positions.get(number as usize).copied();
    sort_numbers(&mut numbers, &|one, other| position(one) < position(other));
    let mut positions: Vec<Position> = numbers.into_iter().filter_map(position).collect();
    positions.dedup();
    positions
}

/// Each position with the record that holds it, of records in order.
#[inline(never)]
fn holders(records: &[Rc<DecodedRecord>], positions: Vec<Position>) -> Vec<(Rc<DecodedRecord>, Position)> {
    let found = positions.into_iter().filter_map(|position| {
        let place = records.partition_point(|record| record.last() < position);
        records.get(place).map(|record| (Rc::clone(record), position))
    });
    found.collect()
}

/// The entry at a position, where a record holds it.
pub(super) fn entry_at(record: &DecodedRecord, position: Position) -> Option<Entry<'_>> {
    place_of(record, position).and_then(|place| record.entry(place))
}

/// The place of a position in a record. Entries stand in the order of their positions, without gaps, until a
/// layout has them otherwise.
pub(super) fn place_of(record: &DecodedRecord, position: Position) -> Option<usize> {
    let stands_at = |place: &usize| record.entry(*place).is_some_and(|entry| entry.position == position);
    let dense = position.0.checked_sub(record.first().0).map(|place| place as usize);
    dense.filter(stands_at).or_else(|| (0..record.len()).find(stands_at))
}

/// Notes the events that stand at these positions.
#[inline(never)]
fn note_known(facts: &mut Facts, found: &[(Rc<DecodedRecord>, Position)]) {
    for (record, position) in found {
        if let Some(entry) = entry_at(record, *position) {
            facts.known.note_stored(&entry);
        }
    }
}
