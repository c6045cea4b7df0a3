//! Reading events, a page at a time.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::codec::{Body, DecodedRecord, Entry};
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::index::plan::{
    PAGE_EVENTS_MAX, PAGE_PAYLOAD_BYTES_MAX, PlacedRun, Plan, Stretch, damage_after, places_of, plan_stream,
    visible_range,
};
use crate::storage::{Direction, Storage};

use super::portion::{Asking, Portion, Walk, walk_records};
use super::scan::Scan;
use super::view::{Stop, View};
use super::{AllRead, EventPage, Shared, StreamRead};

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn read_stream(&self, read: &StreamRead) -> Result<EventPage, Error> {
        if read.as_of.is_none() {
            // While the newest state is found out, what leads to the stream is already read.
            self.begin_early(&mut |view| view.stored_stream(read.stream.as_str()).map(drop));
        }
        let as_of = self.state_to_read(read.as_of).await?;
        let mut page = EventPage::empty(as_of);
        self.look(&mut |view| {
            page = page_of_stream(view, read, as_of)?;
            Ok(())
        })
        .await?;
        Ok(page)
    }

    /// As [`Shared::read_all`], for those who read page after page within something else.
    pub(super) fn next_page(&self, read: AllRead) -> LocalBoxFuture<'_, Result<EventPage, Error>> {
        async move { self.read_all(&read).await }.boxed_local()
    }

    pub(super) async fn read_all(&self, read: &AllRead) -> Result<EventPage, Error> {
        if read.as_of.is_none() {
            // What the read before did not need any more is let go.
            self.early.take();
            // While the newest state is found out, what is known to be read is already read.
            let known = asking_of(read, self.index.borrow().head().position);
            self.begin_early(&mut |view| Portion::of(view, &known).map(drop));
        }
        let as_of = self.state_to_read(read.as_of).await?;
        let asking = asking_of(read, as_of);
        let (mut page, mut next) = (EventPage::empty(as_of), None);
        self.look(&mut |view| {
            (page, next) = page_of_all(view, &Scan::new(asking, as_of), read.limit)?;
            Ok(())
        })
        .await?;
        // Who has asked for a second page will ask for more.
        if let (Some(next), Some(_), Some(_)) = (next, page.next, read.as_of)
            && self.early.borrow_mut().next.replace(next) != Some(next)
        {
            let following = after(asking, next);
            self.begin_early(&mut |view| Portion::of(view, &following).map(drop));
        }
        Ok(page)
    }

    /// The state of the log that a read is of: the newest, unless an earlier page fixed it.
    pub(super) fn state_to_read(
        &self,
        as_of: Option<Position>,
    ) -> LocalBoxFuture<'_, Result<Position, Error>> {
        async move {
            self.check_open()?;
            match as_of {
                Some(as_of) => Ok(as_of),
                None => {
                    self.refresh().await?;
                    self.check_open()?;
                    Ok(self.index.borrow().head().position)
                }
            }
        }
        .boxed_local()
    }
}

#[inline(never)]
fn page_of_stream(view: &mut View<'_>, read: &StreamRead, as_of: Position) -> Result<EventPage, Stop> {
    let name = read.stream.as_str();
    let stored = view.stored_stream(name)?;
    view.stream(name)?;
    let (mut plan, mut range, mut places) = (Plan::default(), 0..0, Vec::new());
    let stream = view.index.stream(name);
    if let Some(stream) = stream {
        // What was hidden after the state that is read is still seen in it.
        range = visible_range(stream, read.from, read.before, as_of);
        places = places_of(stream, &stored.runs);
        plan = plan_stream(view.index, stream, &places, range.clone(), read.direction);
    }
    let reaches_end = read.before.is_none_or(|before| range.end < before.0);
    if plan.next.is_none() && reaches_end && read.direction == Direction::Forwards {
        let damaged = damage_after(view.index, stream, as_of);
        plan.next = damaged.map(|_| range.end);
        plan.damaged = damaged.filter(|_| plan.sources.is_empty());
    }
    let records = match view.planned_of_stream(&plan, name) {
        Err(Stop::Failed(error)) => {
            whole_before_damage(view, &mut plan, (name, &places), read.direction, error)?
        }
        planned => planned?,
    };
    let mut filling = Filling::new(read.limit, plan.next, as_of);
    walk_records(&records, read.direction, &mut |record, place| {
        let Some(Entry { stream, position, body: Body::Event { revision, .. }, .. }) = record.entry(place)
        else {
            return Walk::On;
        };
        if stream != name || !range.contains(&revision.0) || as_of < position {
            return Walk::On;
        }
        let edge = match read.direction {
            Direction::Forwards => revision.0 + 1,
            Direction::Backwards => revision.0,
        };
        filling.take(record, place, edge)
    });
    Ok(filling.finish())
}

