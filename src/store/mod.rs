//! The store: the async shell around the pure rules, and the only place that awaits.
//!
//! Every operation is the same three steps. Bring the index up to the newest head; let a pure function plan
//! or judge; read or write the records that it names. One writer task a store takes what is queued in groups:
//! a group is one transaction.

mod announce;
mod attempt;
mod cache;
mod candidates;
mod catch_up;
mod coming;
mod compact;
mod consumer;
mod count;
mod decision;
mod describe;
mod fault;
mod fetch;
mod find;
mod fold;
mod gather;
mod layout;
mod learn;
mod listing;
mod news;
mod open;
mod parts;
mod portion;
mod projection;
mod queue;
mod read;
mod request;
mod scan;
mod snapshot;
mod stored;
mod subscribe;
mod tally;
mod validate;
mod view;
mod writer;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::ControlFlow;
use std::rc::{Rc, Weak};

use crate::answer::Answer;
use crate::error::{Detail, Error};
use crate::event::Position;
use crate::host::Host;
use crate::id::{EventId, IdGenerator};
use crate::index::Index;
use crate::layout::root::Root;
use crate::storage::{Durability, Storage, Written};

use announce::Announcing;
use cache::Cache;
use coming::Early;
use compact::Background;
use news::News;
use queue::Queue;

pub use crate::layout::plan::Bounds;
pub use crate::log::StreamAppended;
pub use consumer::{
    Consumer, ConsumerChange, ConsumerControl, ConsumerInfo, ConsumerRequest, Handout, Report,
};
pub use fold::json::{JsonFolded, JsonReducer, JsonState, fold_entries};
pub use fold::{AllFolded, FoldRequest, FoldSource, Folded, Passed};
pub use projection::{
    Advance, Begin, Carried, CarriedOn, CarryOn, Claim, DocumentFailure, Find, FoundDocuments, GivenEvent,
    Projection, Ready, Standing, Turn, Whose,
};
pub use request::{
    AllRead, AppendRequest, Appended, Compacted, Count, CountBy, CountPage, EventPage, Mark, MarkRequest,
    Marked, OpenOptions, Progress, SnapshotFound, SnapshotKeep, SnapshotRead, Stats, StreamInfo, StreamLife,
    StreamList, StreamRead, Ticket, WriteRequest,
};
pub use stored::{StoredPage, StoredPlace, StoredRead};
pub use subscribe::{Subscription, SubscriptionControl};

/// An open event store. Cheap to clone: all clones are one store.
///
/// Nothing is promised before a future resolves, and what a future resolved with is complete in the storage.
/// Dropping a future withdraws nothing: an append that was queued is appended.
pub struct Store<S: Storage, H: Host> {
    shared: Rc<Shared<S, H>>,
}

impl<S: Storage, H: Host> Clone for Store<S, H> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared) }
    }
}

/// What all clones of a store share.
struct Shared<S: Storage, H: Host> {
    /// For tasks of its own.
    own: Weak<Self>,
    storage: S,
    host: H,
    durability: Durability,
    /// Why appends are refused although the store is open.
    read_only: Option<Error>,
    index: RefCell<Index>,
    /// What was compacted, in the layout that the index knows.
    root: RefCell<Rc<Root>>,
    cache: RefCell<Cache>,
    early: RefCell<Early>,
    queue: RefCell<Queue>,
    models: Rc<RefCell<projection::KnownModels>>,
    ids: RefCell<IdGenerator>,
    /// When the log is compacted.
    bounds: Bounds,
    background: Background,
    news: News,
    announcing: Announcing,
    life: Cell<Life>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    /// No longer takes appends; those under way are finished.
    Closing,
    Closed,
}

