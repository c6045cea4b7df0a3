//! Bringing the index up to the head of the storage, and reading the records that it names.

use std::rc::Rc;

use crate::codec::DecodedRecord;
use crate::error::Error;
use crate::event::{Position, UnixMillis};
use crate::host::Host;
use crate::index::{Index, SegmentNumber};
use crate::storage::{Area, Direction, Head, Key, KeyRange, LogRecord, Page, Storage};

use super::fault::read_failed;
use super::{Progress, Shared};

/// How long the page may be kept busy in one go.
const SLICE_MS: i64 = 8;
/// How many records the first page of a catch-up asks for; later ones ask by the size of what came.
const FIRST_PAGE_RECORDS: usize = 64;
/// What a page of a catch-up should come to, in bytes.
const PAGE_BYTES_TARGET: usize = 1024 * 1024;
/// Most records of one page of a catch-up.
const PAGE_RECORDS_MAX: usize = 4_096;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Takes in what was committed since the index was brought up last.
    pub(super) async fn refresh(&self) -> Result<(), Error> {
        self.catch_up(|_| ()).await
    }

    /// Takes in what was committed, page by page, and tells how far it is.
    pub(super) async fn catch_up(&self, mut progress: impl FnMut(Progress)) -> Result<(), Error> {
        let mut slice = Slice::begin(&self.host);
        let mut count_max = FIRST_PAGE_RECORDS;
        loop {
            self.check_open()?;
            let seen = self.index.borrow().head();
            let range = KeyRange { from: Some(Key::Position(seen.position.next())), to: None };
            let page = self
                .storage
                .page(Area::Log, range, Direction::Forwards, count_max)
                .await
                .map_err(read_failed)?;
            let total_bytes = page.head.appended_bytes;
            let next_count_max = next_page_records(&page);
            if self.take_in(seen, page, count_max) == Taken::All {
                return Ok(());
            }
            count_max = next_count_max;
            progress(Progress { done_bytes: self.index.borrow().head().appended_bytes, total_bytes });
            slice.yield_when_over(&self.host).await;
        }
    }

    fn take_in(&self, seen: Head, page: Page, count_max: usize) -> Taken {
        let mut index = self.index.borrow_mut();
        if page.head.position < seen.position || page.head.layout != index.head().layout {
            // Records were rewritten, or the log is another one: what was derived holds no longer.
            *index = Index::at_layout(page.head.layout);
            self.cache.borrow_mut().clear();
            return Taken::Part;
        }
        let is_last = page.records.len() < count_max;
        for record in page.records {
            let Key::Position(first) = record.key else { continue };
            self.add(&mut index, first, record.value);
        }
        if !is_last {
            return Taken::Part;
        }
        // Another operation may have brought the index further while this page was under way.
        if index.head().position <= page.head.position {
            index.finish(page.head);
        }
        Taken::All
    }

    fn add(&self, index: &mut Index, first: Position, bytes: Vec<u8>) {
        let size_bytes = bytes.len() as u64;
        match DecodedRecord::decode(&bytes, first) {
            Ok(record) => {
                let record = Rc::new(record);
                index.add_record(&record, size_bytes);
                self.cache.borrow_mut().insert(&record);
            }
            Err(corrupt) => index.add_damaged(first, size_bytes, corrupt.to_string()),
        }
    }

    /// Takes in records that a transaction of our own read or wrote.
    pub(super) fn add_committed(&self, records: &[CommittedRecord], head: Head) {
        let mut index = self.index.borrow_mut();
        for CommittedRecord { record, size_bytes } in records {
            index.add_record(record, *size_bytes);
            self.cache.borrow_mut().insert(record);
        }
        if index.head().position <= head.position && index.head().layout == head.layout {
            index.finish(head);
        }
    }

    /// Reads these records, in their order. `None` where records were rewritten since they were looked up:
    /// refresh, and look up again.
    ///
    /// Errors: `CORRUPT_DATA` for the first that cannot be read.
    pub(super) async fn fetch(
        &self,
        segments: &[SegmentNumber],
    ) -> Result<Option<Vec<Rc<DecodedRecord>>>, Error> {
        self.check_open()?;
        let layout = self.index.borrow().head().layout;
        let firsts: Vec<Position> = {
            let index = self.index.borrow();
            segments.iter().filter_map(|number| index.segments().get(*number)).map(|it| it.first).collect()
        };
        let mut records: Vec<Option<Rc<DecodedRecord>>> = {
            let mut cache = self.cache.borrow_mut();
            firsts.iter().map(|first| cache.get(*first)).collect()
        };
        let missing: Vec<Position> = firsts
            .iter()
            .zip(&records)
            .filter(|(_, record)| record.is_none())
            .map(|(first, _)| *first)
            .collect();
        if !missing.is_empty() {
            let Some(read) = self.read_records(&missing, layout).await? else { return Ok(None) };
            let mut read = read.into_iter();
            for record in records.iter_mut().filter(|record| record.is_none()) {
                *record = read.next();
            }
        }
        Ok(Some(records.into_iter().flatten().collect()))
    }

    async fn read_records(
        &self,
        firsts: &[Position],
        layout: u64,
    ) -> Result<Option<Vec<Rc<DecodedRecord>>>, Error> {
        let keys: Vec<Key> = firsts.iter().copied().map(Key::Position).collect();
        let fetched = self.storage.get(Area::Log, &keys).await.map_err(read_failed)?;
        if fetched.head.layout != layout {
            return Ok(None);
        }
        let mut records = Vec::with_capacity(firsts.len());
        for (first, bytes) in firsts.iter().zip(fetched.values) {
            let decoded = match bytes {
                Some(bytes) => DecodedRecord::decode(&bytes, *first).map_err(|corrupt| corrupt.to_string()),
                None => Err("the record is missing".to_owned()),
            };
            let record = Rc::new(decoded.map_err(|problem| self.damaged(*first, problem))?);
            self.cache.borrow_mut().insert(&record);
            records.push(record);
        }
        Ok(Some(records))
    }

    /// Remembers that a record is damaged, and makes the error of it.
    fn damaged(&self, first: Position, problem: String) -> Error {
        self.index.borrow_mut().mark_damaged(first, problem.clone());
        damage_error(first, &problem)
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

/// The error of a record that cannot be read.
pub(super) fn damage_error(first: Position, problem: &str) -> Error {
    Error::corrupt_data(Some(first), format!("{}/{first}", Area::Log.name()), problem)
}

/// A record that stands in the storage, decoded.
pub(super) struct CommittedRecord {
    pub record: Rc<DecodedRecord>,
    pub size_bytes: u64,
}

impl CommittedRecord {
    /// Decodes a record. `None` where it is damaged.
    pub fn decode(stored: &LogRecord) -> Option<Self> {
        let record = DecodedRecord::decode(&stored.bytes, stored.first).ok()?;
        Some(Self { record: Rc::new(record), size_bytes: stored.bytes.len() as u64 })
    }
}

#[derive(PartialEq, Eq)]
enum Taken {
    All,
    Part,
}

fn next_page_records(page: &Page) -> usize {
    let size_bytes: usize = page.records.iter().map(|record| record.value.len()).sum();
    let average_bytes = size_bytes / page.records.len().max(1);
    (PAGE_BYTES_TARGET / average_bytes.max(1)).clamp(1, PAGE_RECORDS_MAX)
}

/// A stretch of work that gives way to everything else in time.
pub(super) struct Slice {
    began: UnixMillis,
}

impl Slice {
    pub fn begin(host: &impl Host) -> Self {
        Self { began: host.now() }
    }

    pub async fn yield_when_over(&mut self, host: &impl Host) {
        // A clock that was set back makes the slice end early, which does no harm.
        if !(0..SLICE_MS).contains(&(host.now().0 - self.began.0)) {
            host.yield_now().await;
            self.began = host.now();
        }
    }
}
