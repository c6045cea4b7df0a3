//! What the store is asked, and what it answers: plain values.

use std::rc::Rc;

use crate::codec::{DecodedRecord, Entry};
use crate::event::{NewEvent, Position, Revision, StreamName, UnixMillis};
use crate::layout::plan::Bounds;
use crate::log::{Expected, StreamAppended};
use crate::query::{AppendCondition, Query};
use crate::snapshot::{ReducerFingerprint, Snapshot};
use crate::storage::{Direction, Durability, Usage};

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// How durable appends are where their request does not say. A storage that is only memory gives
    /// [`Durability::Memory`] whatever is asked.
    pub durability: Durability,
    /// When the log is compacted without being asked to: [`Bounds::ON_DEMAND`] for never.
    pub bounds: Bounds,
}

/// How far a long operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is done, in bytes of the log.
    pub done_bytes: u64,
    /// What there is to do, in bytes of the log.
    pub total_bytes: u64,
}

/// A commit that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRequest {
    /// What to write, in this order, and what to check.
    pub writes: Vec<WriteRequest>,
    /// What must not be in the log.
    pub condition: Option<AppendCondition>,
    /// How durable it must be; `None` for as the store was opened.
    pub durability: Option<Durability>,
}

/// The part of a commit that concerns one stream. A stream may stand in it twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRequest {
    /// The stream.
    pub stream: StreamName,
    /// What the writer believes of it.
    pub expected: Expected,
    /// What to append; none to check the expectation only.
    pub events: Vec<NewEvent>,
}

/// Names a queued append, so that it can be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// One for each write of the request, in its order.
    pub writes: Vec<StreamAppended>,
    /// The last position of the commit; of the whole log where nothing was appended.
    pub last_position: Position,
    /// How durable it is.
    pub durability: Durability,
    /// Whether all events stood there already, so that nothing was written.
    pub duplicate: bool,
}

/// What to do to a stream as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Hide its events; it may be written again.
    Delete,
    /// Hide its events, and refuse its name for good.
    Tombstone,
    /// Hide its events before this revision. A revision past the end hides all that is there now.
    Truncate {
        /// The first revision that is still seen.
        before: Revision,
    },
}

/// A [`Mark`] and what it is placed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRequest {
    /// The stream.
    pub stream: StreamName,
    /// What the caller believes of it.
    pub expected: Expected,
    /// What to do.
    pub mark: Mark,
    /// How durable it must be; `None` for as the store was opened.
    pub durability: Option<Durability>,
}

/// What a [`MarkRequest`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// The position of the fact; `None` where the stream was so already, and nothing was written.
    pub position: Option<Position>,
    /// How durable it is.
    pub durability: Durability,
}

/// One page of a stream is asked for. To go on, ask again with [`EventPage::next`] in place of `from`
/// (forwards) or `before` (backwards), and with the same [`EventPage::as_of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRead {
    /// The stream.
    pub stream: StreamName,
    /// The first revision of interest.
    pub from: Revision,
    /// The first revision of no interest; `None` for the end.
    pub before: Option<Revision>,
    /// From which end to read.
    pub direction: Direction,
    /// Most events wanted; `None` for all.
    pub limit: Option<u64>,
    /// The state of the log to read; `None` for now.
    pub as_of: Option<Position>,
}

/// One page of the whole log is asked for. To go on, ask again with [`EventPage::next`] in place of `after`
/// (forwards) or `before` (backwards), and with the same [`EventPage::as_of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllRead {
    /// The last position of no interest.
    pub after: Position,
    /// The first position of no interest; `None` for the end.
    pub before: Option<Position>,
    /// The first time of interest.
    pub since: Option<UnixMillis>,
    /// The first time of no interest.
    pub until: Option<UnixMillis>,
    /// From which end to read.
    pub direction: Direction,
    /// Which events are wanted.
    pub query: Query,
    /// Most events wanted; `None` for all.
    pub limit: Option<u64>,
    /// The state of the log to read; `None` for now.
    pub as_of: Option<Position>,
}

impl AllRead {
    /// The first page of all events, from the beginning, as the log is now.
    pub fn everything() -> Self {
        Self {
            after: Position::START,
            before: None,
            since: None,
            until: None,
            direction: Direction::Forwards,
            query: Query::everything(),
            limit: None,
            as_of: None,
        }
    }
}

