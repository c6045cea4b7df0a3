//! Finding entries: an event by its id, and those that a decision was to write.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry};
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::id::EventId;
use crate::index::plan::Source;
use crate::layout::{BlockAddress, BlockIndex};
use crate::storage::{Area, Storage};

use super::catch_up::Slice;
use super::gather::{entry_at, holder_of, places_in_units};
use super::view::{Stop, View};
use super::{EventPage, Shared};

/// An event with its place.
type Found = Option<(Position, Rc<DecodedRecord>, usize)>;

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn event(&self, id: EventId, stream: Option<&str>) -> Result<EventPage, Error> {
        let as_of = self.state_to_read(None).await?;
        let mut page = EventPage::empty(as_of);
        let mut slice = Slice::begin(&self.host);
        let mut next = Some(Position(1));
        let mut found = None;
        while let Some(first) = next.filter(|_| found.is_none()) {
            self.look(&mut |view| {
                (found, next) = match stream {
                    Some(stream) => (find_in_stream(view, stream, id, as_of)?, None),
                    None => find_from(view, first, id, as_of)?,
                };
                Ok(())
            })
            .await?;
            slice.yield_when_over(&self.host).await;
        }
        page.events.extend(found.map(|(_, record, place)| (record, place)));
        Ok(page)
    }

    /// Whether entries stand in the log as they were decided. Errors: where it cannot be learnt, because they may have
    /// stood there and have been erased.
    pub(super) async fn stand(&self, decided: &[Rc<DecodedRecord>]) -> Result<bool, Error> {
        let mut do_stand = false;
        self.look(&mut |view| {
            do_stand = all_stand(view, decided)?;
            Ok(())
        })
        .await?;
        Ok(do_stand)
    }
}

/// The first visible event of an id in a stream.
fn find_in_stream(view: &mut View<'_>, stream: &str, id: EventId, as_of: Position) -> Result<Found, Stop> {
    let mut sources = match view.index.may_stand_in_units(id) {
        true => places_in_units(view, stream, &[id])?,
        false => Vec::new(),
    };
    sources.extend(tail_places(view, id));
    first_of(view, &sources, id, Some(stream), as_of)
}

/// The first visible event of an id from a position on: in the unit there, or where there is none, in the tail. And
/// where to go on.
fn find_from(
    view: &mut View<'_>,
    first: Position,
    id: EventId,
    as_of: Position,
) -> Result<(Found, Option<Position>), Stop> {
    let root = view.root;
    let unit = root.units.get(root.units.partition_point(|unit| unit.last < first));
    let unit = unit.filter(|_| view.index.may_stand_in_units(id));
    let Some(unit) = unit else {
        let sources = tail_places(view, id);
        return Ok((first_of(view, &sources, id, None, as_of)?, None));
    };
    let mut sources = Vec::new();
    for block in (0..unit.block_count).map(BlockIndex) {
        let address = BlockAddress { unit: unit.number, block };
        match view.filter(address) {
            Ok(Some(filter)) if !filter.may_contain(id) => {}
            Ok(_) => sources.push(Source::Block(address)),
            Err(Stop::Pending) => {}
            Err(stop) => return Err(stop),
        }
    }
    view.check()?;
    Ok((first_of(view, &sources, id, None, as_of)?, Some(unit.last.next())))
}

fn tail_places(view: &View<'_>, id: EventId) -> Vec<Source> {
    view.index.positions_of(id).filter_map(|position| holder_of(view, position)).collect()
}

/// The first visible event of an id in these places.
fn first_of(
    view: &mut View<'_>,
    sources: &[Source],
    id: EventId,
    stream: Option<&str>,
    as_of: Position,
) -> Result<Found, Stop> {
    let mut first: Found = None;
    for record in view.all_entries(sources)? {
        for place in 0..record.len() {
            let Some(entry) = record.entry(place).filter(|entry| entry.id == id) else { continue };
            let Body::Event { revision, .. } = entry.body else { continue };
            let is_first = first.as_ref().is_none_or(|(position, ..)| entry.position < *position);
            let is_wanted = stream.is_none_or(|stream| stream == entry.stream);
            if is_first && is_wanted && view.sees(entry.stream, revision, as_of) {
                first = Some((entry.position, Rc::clone(&record), place));
            }
        }
    }
    view.check()?;
    Ok(first)
}

#[inline(never)]
fn all_stand(view: &mut View<'_>, decided: &[Rc<DecodedRecord>]) -> Result<bool, Stop> {
    let mut do_stand = true;
    for entry in decided.iter().flat_map(|record| record.entries()) {
        match stands(view, &entry) {
            Ok(stands) => do_stand &= stands,
            Err(Stop::Pending) => {}
            Err(stop) => return Err(stop),
        }
    }
    view.check()?;
    Ok(do_stand)
}

fn stands(view: &mut View<'_>, decided: &Entry<'_>) -> Result<bool, Stop> {
    let position = decided.position;
    if view.root.covered < position {
        let record = holder_of(view, position).and_then(|source| view.entries(source));
        view.check()?;
        return Ok(record.as_ref().and_then(|record| entry_at(record, position)).as_ref() == Some(decided));
    }
    let stored = view.stored_stream(decided.stream)?;
    let sources: Vec<Source> = match decided.body {
        Body::Event { revision, .. } => {
            let holds = |it: &&crate::layout::StoredRun| it.first_revision <= revision && revision < it.end();
            stored.runs.iter().filter(holds).map(|run| Source::Block(run.address)).collect()
        }
        Body::Fact(_) => stored.fact_blocks.iter().map(|address| Source::Block(*address)).collect(),
    };
    let records = view.all_entries(&sources)?;
    let found = records.iter().find_map(|record| entry_at(record, position));
    if let (None, Body::Event { revision, .. }) = (&found, &decided.body)
        && !view.sees(decided.stream, *revision, Position(u64::MAX))
    {
        view.check()?;
        let problem = "events that may have stood there were erased";
        return Err(Error::corrupt_data(Some(position), Area::Units.name().to_owned(), problem).into());
    }
    Ok(found.as_ref() == Some(decided))
}
