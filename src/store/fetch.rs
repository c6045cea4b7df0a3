//! Reading the records that the index names.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::codec::DecodedRecord;
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::index::plan::Plan;
use crate::index::{Index, Segment, SegmentNumber};
use crate::storage::{Area, Direction, Key, KeyRange, Page, Storage};

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
                if let Some(number) = plan.damaged {
                    return Err(self.damage_at(number));
                }
                if let Some(records) = self.fetch(&plan.segments).await? {
                    return Ok((plan, records));
                }
                self.refresh().await?;
            }
        }
        .boxed_local()
    }

    /// Reads a page of the log, from its beginning on.
    pub(super) fn page_of_log(
        &self,
        range: KeyRange,
        count_max: usize,
    ) -> LocalBoxFuture<'_, Result<Page, Error>> {
        let page = self.storage.page(Area::Log, range, Direction::Forwards, count_max);
        page.map(|page| page.map_err(Error::from)).boxed_local()
    }

    /// Reads these records, in their order. `None` where records were rewritten since they were looked up.
    async fn fetch(&self, segments: &[SegmentNumber]) -> Result<Option<Vec<Rc<DecodedRecord>>>, Error> {
        self.check_open()?;
        let layout = self.index.borrow().head().layout;
        let firsts: Vec<(SegmentNumber, Position)> = {
            let index = self.index.borrow();
            let first_of =
                |number: &SegmentNumber| index.segments().get(*number).map(|it| (*number, it.first));
            segments.iter().filter_map(first_of).collect()
        };
        let mut records: Vec<Option<Rc<DecodedRecord>>> = {
            let mut cache = self.cache.borrow_mut();
            firsts.iter().map(|(_, first)| cache.get(*first)).collect()
        };
        let missing: Vec<(SegmentNumber, Position)> =
            firsts.iter().zip(&records).filter(|(_, record)| record.is_none()).map(|(it, _)| *it).collect();
        if !missing.is_empty() {
            let Some(stored) = self.read_stored(&missing, layout).await? else { return Ok(None) };
            let mut decoded = self.decode(&missing, stored)?.into_iter();
            for record in records.iter_mut().filter(|record| record.is_none()) {
                *record = decoded.next();
            }
        }
        Ok(Some(records.into_iter().flatten().collect()))
    }

    /// The bytes of each of these records, in one transaction: by their range where they stand close together, else by key.
    async fn read_stored(
        &self,
        missing: &[(SegmentNumber, Position)],
        layout: u64,
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, Error> {
        let keys: Vec<Key> = missing.iter().map(|(_, first)| Key::Position(*first)).collect();
        let (head, stored) = match self.range_around(missing) {
            Some((range, count)) => {
                let page = self.page_of_log(range, count).await?;
                (page.head, pick(page, &keys))
            }
            None => {
                let fetched = self.storage.get(Area::Log, &keys).await?;
                (fetched.head, fetched.values)
            }
        };
        Ok((head.layout == layout).then_some(stored))
    }

    /// The range of keys that holds these records, and how many records that is; `None` where they stand too
    /// far apart.
    fn range_around(&self, missing: &[(SegmentNumber, Position)]) -> Option<(KeyRange, usize)> {
        let lowest = missing.iter().min()?;
        let highest = missing.iter().max()?;
        let index = self.index.borrow();
        let between = index.segments().all().get(lowest.0.0 as usize..=highest.0.0 as usize)?;
        let wanted_bytes: u64 = missing
            .iter()
            .filter_map(|(number, _)| index.segments().get(*number))
            .map(|it| it.size_bytes)
            .sum();
        let range_bytes: u64 = between.iter().map(|segment: &Segment| segment.size_bytes).sum();
        let is_dense = between.len() <= RANGE_RECORDS_FACTOR * missing.len()
            && range_bytes <= wanted_bytes + RANGE_BYTES_MAX;
        let range = KeyRange { from: Some(Key::Position(lowest.1)), to: Some(Key::Position(highest.1)) };
        (1 < missing.len() && is_dense).then_some((range, between.len()))
    }

    fn decode(
        &self,
        missing: &[(SegmentNumber, Position)],
        stored: Vec<Option<Vec<u8>>>,
    ) -> Result<Vec<Rc<DecodedRecord>>, Error> {
        let mut cache = self.cache.borrow_mut();
        let mut records = Vec::with_capacity(missing.len());
        for ((_, first), bytes) in missing.iter().zip(stored) {
            let decoded = match bytes {
                Some(bytes) => DecodedRecord::decode(&bytes, *first).map_err(|corrupt| corrupt.to_string()),
                None => Err("the record is missing".to_owned()),
            };
            let record = Rc::new(decoded.map_err(|problem| self.damaged(*first, problem))?);
            cache.insert(&record);
            records.push(record);
        }
        Ok(records)
    }

    /// Remembers that a record is damaged, and makes the error of it.
    fn damaged(&self, first: Position, problem: String) -> Error {
        let error = damage_error(first, &problem);
        self.index.borrow_mut().mark_damaged(first, problem);
        error
    }

    /// The error of a record that the index knows to be damaged.
    pub(super) fn damage_at(&self, number: SegmentNumber) -> Error {
        let index = self.index.borrow();
        let segment = index.segments().get(number);
        let problem =
            segment.and_then(|segment| segment.damage.as_ref()).map_or("", |damage| &damage.problem);
        damage_error(segment.map_or(Position::START, |segment| segment.first), problem)
    }
}

/// The values of these keys, from a page that was read forwards.
fn pick(mut page: Page, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
    let mut value_of = |key: &Key| {
        let place = page.records.binary_search_by(|record| record.key.cmp(key)).ok()?;
        page.records.get_mut(place).map(|record| std::mem::take(&mut record.value))
    };
    keys.iter().map(&mut value_of).collect()
}

/// The error of a record that cannot be read.
pub(super) fn damage_error(first: Position, problem: &str) -> Error {
    Error::corrupt_data(Some(first), format!("{}/{first}", Area::Log.name()), problem)
}
