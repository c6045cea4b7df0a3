//! Reading the records that the index names.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::codec::DecodedRecord;
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::index::plan::Plan;
use crate::index::{Index, Segment, SegmentNumber, Segments};
use crate::storage::{Area, Direction, Found, Key, KeyRange, PageRequest, Record, Request, Storage};

use super::Shared;

/// Reading a range of keys costs a fraction of reading each of them, so it pays to read records that are not
/// asked for: at most so many times those that are.
const RANGE_RECORDS_FACTOR: usize = 4;
/// How much may be read to no purpose, in bytes.
const RANGE_BYTES_MAX: u64 = 1024 * 1024;

/// A plan, and the records that it names.
pub(super) type Planned = (Plan, Vec<Rc<DecodedRecord>>);

impl<S: Storage, H: Host> Shared<S, H> {
    /// Reads the records of a plan, in its order. Where records were rewritten since it was made, it is made again.
    ///
    /// Errors: `CORRUPT_DATA` for the first that cannot be read.
    pub(super) fn fetch_planned<'a>(
        &'a self,
        plan: &'a mut dyn FnMut(&Index) -> Plan,
    ) -> LocalBoxFuture<'a, Result<Planned, Error>> {
        async move {
            loop {
                let plan = plan(&self.index.borrow());
                let mut lookup = self.look_up(&plan)?;
                let Some(request) = lookup.request.take() else {
                    return Ok((plan, self.complete(lookup, Vec::new())?));
                };
                let Found { head, values, mut pages } = self.ask(request).await?;
                if head.layout == lookup.layout {
                    let stored = pages.pop().map_or(values, |page| pick(page, &lookup));
                    return Ok((plan, self.complete(lookup, stored)?));
                }
                self.refresh().await?;
            }
        }
        .boxed_local()
    }

    /// Reads from the storage.
    pub(super) fn ask(&self, request: Request) -> LocalBoxFuture<'_, Result<Found, Error>> {
        async move { Ok(self.storage.read(request).await?) }.boxed_local()
    }

    /// Takes the records of a plan from the cache, and says how to read those that are not there.
    #[inline(never)]
    fn look_up(&self, plan: &Plan) -> Result<Lookup, Error> {
        let index = self.index.borrow();
        if let Some(segment) = plan.damaged.and_then(|number| index.segments().get(number)) {
            return Err(damage_of(segment));
        }
        self.check_open()?;
        let mut cache = self.cache.borrow_mut();
        let mut missing = Vec::new();
        let mut records = Vec::with_capacity(plan.segments.len());
        for number in &plan.segments {
            let Some(segment) = index.segments().get(*number) else { continue };
            let record = cache.get(segment.first);
            if record.is_none() {
                missing.push(*number);
            }
            records.push((segment.first, record));
        }
        Ok(Lookup { layout: index.head().layout, records, request: request_of(index.segments(), &missing) })
    }

    /// All records that were looked up: those that were missing are decoded from what is stored of them.
    #[inline(never)]
    fn complete(
        &self,
        lookup: Lookup,
        stored: Vec<Option<Vec<u8>>>,
    ) -> Result<Vec<Rc<DecodedRecord>>, Error> {
        let mut stored = stored.into_iter();
        let mut records = Vec::with_capacity(lookup.records.len());
        for (first, record) in lookup.records {
            records.push(match record {
                Some(record) => record,
                None => self.decode(first, stored.next().flatten())?,
            });
        }
        Ok(records)
    }

    fn decode(&self, first: Position, stored: Option<Vec<u8>>) -> Result<Rc<DecodedRecord>, Error> {
        let decoded = match stored {
            Some(bytes) => DecodedRecord::decode(&bytes, first).map_err(|corrupt| corrupt.to_string()),
            None => Err("the record is missing".to_owned()),
        };
        let record = Rc::new(decoded.map_err(|problem| self.damaged(first, problem))?);
        self.cache.borrow_mut().insert(&record);
        Ok(record)
    }

    /// Remembers that a record is damaged, and makes the error of it.
    fn damaged(&self, first: Position, problem: String) -> Error {
        let error = damage_error(first, &problem);
        self.index.borrow_mut().mark_damaged(first, problem);
        error
    }
}

/// Records to read, of which some are at hand.
struct Lookup {
    /// The layout in which they stand where the index says.
    layout: u64,
    /// The first position of each; the record where it is at hand.
    records: Vec<(Position, Option<Rc<DecodedRecord>>)>,
    /// How those that are not at hand are read, if any.
    request: Option<Request>,
}

/// How these records are read, if any: by their range where they stand close together, else by key.
fn request_of(segments: &Segments, missing: &[SegmentNumber]) -> Option<Request> {
    let (lowest, highest) = (missing.iter().min()?, missing.iter().max()?);
    let between = segments.all().get(lowest.0 as usize..=highest.0 as usize).unwrap_or_default();
    let wanted = missing.iter().filter_map(|number| segments.get(*number));
    let wanted_bytes: u64 = wanted.clone().map(|segment| segment.size_bytes).sum();
    let range_bytes: u64 = between.iter().map(|segment| segment.size_bytes).sum();
    let is_dense = between.len() <= RANGE_RECORDS_FACTOR * missing.len()
        && range_bytes <= wanted_bytes + RANGE_BYTES_MAX;
    Some(match between {
        [first, .., last] if is_dense && 1 < missing.len() => {
            let (from, to) = (Key::Position(first.first), Key::Position(last.first));
            page_of_log(KeyRange { from: Some(from), to: Some(to) }, between.len())
        }
        _ => {
            let keys = wanted.map(|segment| (Area::Log, Key::Position(segment.first))).collect();
            Request { keys, pages: Vec::new() }
        }
    })
}

/// A page of the log, from its beginning on.
pub(super) fn page_of_log(range: KeyRange, count_max: usize) -> Request {
    PageRequest { area: Area::Log, range, direction: Direction::Forwards, count_max }.into()
}

/// What is stored of the records that are not at hand, from a page that was read forwards.
#[inline(never)]
fn pick(mut page: Vec<Record>, lookup: &Lookup) -> Vec<Option<Vec<u8>>> {
    let missing = lookup.records.iter().filter(|(_, record)| record.is_none());
    let values = missing.map(|(first, _)| {
        let key = Key::Position(*first);
        let place = page.binary_search_by(|record| record.key.cmp(&key)).ok()?;
        page.get_mut(place).map(|record| std::mem::take(&mut record.value))
    });
    values.collect()
}

/// The error of a record that the index knows to be damaged.
pub(super) fn damage_of(segment: &Segment) -> Error {
    let problem = segment.damage.as_ref().map_or("", |damage| &damage.problem);
    damage_error(segment.first, problem)
}

/// The error of a record that cannot be read.
pub(super) fn damage_error(first: Position, problem: &str) -> Error {
    Error::corrupt_data(Some(first), format!("{}/{first}", Area::Log.name()), problem)
}
