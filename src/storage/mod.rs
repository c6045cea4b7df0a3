//! The storage port: where the bytes of a store are kept.
//!
//! Six operations, all of them fallible but `close` and `strongest_durability`. An implementation knows nothing of events:
//! it keeps records under keys in nine areas, and decides nothing but what a transaction decides. [`memory`] is the
//! reference; the suite in `testing::storage_contract` is what each implementation must pass, also one of another crate: it comes with the
//! feature `testing`, and `examples/custom-storage` is such a crate.

mod area;
mod fault;
pub mod format;
pub mod head;
mod key;
pub mod memory;
pub(crate) mod records;

use std::fmt;
use std::rc::Rc;

use crate::event::Position;
use crate::limits;

pub use area::Area;
pub use fault::{FaultKind, StorageFault};
pub use format::Format;
pub use head::Head;
pub use key::{Key, KeyRange};

/// A place to keep records, shared by every tab that opened the same database.
///
/// # Contract
///
/// - Every method is one transaction: it sees one state of the storage, and a write happens whole or not at all. One of
///   which nothing is left may come before it. What is closed meanwhile may refuse what was still to be done anew.
/// - Writes are isolated across all handles to the same database: `commit` reads, judges and writes with
///   nothing in between.
/// - A write is reported when it is *complete*, as durable as was asked for, and never earlier.
/// - Keys order by number in [`Area::Log`], and by bytes everywhere else.
/// - A fault that is reported as [`NotWritten`](crate::error::WriteOutcome::NotWritten) left nothing behind. One that is
///   [`Unknown`](crate::error::WriteOutcome::Unknown) may have been written whole.
/// - A record that is there and cannot be read, because its bytes are lost or are no bytes at all, is given without any,
///   by whatever reads it. It takes no other record with it, and can be expected, deleted and replaced like any other.
///   Nothing that everfold writes is empty, so whoever decodes it finds that it is damaged. The head alone is not given
///   so: it is a fault, of [`FaultKind::Failed`] or [`FaultKind::Damaged`].
/// - After a fault that is not [`FaultKind::Closed`], the same handle may be used again: an implementation
///   reopens what it needs.
#[allow(async_fn_in_trait, reason = "everything runs on one thread: no future needs to be Send")]
pub trait Storage: 'static {
    /// The most that a write can outlive here, once it is reported. What is asked for beyond it is given as
    /// this much, and reported as such by the store.
    fn strongest_durability(&self) -> Durability;

    /// Reads the records under keys of any areas, pages of ranges of any areas, and the head, in one
    /// transaction. An empty request is for the head alone. Where a request says what comes [`Then`], that is read in the
    /// same transaction, of the areas of the first request, and what the last one found is given.
    async fn read(&self, request: Request) -> Result<Found, StorageFault>;

    /// Appends to the log, in one transaction.
    ///
    /// Reads the head. Where it is `seen`, hands `judge` no records. Where others have committed since, it
    /// hands over their records, in order; or, where these are more than [`Seen::tail_bytes_max`]
    /// or the layout changed, gives up with [`Outcome::Behind`] without handing them to `judge`.
    ///
    /// What `judge` returned last is written: its records, which are new, and its head. `None` writes nothing.
    /// `judge` is pure and synchronous. A storage may ask it beforehand what it would write at `seen`, and have that
    /// ready; where the head turns out to be another, nothing of it is written.
    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static;

    /// Deletes and writes records in any areas where every expectation holds, in one transaction: it reads what
    /// is expected, then deletes, then puts. What it puts stays, even where it deletes around it.
    ///
    /// With [`LayoutChange::Next`] and [`LayoutChange::Hold`] it reads the head too. Where the layout is another than
    /// said, the write is refused. Else the head gets the next layout, if that was asked for, and keeps its position and
    /// its bytes, whatever was committed in the meantime.
    ///
    /// Of the log it may delete and replace records up to the head, and then it must change the layout, or
    /// readers and committers will not notice. What comes after the head only `commit` writes.
    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault>;

    /// Counts records and bytes, keys and values, of each area.
    async fn usage(&self) -> Result<Usage, StorageFault>;

    /// Lets go of the database after the operations under way. Later calls fail with [`FaultKind::Closed`].
    async fn close(&self);
}

/// In which order records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the lowest key up.
    Forwards,
    /// From the highest key down.
    Backwards,
}

/// How much a write outlives, once it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Only as long as the page: there is no disk behind this storage.
    Memory,
    /// A crash of the browser: the bytes were handed to the operating system.
    Relaxed,
    /// A loss of power: the bytes were flushed, as far as the browser and the disk tell the truth.
    Strict,
}

/// A record with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is kept.
    pub key: Key,
    /// Its bytes: none where they cannot be read.
    pub value: Vec<u8>,
}

/// A record of the log with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The position of its first entry, which is its key.
    pub first: Position,
    /// Its bytes: none where they cannot be read.
    pub bytes: Vec<u8>,
}

/// What is to be read in one transaction. The head is read with it, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Records by their keys; one may be asked for several times.
    pub keys: Vec<(Area, Key)>,
    /// Pages of ranges, which may overlap.
    pub pages: Vec<PageRequest>,
    /// What of it more is asked for by.
    pub then: Option<Then>,
}

/// Says what is to be read next in a transaction, by what was found; `None` once nothing more is. It is pure but for what
/// it notes down, and synchronous. A transaction that failed may be run anew: then it is told of all of it once more.
#[derive(Clone)]
pub struct Then(pub Rc<Next>);