impl<S: Storage, H: Host> Store<S, H> {
    /// Opens the store that `storage` keeps, and makes it where there is none. `progress` hears how much of the
    /// log was read, in bytes.
    ///
    /// A damaged record of the log or of a unit does not fail it: appends are refused with `CORRUPT_DATA`, and what is
    /// whole can be read. Nor does a lost root, as long as something tells of each unit what it covers.
    ///
    /// # Errors
    ///
    /// `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`; `VERSION_TOO_NEW` or `VERSION_TOO_OLD` where the database may not be read by this
    /// version, and was not touched; `CORRUPT_DATA` where the head or the format is damaged, or where the root is lost and of a
    /// unit nothing that can be read.
    pub async fn open(
        storage: S,
        host: H,
        options: OpenOptions,
        progress: impl FnMut(Progress),
    ) -> Result<Self, Error> {
        let store = Self { shared: open::open(storage, host, options, progress).await? };
        store.listen();
        compact::wake_at_open(&store.shared);
        Ok(store)
    }

    /// The last position that this handle has seen.
    pub fn position(&self) -> Position {
        self.shared.index.borrow().head().position
    }

    /// How durable an append of this store is where its request does not say.
    pub fn durability(&self) -> Durability {
        self.shared.durability
    }

    /// Queues an append, at once and in the order of the calls. The future resolves when its transaction is
    /// complete; it need not be polled for the append to happen.
    ///
    /// # Errors
    ///
    /// Judged in this order: `INVALID_ARGUMENT` and `LIMIT_EXCEEDED`, `STREAM_DELETED`, `ID_CONFLICT`,
    /// `WRONG_EXPECTED_REVISION`, `APPEND_CONDITION_FAILED`. Then what the storage answers: `QUOTA_EXCEEDED`,
    /// `STORAGE_FAILED`, `CORRUPT_DATA`, `CLOSED`.
    pub fn append(
        &self,
        request: AppendRequest,
    ) -> (Ticket, impl Future<Output = Result<Appended, Error>> + use<S, H>) {
        let (ticket, answer) = self.enqueue(|shared| shared.checked_append(request));
        (ticket, answer.wait())
    }

    /// Deletes, tombstones or truncates a stream. A stream that is so already is left as it is.
    ///
    /// # Errors
    ///
    /// As of [`Store::append`].
    pub fn mark(&self, request: MarkRequest) -> impl Future<Output = Result<Marked, Error>> + use<S, H> {
        let (_, answer) = self.enqueue(|shared| shared.checked_mark(request));
        async move {
            let appended = answer.wait().await?;
            let position = appended.writes.first().and_then(|write| write.first_position);
            Ok(Marked { position, durability: appended.durability })
        }
    }

    /// Withdraws a queued append: it fails with `ABORTED`. Without effect once its transaction has begun.
    pub fn abort(&self, ticket: Ticket) {
        self.shared.queue.borrow_mut().withdraw(ticket);
    }

    /// Reads one page of a stream, in the state of the log as the first page found it, but for what was hidden
    /// since and is erased.
    ///
    /// A stream that never existed has no events.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA` where the page would begin with an event that cannot be read; `STORAGE_FAILED`, `CLOSED`.
    pub fn read_stream(&self, read: &StreamRead) -> impl Future<Output = Result<EventPage, Error>> {
        self.shared.read_stream(read)
    }

    /// Reads one page of the whole log, in the state of the log as the first page found it, but for what was hidden
    /// since and is erased.
    ///
    /// # Errors
    ///
    /// As of [`Store::read_stream`]; reading may go on after the last position of the damaged record.
    pub fn read_all(&self, read: &AllRead) -> impl Future<Output = Result<EventPage, Error>> {
        self.shared.read_all(read)
    }

