//! Gathering what a group of appends is judged on.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::codec::{Body, DecodedRecord, Entry};
use crate::error::{Error, Matched};
use crate::event::{Json, Position, StreamName};
use crate::host::Host;
use crate::id::EventId;
use crate::index::plan::{Stretch, plan_all};
use crate::log::{Append, Facts, KnownEvent};
use crate::query::AppendCondition;
use crate::storage::{Direction, Head, Storage};

use super::Shared;
use super::scan::Scan;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Gathers the facts for a queue, as of the head that is returned with them.
    ///
    /// Most appends need nothing but what the index holds. Only an id that stands somewhere already, or a
    /// condition that looks back, has records read.
    pub(super) async fn gather(&self, queue: &[Append]) -> Result<(Head, Facts), Error> {
        let (head, mut facts) = self.stream_facts(queue);
        self.gather_known(queue, &mut facts).await?;
        for condition in queue.iter().filter_map(|append| append.condition.as_ref()) {
            let matched = self.first_match(condition, facts.position).await?;
            facts.matches.push(matched);
        }
        Ok((head, facts))
    }

    fn stream_facts(&self, queue: &[Append]) -> (Head, Facts) {
        let index = self.index.borrow();
        let mut facts = Facts { position: index.head().position, time: index.time(), ..Facts::default() };
        for name in queue.iter().flat_map(Append::streams) {
            if let Some(stream) = index.stream(name.as_str()) {
                facts.streams.insert(name.clone(), stream.facts());
            }
        }
        (index.head(), facts)
    }

    async fn gather_known(&self, queue: &[Append], facts: &mut Facts) -> Result<(), Error> {
        let as_of = facts.position;
        let mut asked: FxHashMap<Position, Vec<(EventId, StreamName)>> = FxHashMap::default();
        {
            let index = self.index.borrow();
            for (stream, entry) in queue.iter().flat_map(Append::entries) {
                let Some((_, id)) = entry.named_event() else { continue };
                for position in index.positions_of(id).filter(|position| *position <= as_of) {
                    asked.entry(position).or_default().push((id, stream.clone()));
                }
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        for (record, position) in self.records_at(asked.keys().copied().collect()).await? {
            let (Some(entry), Some(wanted)) = (entry_at(&record, position), asked.get(&position)) else {
                continue;
            };
            for (id, stream) in wanted {
                note_known(facts, *id, stream, &entry);
            }
        }
        Ok(())
    }

    /// The records that hold these positions, with the position; a position that none holds is left out.
    pub(super) async fn records_at(
        &self,
        mut positions: Vec<Position>,
    ) -> Result<Vec<(Rc<DecodedRecord>, Position)>, Error> {
        positions.sort_unstable();
        loop {
            let numbers: Vec<_> = {
                let index = self.index.borrow();
                positions.iter().map(|position| index.segments().at_or_after(*position)).collect()
            };
            let mut distinct = numbers.clone();
            distinct.dedup();
            if let Some(records) = self.fetch(&distinct).await? {
                let by_number: FxHashMap<_, _> = distinct.into_iter().zip(records).collect();
                let found = numbers.iter().zip(&positions).filter_map(|(number, position)| {
                    by_number.get(number).map(|record| (Rc::clone(record), *position))
                });
                return Ok(found.collect());
            }
            self.refresh().await?;
        }
    }

    /// The first event up to `as_of` that a condition forbids.
    async fn first_match(
        &self,
        condition: &AppendCondition,
        as_of: Position,
    ) -> Result<Option<Matched>, Error> {
        let query = &condition.fail_if_events_match;
        let mut first = condition.after.next();
        loop {
            let stretch = Stretch { first, last: as_of, direction: Direction::Forwards };
            let plan = plan_all(&self.index.borrow(), query, stretch);
            if let Some(number) = plan.damaged {
                return Err(self.damage_at(number));
            }
            let Some(records) = self.fetch(&plan.segments).await? else {
                self.refresh().await?;
                continue;
            };
            let scan = Scan { query, since: None, until: None, stretch, as_of };
            let index = self.index.borrow();
            let mut matches = records.iter().flat_map(|record| record.entries());
            if let Some(entry) = matches.find(|entry| scan.sees(&index, entry)) {
                return Ok(Some(as_matched(&entry)));
            }
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

/// Of events with one id in one stream, all but the last are hidden.
fn note_known(facts: &mut Facts, id: EventId, stream: &StreamName, entry: &Entry<'_>) {
    let Body::Event { revision, event_type, data, .. } = &entry.body else { return };
    if entry.stream != stream.as_str() || entry.id != id {
        return;
    }
    let known = KnownEvent {
        revision: *revision,
        position: entry.position,
        event_type: Rc::from(*event_type),
        data: data.map(Json::from_trusted),
    };
    let noted = facts.known.entry((id, stream.clone())).or_insert_with(|| known.clone());
    if noted.revision < known.revision {
        *noted = known;
    }
}

fn as_matched(entry: &Entry<'_>) -> Matched {
    let event_type = match &entry.body {
        Body::Event { event_type, .. } => event_type,
        Body::Fact(fact) => fact.type_name(),
    };
    Matched { position: entry.position, stream: entry.stream.to_owned(), event_type: event_type.to_owned() }
}
