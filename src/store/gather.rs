//! Gathering what a group of appends is judged on.

use std::rc::Rc;

use crate::codec::{DecodedRecord, Entry};
use crate::error::{Error, Matched};
use crate::event::Position;
use crate::host::Host;
use crate::id::EventId;
use crate::index::plan::{Source, Stretch};
use crate::log::{Append, Facts, StreamWrite};
use crate::query::AppendCondition;
use crate::storage::{Direction, Head, Storage};

use super::Shared;
use super::catch_up::Slice;
use super::fetch::damage_of;
use super::portion::{Asking, Portion};
use super::scan::Scan;
use super::view::{Stop, View};

impl<S: Storage, H: Host> Shared<S, H> {
    /// Gathers the facts for a queue, as of the head that is returned with them.
    ///
    /// Most appends need nothing but what the index holds. Only a stream that was not asked for yet, an id that may
    /// stand somewhere already, or a condition that looks back, has records read.
    pub(super) async fn gather(&self, queue: &[Rc<Append>]) -> Result<(Head, Facts), Error> {
        let mut gathered = Some((Head::default(), Facts::default()));
        loop {
            self.look(&mut |view| {
                gathered = facts_of(view, queue)?;
                Ok(())
            })
            .await?;
            if gathered.is_some() {
                break;
            }
            self.learn_ids().await?;
        }
        let (head, mut facts) = gathered.unwrap_or_default();
        let mut slice = Slice::begin(&self.host);
        for condition in queue.iter().filter_map(|append| append.condition.as_ref()) {
            let matched = self.first_match(condition, facts.position, &mut slice).await?;
            facts.matches.push(matched);
        }
        Ok((head, facts))
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
            let asking = Asking { query, since: None, until: None, stretch };
            let (mut found, mut next) = (None, None);
            self.look(&mut |view| {
                let portion = Portion::of(view, &asking)?;
                found = Scan::new(asking, as_of).first_match(view, &portion)?;
                next = portion.next;
                Ok(())
            })
            .await?;
            match next {
                Some(next) if found.is_none() => first = Position(next).next(),
                _ => return Ok(found),
            }
            // Many conditions that look far back are long work, even where every record is at hand.
            slice.yield_when_over(&self.host).await;
        }
    }
}

/// What is known of everything that a queue names. `None` where the ids of all units are to be learnt first.
///
/// Fails on a log with damage, which cannot be judged upon: a stream's last revision may stand in what cannot be read.
#[inline(never)]
fn facts_of(view: &mut View<'_>, queue: &[Rc<Append>]) -> Result<Option<(Head, Facts)>, Stop> {
    // First, because what a newer everfold wrote looks like damage.
    view.index.head().check_writer().map_err(Error::from)?;
    if let Some(segment) = view.index.segments().first_damaged() {
        return Err(damage_of(segment).into());
    }
    let head = view.index.head();
    let mut facts = Facts { position: head.position, time: view.index.time(), ..Facts::default() };
    let mut block_count = 0;
    for write in queue.iter().flat_map(|append| &append.writes) {
        match note_stream(view, &mut facts, write) {
            Ok(asked_count) => block_count += asked_count,
            // What the other writes need is read in the same transaction.
            Err(Stop::Pending) => {}
            Err(stop) => return Err(stop),
        }
    }
    view.check()?;
    let covered = view.root.covered;
    let entry_count = view.root.units.iter().map(|unit| unit.entry_count).sum();
    if view.index.ids_in_units().is_worth_learning(block_count, covered, entry_count) {
        return Ok(None);
    }
    for write in queue.iter().flat_map(|append| &append.writes) {
        match note_ids(view, &mut facts, write) {
            Ok(()) | Err(Stop::Pending) => {}
            Err(stop) => return Err(stop),
        }
    }
    view.check()?;
    Ok(Some((head, facts)))
}