    /// Reads one page of the log in the order in which it is stored, which costs least: the events of a stream come in
    /// their order, those of different streams as they happen to stand. In the state of the log as the first page
    /// found it, as [`Store::read_all`].
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA` where something of the page cannot be read; `STORAGE_FAILED`, `CLOSED`.
    pub fn read_stored(&self, read: &StoredRead) -> impl Future<Output = Result<StoredPage, Error>> {
        self.shared.read_stored(read)
    }

    /// Finds an event by its id: a page of one event, or of none. Without a stream, the first in the log.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn event(&self, id: EventId, stream: Option<&str>) -> impl Future<Output = Result<EventPage, Error>> {
        self.shared.event(id, stream)
    }

    /// Describes a stream. `None` where it never existed.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn stream_info(&self, stream: &str) -> impl Future<Output = Result<Option<StreamInfo>, Error>> {
        self.shared.stream_info(stream)
    }

    /// Describes streams in the order of their names (UTF-8), deleted ones too.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn streams(&self, list: &StreamList) -> impl Future<Output = Result<Vec<StreamInfo>, Error>> {
        self.shared.streams(list)
    }

    /// Counts matching events in one stretch of the log, of bounded work.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn count(&self, count: &Count) -> impl Future<Output = Result<CountPage, Error>> {
        self.shared.count(count)
    }

    /// Finds the snapshot of a stream, where there is one that holds for what is asked. Reading goes on from there, in
    /// the state of the log that the answer names.
    ///
    /// One that cannot be read, is of another reducer, lies beyond what is asked, or of which something was hidden
    /// since, is none.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn snapshot(&self, read: &SnapshotRead) -> impl Future<Output = Result<SnapshotFound, Error>> {
        self.shared.snapshot(read)
    }

    /// Keeps a snapshot in the place of the one before it, once no append waits. Nothing is written where there is one
    /// that is as good, where something of the stream was hidden since it was folded, or while the log is
    /// compacted. Of older streams some may have to go: about 4,096 are kept, a few more where tabs
    /// keep some at the same moment.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED`, `QUOTA_EXCEEDED`, `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`. None of them needs to be told to anybody:
    /// the next load folds what this one has folded.
    pub fn keep_snapshot(&self, keep: SnapshotKeep) -> impl Future<Output = Result<Written, Error>> {
        self.shared.keep_snapshot(keep)
    }

    /// Looks how far a projection is, and begins a build of it where it says so. Documents that were changed are named
    /// where it is asked after which position.
    ///
    /// # Errors
    ///
    /// `QUOTA_EXCEEDED`, `STORAGE_FAILED`, `CLOSED`; where a build is begun, also why nothing may be written.
    pub fn project(
        &self,
        projection: &Projection,
        begin: Begin,
    ) -> impl Future<Output = Result<Standing, Error>> {
        self.shared.project(projection, begin, None)
    }

    /// Looks how far a projection is, as [`Store::project`], and begins nothing.
    ///
    /// # Errors
    ///
    /// `STORAGE_FAILED`, `CLOSED`.
    pub fn standing(
        &self,
        projection: &Projection,
        changed_after: Option<Position>,
    ) -> impl Future<Output = Result<Standing, Error>> {
        self.shared.standing(projection, changed_after)
    }

    /// Takes the right to carry on the build of a projection's definition, whoever has it: what that one writes from
    /// now on is refused. Deletes what is left of builds that are gone. `None` where there is no such build.
    ///
    /// # Errors
    ///
    /// `QUOTA_EXCEEDED`, `STORAGE_FAILED`, `CLOSED`.
    pub fn claim(&self, projection: &Projection) -> impl Future<Output = Result<Option<Claim>, Error>> {
        self.shared.claim(projection)
    }

    /// Writes what the log has come to in a build, and how far it was folded, in one transaction: so each event is in the
    /// documents once, whatever happens. [`Turn::Lost`] where the right was taken.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED`, `QUOTA_EXCEEDED`, `CORRUPT_DATA` where a page cannot be read, `STORAGE_FAILED`, `CLOSED`. After an error it is not
    /// known whether it was written: a new claim tells.
    pub fn advance(&self, advance: Advance) -> impl Future<Output = Result<Turn, Error>> {
        self.shared.advance(advance)
    }