/// What is whole of a plan before what cannot be read, with which the next page begins. Errors: `error` where nothing
/// is.
#[cold]
#[inline(never)]
fn whole_before_damage(
    view: &mut View<'_>,
    plan: &mut Plan,
    (name, places): (&str, &[PlacedRun]),
    direction: Direction,
    error: Error,
) -> Result<Vec<Rc<DecodedRecord>>, Stop> {
    let mut records = Vec::new();
    for source in &plan.sources {
        match view.entries_of_stream(&[*source], name) {
            Ok(whole) => records.extend(whole),
            Err(Stop::Failed(_)) if !records.is_empty() => {
                let run = places.iter().find(|run| run.source == *source);
                plan.next = run.map(|run| match direction {
                    Direction::Forwards => run.first_revision.0,
                    Direction::Backwards => run.end.0,
                });
                return Ok(records);
            }
            Err(Stop::Failed(_)) => return Err(error.into()),
            Err(stop) => return Err(stop),
        }
    }
    Err(error.into())
}

/// What a read asks for in the state as of a position.
fn asking_of(read: &AllRead, as_of: Position) -> Asking<'_> {
    let before = read.before.map_or(u64::MAX, |before| before.0);
    let last = Position(as_of.0.min(before.saturating_sub(1)));
    let stretch =
        Stretch { first: Position(read.after.0.saturating_add(1)), last, direction: read.direction };
    Asking { query: &read.query, since: read.since, until: read.until, stretch }
}

/// What is asked for behind `next`, in the terms of the read.
fn after(asking: Asking<'_>, next: u64) -> Asking<'_> {
    let stretch = match asking.stretch.direction {
        Direction::Forwards => Stretch { first: Position(next).next(), ..asking.stretch },
        Direction::Backwards => Stretch { last: Position(next.saturating_sub(1)), ..asking.stretch },
    };
    Asking { stretch, ..asking }
}

/// The page, and where the portion begins that follows the one which it is from.
#[inline(never)]
pub(super) fn page_of_all(
    view: &mut View<'_>,
    scan: &Scan<'_>,
    limit: Option<u64>,
) -> Result<(EventPage, Option<u64>), Stop> {
    let portion = Portion::of(view, &scan.asking)?;
    let mut filling = Filling::new(limit, portion.next, scan.as_of);
    portion.walk(view, &mut |view, record, place| {
        if scan.sees_at(view, record, place) {
            filling.take(record, place, record.position(place).unwrap_or_default().0)
        } else {
            Walk::On
        }
    });
    view.check()?;
    Ok((filling.finish(), portion.next))
}

impl EventPage {
    pub(super) fn empty(as_of: Position) -> Self {
        Self { events: Vec::new(), next: None, as_of }
    }
}

/// A page that takes the wanted entries of records until it is full.
struct Filling {
    page: EventPage,
    limit: Option<u64>,
    events_max: usize,
    payload_bytes: usize,
    /// Where a page begins that follows the last entry.
    last_edge: Option<u64>,
}

impl Filling {
    /// `next` is where the page begins that follows the records.
    fn new(limit: Option<u64>, next: Option<u64>, as_of: Position) -> Self {
        let events_max = limit.map_or(PAGE_EVENTS_MAX, |limit| limit.min(PAGE_EVENTS_MAX as u64) as usize);
        let page = EventPage { next, ..EventPage::empty(as_of) };
        Self { page, limit, events_max, payload_bytes: 0, last_edge: None }
    }

    /// Takes an entry, after which a page begins at `edge`.
    fn take(&mut self, record: &Rc<DecodedRecord>, place: usize, edge: u64) -> Walk {
        let is_full =
            self.page.events.len() == self.events_max || PAGE_PAYLOAD_BYTES_MAX < self.payload_bytes;
        if is_full {
            self.page.next = self.last_edge;
            return Walk::Ends;
        }
        self.payload_bytes += record.payload_bytes(place);
        self.last_edge = Some(edge);
        self.page.events.push((Rc::clone(record), place));
        Walk::On
    }

    /// A page that reached the limit of its read is the last.
    fn finish(mut self) -> EventPage {
        if self.limit.is_some_and(|limit| limit <= self.page.events.len() as u64) {
            self.page.next = None;
        }
        self.page
    }
}
