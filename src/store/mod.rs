//! The store: the async shell around the pure rules, and the only place that awaits.

mod request;

use std::future::Future;

use crate::error::{Detail, Error};
use crate::event::Position;
use crate::host::Host;
use crate::id::EventId;
use crate::storage::{Durability, Storage};

pub use request::{
    AllRead, AppendRequest, Appended, Count, CountBy, CountPage, EventPage, Mark, MarkRequest, Marked,
    OpenOptions, Stats, StreamAppended, StreamInfo, StreamLife, StreamList, StreamRead, Ticket, WriteRequest,
};

/// An open event store. Cheap to clone: all clones are one store.
pub struct Store<S: Storage, H: Host> {
    _storage: S,
    _host: H,
}

impl<S: Storage, H: Host> Store<S, H> {
    /// Opens the store that `storage` keeps, and makes it where there is none.
    pub async fn open(_storage: S, _host: H, _options: OpenOptions) -> Result<Self, Error> {
        Err(unfinished())
    }

    /// The last position that this handle has seen.
    pub fn position(&self) -> Position {
        Position::START
    }

    /// How durable an append of this store is where its request does not say.
    pub fn durability(&self) -> Durability {
        Durability::Memory
    }

    /// Queues an append, at once and in the order of the calls. The future resolves when its transaction is complete.
    pub fn append(
        &self,
        _request: AppendRequest,
    ) -> (Ticket, impl Future<Output = Result<Appended, Error>> + 'static) {
        (Ticket(0), std::future::ready(Err(unfinished())))
    }

    /// Deletes, tombstones or truncates a stream.
    pub async fn mark(&self, _request: MarkRequest) -> Result<Marked, Error> {
        Err(unfinished())
    }

    /// Withdraws a queued append: it fails with `ABORTED`. Without effect once its transaction has begun.
    pub fn abort(&self, _ticket: Ticket) {}

    /// Reads one page of a stream.
    pub async fn read_stream(&self, _read: &StreamRead) -> Result<EventPage, Error> {
        Err(unfinished())
    }

    /// Reads one page of the whole log.
    pub async fn read_all(&self, _read: &AllRead) -> Result<EventPage, Error> {
        Err(unfinished())
    }

    /// Finds an event by its id: a page of one event, or of none.
    pub async fn event(&self, _id: EventId, _stream: Option<&str>) -> Result<EventPage, Error> {
        Err(unfinished())
    }

    /// Describes a stream. `None` where it never existed.
    pub async fn stream_info(&self, _stream: &str) -> Result<Option<StreamInfo>, Error> {
        Err(unfinished())
    }

    /// Describes streams in the order of their names (UTF-8).
    pub async fn streams(&self, _list: &StreamList) -> Result<Vec<StreamInfo>, Error> {
        Err(unfinished())
    }

    /// Counts matching events in one stretch of the log.
    pub async fn count(&self, _count: &Count) -> Result<CountPage, Error> {
        Err(unfinished())
    }

    /// Measures the store.
    pub async fn stats(&self) -> Result<Stats, Error> {
        Err(unfinished())
    }

    /// Waits for the appends under way, and lets go of the storage. Idempotent.
    pub async fn close(&self) {}
}

fn unfinished() -> Error {
    Error::new(Detail::Internal { problem: "unfinished".into() })
}