    /// The JSON texts of documents, in the order of the keys. `None` where there is no such build.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn documents(
        &self,
        name: &Rc<str>,
        whose: Whose,
        keys: &[Rc<str>],
    ) -> impl Future<Output = Result<Option<Vec<Option<Rc<str>>>>, Error>> {
        self.shared.documents(name, whose, keys)
    }

    /// Finds documents, all of one state. `None` where those that answer have no such index.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED`, `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn find_documents(&self, find: &Find) -> impl Future<Output = Result<Option<FoundDocuments>, Error>> {
        self.shared.find_documents(find)
    }

    /// Counts the documents that [`Store::find_documents`] would find without a limit.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub fn count_documents(&self, find: &Find) -> impl Future<Output = Result<Option<u64>, Error>> {
        self.shared.count_documents(find)
    }

    /// Measures the store.
    ///
    /// # Errors
    ///
    /// `STORAGE_FAILED`, `CLOSED`.
    pub fn stats(&self) -> impl Future<Output = Result<Stats, Error>> {
        self.shared.stats()
    }

    /// Compacts the log as far as can be, and erases for good what is hidden. `progress` hears how far it is, in
    /// bytes, and whether it is still wanted: after a `Break` it ends with `ABORTED`, and what is done by then is
    /// done. Appends and reads go on meanwhile.
    ///
    /// # Errors
    ///
    /// `ABORTED`; `CORRUPT_DATA` where something cannot be read, which is left as it is; `QUOTA_EXCEEDED`, because
    /// for a while there are two of what is compacted; `STORAGE_FAILED`, `CLOSED`.
    pub async fn compact(
        &self,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Compacted, Error> {
        self.shared.compact(&mut progress).await
    }

    /// Waits for the appends under way, ends a compaction, and lets go of the storage. Idempotent; later calls fail
    /// with `CLOSED`.
    pub async fn close(&self) {
        let shared = &self.shared;
        if shared.life.get() == Life::Closed {
            return;
        }
        shared.life.set(Life::Closing);
        let idle = shared.queue.borrow_mut().idle();
        if let Some(idle) = idle {
            idle.wait().await;
        }
        if let Some(ended) = shared.background.ended() {
            ended.wait().await;
        }
        shared.let_go().await;
    }

    fn enqueue(
        &self,
        check: impl FnOnce(&Shared<S, H>) -> Result<queue::Order, Error>,
    ) -> (Ticket, Rc<Answer<Result<Appended, Error>>>) {
        let order = self.shared.check_writable().and_then(|()| check(&self.shared));
        let answer = Rc::<Answer<_>>::default();
        let (ticket, wake) = self.shared.queue.borrow_mut().push(order, Rc::clone(&answer));
        if wake == queue::Wake::Writer {
            self.shared.host.spawn(writer::run(Rc::clone(&self.shared)));
        }
        (ticket, answer)
    }

    /// Follows what other tabs announce, so that `position` is fresh without a read. The announcement is a
    /// hint: what is believed is what the storage says.
    fn listen(&self) {
        let weak = Rc::downgrade(&self.shared);
        let host = self.shared.host.clone();
        self.shared.host.spawn(async move {
            while let Some(position) = host.heard().await {
                let Some(shared) = weak.upgrade() else { break };
                if shared.index.borrow().head().position < position {
                    shared.look_out().await;
                } else {
                    // Something else was written that somebody may wait for.
                    shared.news.spread();
                }
            }
        });
    }
}

impl<S: Storage, H: Host> Shared<S, H> {
    fn check_open(&self) -> Result<(), Error> {
        match self.life.get() {
            Life::Closed => Err(Error::new(Detail::Closed)),
            Life::Open | Life::Closing => Ok(()),
        }
    }

    /// Lets go of the storage and of the other tabs, and tells who waits.
    async fn let_go(&self) {
        if self.life.replace(Life::Closed) != Life::Closed {
            self.say_the_rest();
            self.host.close();
            self.news.spread();
            self.storage.close().await;
            // A handle may be kept for as long as the page lives, and memory of wasm is never given back.
            self.index.borrow_mut().forget();
            self.cache.borrow_mut().clear();
            self.early.take();
            self.models.take();
        }
    }

    fn check_writable(&self) -> Result<(), Error> {
        match (self.life.get(), &self.read_only) {
            (Life::Open, None) => Ok(()),
            (Life::Open, Some(reason)) => Err(reason.clone()),
            (Life::Closing | Life::Closed, _) => Err(Error::new(Detail::Closed)),
        }
    }
}
