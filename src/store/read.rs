//! Reading events, a page at a time.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry};
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::id::EventId;
use crate::index::Index;
use crate::index::plan::{
    PAGE_EVENTS_MAX, PAGE_PAYLOAD_BYTES_MAX, Plan, Stretch, plan_all, plan_stream, visible_range,
};
use crate::storage::{Direction, Storage};

use super::gather::{entry_at, place_of};
use super::scan::Scan;
use super::{AllRead, EventPage, Shared, StreamRead};

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn read_stream(&self, read: &StreamRead) -> Result<EventPage, Error> {
        let as_of = self.state_to_read(read.as_of).await?;
        let mut range = 0..0;
        let mut plan_page = |index: &Index| {
            let Some(stream) = index.stream(read.stream.as_str()) else { return Plan::default() };
            // What was hidden after the state that is read is still seen in it.
            range = visible_range(stream, read.from, read.before, as_of);
            plan_stream(index, stream, range.clone(), read.direction)
        };
        let (plan, records) = self.fetch_planned(&mut plan_page).await?;
        let wanted = |entry: &Entry<'_>| match entry.body {
            Body::Event { revision, .. } => {
                entry.stream == read.stream.as_str() && range.contains(&revision.0) && entry.position <= as_of
            }
            Body::Fact(_) => false,
        };
        let edge = |entry: &Entry<'_>| match (&entry.body, read.direction) {
            (Body::Event { revision, .. }, Direction::Forwards) => revision.0 + 1,
            (Body::Event { revision, .. }, Direction::Backwards) => revision.0,
            (Body::Fact(_), _) => 0,
        };
        Ok(fill_page(&records, read.direction, read.limit, &wanted, &edge, plan.next, as_of))
    }

    pub(super) async fn read_all(&self, read: &AllRead) -> Result<EventPage, Error> {
        let as_of = self.state_to_read(read.as_of).await?;
        let before = read.before.map_or(u64::MAX, |before| before.0);
        let last = Position(as_of.0.min(before.saturating_sub(1)));
        let stretch =
            Stretch { first: Position(read.after.0.saturating_add(1)), last, direction: read.direction };
        let mut plan_page = |index: &Index| plan_all(index, &read.query, stretch);
        let (plan, records) = self.fetch_planned(&mut plan_page).await?;
        let scan = Scan { query: &read.query, since: read.since, until: read.until, stretch, as_of };
        let index = self.index.borrow();
        let wanted = |entry: &Entry<'_>| scan.sees(&index, entry);
        let edge = |entry: &Entry<'_>| entry.position.0;
        Ok(fill_page(&records, read.direction, read.limit, &wanted, &edge, plan.next, as_of))
    }

    pub(super) async fn event(&self, id: EventId, stream: Option<&str>) -> Result<EventPage, Error> {
        let as_of = self.state_to_read(None).await?;
        let positions: Vec<Position> = self.index.borrow().positions_of(id).collect();
        let mut page = EventPage::empty(as_of);
        for (record, position) in self.records_at(positions).await? {
            let Some(entry) = entry_at(&record, position) else { continue };
            let Body::Event { revision, .. } = entry.body else { continue };
            let wanted = stream.is_none_or(|stream| stream == entry.stream);
            if wanted && self.index.borrow().visible_from(entry.stream, as_of) <= revision {
                let place = place_of(&record, position);
                page.events.extend(place.map(|place| (Rc::clone(&record), place)));
                break;
            }
        }
        Ok(page)
    }

    /// The state of the log that a read is of: the newest, unless an earlier page fixed it.
    pub(super) async fn state_to_read(&self, as_of: Option<Position>) -> Result<Position, Error> {
        self.check_open()?;
        match as_of {
            Some(as_of) => Ok(as_of),
            None => {
                self.refresh().await?;
                Ok(self.index.borrow().head().position)
            }
        }
    }
}

impl EventPage {
    fn empty(as_of: Position) -> Self {
        Self { events: Vec::new(), next: None, as_of }
    }
}

/// Takes the wanted entries of records until the page is full. `edge` says of an entry where a page that
/// follows it begins; `next` is where the page begins that follows the records.
fn fill_page(
    records: &[Rc<DecodedRecord>],
    direction: Direction,
    limit: Option<u64>,
    wanted: &dyn Fn(&Entry<'_>) -> bool,
    edge: &dyn Fn(&Entry<'_>) -> u64,
    next: Option<u64>,
    as_of: Position,
) -> EventPage {
    let events_max = limit.map_or(PAGE_EVENTS_MAX, |limit| limit.min(PAGE_EVENTS_MAX as u64) as usize);
    let mut page = EventPage { events: Vec::new(), next, as_of };
    let mut payload_bytes = 0;
    let mut last_edge = None;
    for record in records {
        let places: &mut dyn Iterator<Item = usize> = match direction {
            Direction::Forwards => &mut (0..record.len()),
            Direction::Backwards => &mut (0..record.len()).rev(),
        };
        for place in places {
            let Some(entry) = record.entry(place).filter(wanted) else { continue };
            let is_full = page.events.len() == events_max || PAGE_PAYLOAD_BYTES_MAX < payload_bytes;
            if is_full {
                page.next = last_edge;
                return page.ended_by(limit);
            }
            payload_bytes += payload_bytes_of(&entry);
            last_edge = Some(edge(&entry));
            page.events.push((Rc::clone(record), place));
        }
    }
    page.ended_by(limit)
}

impl EventPage {
    /// A page that reached the limit of its read is the last.
    fn ended_by(mut self, limit: Option<u64>) -> Self {
        if limit.is_some_and(|limit| limit <= self.events.len() as u64) {
            self.next = None;
        }
        self
    }
}

fn payload_bytes_of(entry: &Entry<'_>) -> usize {
    match &entry.body {
        Body::Event { data, metadata, .. } => data.map_or(0, str::len) + metadata.map_or(0, str::len),
        Body::Fact(_) => 0,
    }
}
