//! Gathering what a group of appends is judged on.

use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry};
use crate::error::{Error, Matched};
use crate::event::Position;
use crate::host::Host;
use crate::index::Index;
use crate::index::plan::{Plan, Stretch, plan_all};
use crate::log::{Append, Facts};
use crate::query::AppendCondition;
use crate::storage::{Direction, Head, Storage};

use super::Shared;
use super::catch_up::Slice;
use super::scan::Scan;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Gathers the facts for a queue, as of the head that is returned with them.
    ///
    /// Most appends need nothing but what the index holds. Only an id that stands somewhere already, or a
    /// condition that looks back, has records read.
    pub(super) async fn gather(&self, queue: &[Append]) -> Result<(Head, Facts), Error> {
        let (head, mut facts) = self.stream_facts(queue);
        self.gather_known(queue, &mut facts).await?;
        let mut slice = Slice::begin(&self.host);
        for condition in queue.iter().filter_map(|append| append.condition.as_ref()) {
            let matched = self.first_match(condition, facts.position, &mut slice).await?;
            facts.matches.push(matched);
        }
        Ok((head, facts))
    }

    fn stream_facts(&self, queue: &[Append]) -> (Head, Facts) {
        let index = self.index.borrow();
        let mut facts = Facts { position: index.head().position, time: index.time(), ..Facts::default() };
        for name in queue.iter().flat_map(Append::streams) {
            if let Some(stream) = index.stream(name.as_str()) {
                facts.streams.insert(name, stream.facts());
            }
        }
        (index.head(), facts)
    }

    async fn gather_known(&self, queue: &[Append], facts: &mut Facts) -> Result<(), Error> {
        let as_of = facts.position;
        let mut asked: Vec<Position> = Vec::new();
        {
            let index = self.index.borrow();
            for (_, entry) in queue.iter().flat_map(Append::entries) {
                let Some((_, id)) = entry.named_event() else { continue };
                asked.extend(index.positions_of(id).filter(|position| *position <= as_of));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        for (record, position) in self.records_at(asked).await? {
            if let Some(entry) = entry_at(&record, position) {
                facts.known.note_stored(&entry);
            }
        }
        Ok(())
    }

    /// The records that hold these positions, with the position; a position that none holds is left out.
    pub(super) async fn records_at(
        &self,
        positions: Vec<Position>,
    ) -> Result<Vec<(Rc<DecodedRecord>, Position)>, Error> {
        let mut positions = BinaryHeap::from(positions).into_sorted_vec();
        positions.dedup();
        let mut plan_records = |index: &Index| {
            let numbers = positions.iter().map(|position| index.segments().at_or_after(*position));
            let mut plan = Plan { segments: numbers.collect(), ..Plan::default() };
            plan.segments.dedup();
            plan
        };
        let (_, records) = self.fetch_planned(&mut plan_records).await?;
        let found = positions.into_iter().filter_map(|position| {
            let place = records.partition_point(|record| record.last() < position);
            records.get(place).map(|record| (Rc::clone(record), position))
        });
        Ok(found.collect())
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
            let found = {
                let index = self.index.borrow();
                let mut entries = records.iter().flat_map(|record| record.entries());
                entries.find(|entry| scan.sees(&index, entry)).map(|entry| as_matched(&entry))
            };
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

fn as_matched(entry: &Entry<'_>) -> Matched {
    let event_type = match &entry.body {
        Body::Event { event_type, .. } => event_type,
        Body::Fact(fact) => fact.type_name(),
    };
    Matched { position: entry.position, stream: entry.stream.to_owned(), event_type: event_type.to_owned() }
}