/// Notes the stream of a write. Gives about how many blocks may hold the ids that the write gives.
fn note_stream(view: &mut View<'_>, facts: &mut Facts, write: &StreamWrite) -> Result<u64, Stop> {
    let (covered, unit_count) = (view.root.covered, view.root.units.len() as u64);
    let Some(stream) = view.stream(write.stream.as_str())?.filter(|stream| stream.exists()) else {
        return Ok(0);
    };
    facts.streams.insert(&write.stream, stream.facts());
    if unit_count == 0 {
        return Ok(0);
    }
    let block_count = stream.visible_count_as_of(covered).min(unit_count);
    Ok(block_count * write.entries.iter().filter_map(|entry| entry.named_event()).count() as u64)
}

/// Notes the events in the stream of a write that have ids which the write gives.
fn note_ids(view: &mut View<'_>, facts: &mut Facts, write: &StreamWrite) -> Result<(), Stop> {
    let mut in_units = Vec::new();
    for (_, id) in write.entries.iter().filter_map(|entry| entry.named_event()) {
        note_in_tail(view, facts, id);
        if view.index.may_stand_in_units(id) {
            in_units.push(id);
        }
    }
    if in_units.is_empty() {
        return Ok(());
    }
    let sources = places_in_units(view, write.stream.as_str(), &in_units)?;
    for block in view.all_entries(&sources)? {
        let entries = block.entries().filter(|entry| in_units.contains(&entry.id));
        entries.for_each(|entry| facts.known.note_stored(&entry));
    }
    Ok(())
}

fn note_in_tail(view: &mut View<'_>, facts: &mut Facts, id: EventId) {
    let positions: Vec<Position> = view.index.positions_of(id).collect();
    for position in positions {
        let record = holder_of(view, position).and_then(|source| view.entries(source));
        if let Some(entry) = record.as_ref().and_then(|record| entry_at(record, position)) {
            facts.known.note_stored(&entry);
        }
    }
}

/// The record of the tail that holds a position.
pub(super) fn holder_of(view: &View<'_>, position: Position) -> Option<Source> {
    let segments = view.index.segments();
    segments.all().get(segments.place_of(position)).map(|segment| Source::Log(segment.first))
}

/// The blocks that may hold events of any of these ids in this stream which are not hidden.
pub(super) fn places_in_units(
    view: &mut View<'_>,
    stream: &str,
    ids: &[EventId],
) -> Result<Vec<Source>, Stop> {
    let covered = view.root.covered;
    let first = view.stream(stream)?.and_then(|stream| stream.first());
    if first.is_none_or(|first| covered < first.position) {
        return Ok(Vec::new());
    }
    let visible_from = view.index.visible_from(stream, Position(u64::MAX));
    let stored = view.stored_stream(stream)?;
    let mut sources = Vec::new();
    for run in stored.runs.iter().filter(|run| visible_from < run.end()) {
        match view.filter(run.address) {
            Ok(Some(filter)) if !ids.iter().any(|id| filter.may_contain(*id)) => {}
            Ok(_) => sources.push(Source::Block(run.address)),
            Err(Stop::Pending) => {}
            Err(stop) => return Err(stop),
        }
    }
    view.check()?;
    Ok(sources)
}

/// The entry at a position, where a record holds it.
pub(super) fn entry_at(record: &DecodedRecord, position: Position) -> Option<Entry<'_>> {
    place_of(record, position).and_then(|place| record.entry(place))
}

/// The place of a position in a record. In a record of the log, entries stand in the order of their positions,
/// without gaps.
pub(super) fn place_of(record: &DecodedRecord, position: Position) -> Option<usize> {
    let stands_at = |place: &usize| record.entry(*place).is_some_and(|entry| entry.position == position);
    let dense = position.0.checked_sub(record.first().0).map(|place| place as usize);
    dense.filter(stands_at).or_else(|| record.positions().position(|it| it == position))
}