/// A page of events, as they stand in their records.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// Each event: its record, and its place there.
    pub events: Vec<(Rc<DecodedRecord>, usize)>,
    /// Where the next page begins; `None` when this was the last. A page may have no events and a next one.
    pub next: Option<u64>,
    /// The state of the log that was read.
    pub as_of: Position,
}

impl EventPage {
    /// The events of the page, in the order asked for.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.events.iter().filter_map(|(record, index)| record.entry(*index))
    }
}

/// The snapshot of a stream is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRead {
    /// The name of what folds the stream.
    pub aggregate: String,
    /// The stream.
    pub stream: StreamName,
    /// What folds it today.
    pub reducer: ReducerFingerprint,
    /// Of how many events a snapshot is kept: where fewer are seen, none is looked for.
    pub event_count_min: u64,
    /// The first revision of no interest; `None` for the end.
    pub before: Option<Revision>,
    /// The state of the log that is asked for; `None` for now.
    pub as_of: Option<Position>,
}

/// What was found of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFound {
    /// The state of the log for which it holds.
    pub as_of: Position,
    /// The snapshot, if there is one.
    pub snapshot: Option<Snapshot>,
}

/// A snapshot is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotKeep {
    /// The name of what has folded the stream.
    pub aggregate: String,
    /// The stream.
    pub stream: StreamName,
    /// What has folded it.
    pub reducer: ReducerFingerprint,
    /// The revision of the last event that was folded.
    pub revision: Revision,
    /// The position of that event.
    pub position: Position,
    /// The state of the log that was read. The last event may be later: what was appended on condition that it
    /// comes next need not be read again.
    pub as_of: Position,
    /// The state, as a JSON text.
    pub state: String,
}

/// What is known of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub stream: StreamName,
    /// The revision of the last event that it ever had.
    pub revision: Option<Revision>,
    /// How many events are seen.
    pub count: u64,
    /// The position of the first event that is seen.
    pub first_position: Option<Position>,
    /// The position of the last event that is seen.
    pub last_position: Option<Position>,
    /// The time of the first event that is seen.
    pub created_at: Option<UnixMillis>,
    /// The time of the last event that is seen.
    pub updated_at: Option<UnixMillis>,
    /// Whether it was deleted.
    pub life: StreamLife,
    /// The first revision that is seen; 0 where nothing is hidden.
    pub truncated_before: Revision,
}

/// Whether a stream was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamLife {
    /// It was not, or was written again.
    Live,
    /// It was, and may be written again.
    Deleted,
    /// It was tombstoned.
    Tombstoned,
}

/// Streams are asked for, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamList {
    /// What their names begin with; empty for all.
    pub prefix: String,
    /// The last name of no interest.
    pub after: Option<String>,
    /// Most streams wanted in this answer.
    pub limit: usize,
}

/// A count is asked for, in stretches of bounded work: to go on, ask again with [`CountPage::next`] as `after`
/// and the same [`CountPage::as_of`], and add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Which events count.
    pub query: Query,
    /// The first time of interest.
    pub since: Option<UnixMillis>,
    /// The first time of no interest.
    pub until: Option<UnixMillis>,
    /// How to tell them apart.
    pub by: CountBy,
    /// The last position of no interest.
    pub after: Position,
    /// The state of the log to read; `None` for now.
    pub as_of: Option<Position>,
}

/// How counted events are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountBy {
    /// Not at all: one count under the empty key.
    Nothing,
    /// By their type.
    Type,
    /// By the category of their stream.
    Category,
    /// By their stream.
    Stream,
    /// By the day of their time, in UTC: `2026-01-31`.
    Day,
}

/// The counts of one stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountPage {
    /// How many events there are of each key, in the order of the keys.
    pub counts: Vec<(String, u64)>,
    /// Where the next stretch begins; `None` when this was the last.
    pub next: Option<Position>,
    /// The state of the log that was counted.
    pub as_of: Position,
}

/// What a compaction came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Keys and values of all areas before it, in bytes.
    pub bytes_before: u64,
    /// Keys and values of all areas after it, in bytes.
    pub bytes_after: u64,
    /// Events that were hidden, and are no longer there.
    pub erased_count: u64,
    /// Units that the log has now.
    pub unit_count: u64,
}

/// The measures of a store.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Events that are seen.
    pub event_count: u64,
    /// Streams that ever had an event, or were tombstoned.
    pub stream_count: u64,
    /// Records of the log, and units of what was compacted.
    pub segment_count: u64,
    /// What the storage keeps.
    pub usage: Usage,
}