/// What a [`Then`] is.
pub type Next = dyn Fn(&mut Found) -> Option<Request>;

/// No two are the same.
impl PartialEq for Then {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Then {}

impl fmt::Debug for Then {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Then").finish_non_exhaustive()
    }
}

impl Request {
    /// The areas that it reads, in the order of [`Area::ALL`]: that of the head is always one of them.
    pub(crate) fn areas(&self) -> Vec<Area> {
        let mut areas = Area::ALL.to_vec();
        areas.retain(|area| {
            *area == Area::Meta
                || self.keys.iter().any(|(asked, _)| asked == area)
                || self.pages.iter().any(|page| page.area == *area)
        });
        areas
    }

    /// What is to be read next in its transaction, by what was found; `None` once nothing more is.
    #[inline(never)]
    pub fn next(&self, found: &mut Found) -> Option<Self> {
        self.then.as_ref().and_then(|Then(then)| then(found))
    }
}

impl From<PageRequest> for Request {
    /// This page alone.
    fn from(page: PageRequest) -> Self {
        Self { pages: vec![page], ..Self::default() }
    }
}

/// The records of a range, as many as are wanted of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The area.
    pub area: Area,
    /// Where in it.
    pub range: KeyRange,
    /// From which end of the range.
    pub direction: Direction,
    /// The most records to read. A page with fewer is the last of its range.
    pub count_max: usize,
}

/// What `read` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The head in the same transaction.
    pub head: Head,
    /// For each key, in the order asked for, its record's bytes, or `None` where there is no record.
    pub values: Vec<Option<Vec<u8>>>,
    /// For each page, in the order asked for, its records, in its direction.
    pub pages: Vec<Vec<Record>>,
}

/// What a committer knows of the log, and how much more it is ready to learn inside the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The head up to which it knows the log.
    pub head: Head,
    /// How much of what others wrote since is to be read inside the transaction at most, in bytes. A committer
    /// that was behind several times in a row asks for all of it, so that nobody starves.
    pub tail_bytes_max: u64,
}

impl From<Head> for Seen {
    fn from(head: Head) -> Self {
        Self { head, tail_bytes_max: limits::BEHIND_BYTES_MAX }
    }
}

/// What `judge` wants written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// New records of the log.
    pub records: Vec<LogRecord>,
    /// The head after them.
    pub head: Head,
}

impl Batch {
    /// A judge that writes behind the head, or moves it back, is a bug that must not reach a disk.
    pub(crate) fn assert_follows(&self, head: Head) {
        let mut last = head.position;
        for record in &self.records {
            assert!(last < record.first, "a commit writes behind the head or out of order");
            last = record.first;
        }
        assert!(last <= self.head.position, "the head is before its records");
        assert!(head.appended_bytes <= self.head.appended_bytes, "the head lost bytes");
    }
}

/// What became of a `commit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The batch is written, and this is the head.
    Committed(Head),
    /// `judge` wanted nothing written.
    Rejected,
    /// Too much was committed by others since `seen`: catch up to this head, and come again.
    Behind(Head),
}

/// A write to any areas, bound to what is expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedWrite {
    /// Records that must be as said, `None` for absent, or nothing is written.
    pub expect: Vec<(Area, Key, Option<Vec<u8>>)>,
    /// Records to delete: all of each range. One whose bounds are crossed has none.
    pub deletes: Vec<(Area, KeyRange)>,
    /// Records to write, once the others are deleted.
    pub puts: Vec<(Area, Key, Vec<u8>)>,
    /// What becomes of the layout.
    pub layout: LayoutChange,
    /// How much the write must outlive.
    pub durability: Durability,
}

impl GuardedWrite {
    /// The areas that it reads or changes, in the order of [`Area::ALL`].
    pub(crate) fn areas(&self) -> Vec<Area> {
        let mut areas = Area::ALL.to_vec();
        areas.retain(|area| {
            self.expect.iter().any(|(expected, ..)| expected == area)
                || self.deletes.iter().any(|(deleted, _)| deleted == area)
                || self.puts.iter().any(|(put, ..)| put == area)
                || *area == Area::Meta && self.layout != LayoutChange::Keep
        });
        areas
    }
}

/// What becomes of the layout of the log in a `write`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutChange {
    /// It stays, whichever it is: the head is not read.
    Keep,
    /// It stays, and nothing is written where it is another than this one.
    Hold {
        /// The layout that the write was made for.
        at: u64,
    },
    /// It gets the next number, if it is this one.
    Next {
        /// The layout that the write was made for.
        from: u64,
    },
}

/// What became of a `write`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is complete.
    Yes,
    /// An expectation did not hold, or the layout was another, and nothing was written.
    Refused,
}

/// How much an implementation keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// For each area that has any: its records, and the bytes of their keys and values.
    pub areas: Vec<AreaUsage>,
    /// Bytes in use by the whole origin, where the host says.
    pub origin_usage_bytes: Option<u64>,
    /// Bytes allowed to the whole origin, where the host says.
    pub origin_quota_bytes: Option<u64>,
    /// Whether the host promised not to evict the origin's data, where it says.
    pub persisted: Option<bool>,
}

/// How much one area keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AreaUsage {
    /// The area.
    pub area: Area,
    /// How many records it has.
    pub record_count: u64,
    /// Bytes of its keys and values; a number counts eight.
    pub size_bytes: u64,
}
