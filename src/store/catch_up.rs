//! Bringing the index up to the head of the storage.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::codec::DecodedRecord;
use crate::error::Error;
use crate::event::{Position, UnixMillis};
use crate::host::Host;
use crate::index::Index;
use crate::layout::keys::ROOT;
use crate::storage::{Area, Found, Head, Key, KeyRange, LogRecord, Record, Request, Storage};

use super::fetch::{REBUILDS_MAX, page_of_log, vain};
use super::parts::Item;
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
    pub(super) fn refresh(&self) -> LocalBoxFuture<'_, Result<(), Error>> {
        self.catch_up(None, Box::new(|_| ()))
    }

    /// As [`Shared::refresh`], and reads something else in the transaction in which that begins.
    pub(super) fn refresh_with(&self, more: Request) -> LocalBoxFuture<'_, Result<Found, Error>> {
        async move {
            let seen = self.index.borrow().head();
            let mut request = request_after(seen.position, FIRST_PAGE_RECORDS, Wanted::after(seen));
            let key_count = request.keys.len();
            request.keys.extend(more.keys);
            request.pages.extend(more.pages);
            let mut found = self.ask(request).await?;
            let values = found.values.split_off(key_count.min(found.values.len()));
            let pages = found.pages.split_off(1.min(found.pages.len()));
            let more = Found { head: found.head, values, pages };
            // Where another operation has brought the index further, this is not what a catch-up would ask for.
            let is_next = self.index.borrow().head() == seen;
            self.catch_up(is_next.then_some(found), Box::new(|_| ())).await?;
            Ok(more)
        }
        .boxed_local()
    }

    /// Takes in what was committed, page by page, and tells how far it is. What is found first may have been read
    /// before, where nothing of the log is known: by [`first_request`].
    pub(super) fn catch_up<'a>(
        &'a self,
        first: Option<Found>,
        progress: Box<dyn FnMut(Progress) + 'a>,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        self.take_in_pages(first, progress).boxed_local()
    }

    async fn take_in_pages(
        &self,
        mut first: Option<Found>,
        mut progress: Box<dyn FnMut(Progress) + '_>,
    ) -> Result<(), Error> {
        let mut slice = Slice::begin(&self.host);
        let mut count_max = FIRST_PAGE_RECORDS;
        let mut wanted = Wanted::after(self.index.borrow().head());
        let mut rebuild_count = 0;
        loop {
            self.check_open()?;
            let seen = self.index.borrow().head();
            let Found { head, mut pages, values } = match first.take() {
                Some(first) => first,
                None => self.ask(request_after(seen.position, count_max, wanted)).await?,
            };
            if self.index.borrow().head().layout != seen.layout {
                // The index went over to another layout meanwhile: what was read may be older.
                continue;
            }
            let page = pages.pop().unwrap_or_default();
            let next_count_max = next_page_records(&page);
            let is_other = head.position < seen.position || head.layout != seen.layout;
            if is_other && wanted == Wanted::Log {
                wanted = Wanted::LogAndRoot;
                continue;
            }
            let stored = values.into_iter().flatten().next();
            if is_other && !self.go_over(seen, head, stored.as_deref()) {
                if rebuild_count == REBUILDS_MAX {
                    return Err(vain());
                }
                rebuild_count += usize::from(self.rebuild(&mut *progress).await?);
                continue;
            }
            wanted = Wanted::Log;
            if self.take_in(seen, head, page, count_max) == Taken::All {
                return Ok(());
            }
            count_max = next_count_max;
            let done_bytes = self.index.borrow().head().appended_bytes;
            progress(Progress { done_bytes, total_bytes: head.appended_bytes });
            slice.yield_when_over(&self.host).await;
        }
    }

    /// Takes in a page of what comes after `seen`.
    fn take_in(&self, seen: Head, head: Head, page: Vec<Record>, count_max: usize) -> Taken {
        let mut index = self.index.borrow_mut();
        if head.layout != index.head().layout || index.head().position < seen.position {
            // The index is another one than the page was asked for: it begins elsewhere.
            return Taken::Part;
        }
        let is_last = page.len() < count_max;
        for record in page {
            let Key::Position(first) = record.key else { continue };
            self.add(&mut index, first, record.value);
        }
        if !is_last {
            return Taken::Part;
        }
        // Another operation may have brought the index further while this page was under way.
        if index.head().position <= head.position {
            index.finish(head);
        }
        self.news.reached(index.head().position);
        Taken::All
    }

    fn add(&self, index: &mut Index, first: Position, bytes: Vec<u8>) {
        let size_bytes = bytes.len() as u64;
        match DecodedRecord::decode(&bytes, first) {
            Ok(record) => {
                let record = Rc::new(record);
                index.add_record(&record, size_bytes);
                self.cache.borrow_mut().insert(first.into(), Item::Entries(record));
            }
            Err(corrupt) => index.add_damaged(first, size_bytes, corrupt.to_string()),
        }
    }

    /// Takes in records that a transaction of our own read or wrote.
    pub(super) fn add_committed(&self, records: &[CommittedRecord], head: Head) {
        let mut index = self.index.borrow_mut();
        for CommittedRecord { record, size_bytes } in records {
            index.add_record(record, *size_bytes);
            self.cache.borrow_mut().insert(record.first().into(), Item::Entries(Rc::clone(record)));
        }
        if index.head().position <= head.position && index.head().layout == head.layout {
            index.finish(head);
        }
        self.news.reached(index.head().position);
    }
}

/// What a catch-up asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Log,
    LogAndRoot,
}

impl Wanted {
    /// A log of which nothing is known yet may have been compacted.
    fn after(seen: Head) -> Self {
        if seen == Head::default() { Self::LogAndRoot } else { Self::Log }
    }
}

/// What a catch-up asks for that knows nothing of the log.
pub(super) fn first_request() -> Request {
    request_after(Position::START, FIRST_PAGE_RECORDS, Wanted::LogAndRoot)
}

/// A page of the log after a position.
fn request_after(position: Position, count_max: usize, wanted: Wanted) -> Request {
    let range = KeyRange { from: Some(Key::Position(position.next())), to: None };
    let mut request = page_of_log(range, count_max);
    if wanted == Wanted::LogAndRoot {
        request.keys.push((Area::Index, Key::text(ROOT)));
    }
    request
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

pub(super) fn next_page_records(page: &[Record]) -> usize {
    let size_bytes: usize = page.iter().map(|record| record.value.len()).sum();
    let average_bytes = size_bytes / page.len().max(1);
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

    /// Whether it has lasted long enough. A clock that was set back ends it early, which does no harm.
    pub fn is_over(&self, host: &impl Host) -> bool {
        !(0..SLICE_MS).contains(&(host.now().0 - self.began.0))
    }

    pub async fn yield_when_over(&mut self, host: &impl Host) {
        if self.is_over(host) {
            host.yield_now().await;
            self.began = host.now();
        }
    }
}
