//! The storage port over IndexedDB.
//!
//! One operation is one transaction, but for those that are made anew, and one transaction is one crossing: see [`transaction`]. What can happen
//! to the connection in between is the matter of [`connection`].

mod connection;
mod externs;
mod fault;
mod handle;
mod open_request;
mod opening;
mod patience;
mod reading;
mod record;
mod schema;
mod supplies;
mod transaction;
mod usage;
mod writing;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::future::LocalBoxFuture;

use crate::error::WriteOutcome::NotWritten;
use crate::storage::{
    Area, Batch, Durability, FaultKind, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen,
    Storage, StorageFault, Usage, Written,
};
use crate::web::global::storage_manager;
use crate::web::promise::{resolved_within, settled};
use crate::web::wakefulness;

use connection::Connection;
use fault::Fault;
use patience::{ROOM_TIMEOUT_MS, TRANSACTION_ATTEMPTS};
pub use transaction::Slot;
use transaction::{Access, Ended, Operation, Reads};
pub use writing::Judge;
use writing::{Asking, Commit};

/// What makes the operation of each attempt at a transaction.
type Begin = Box<dyn Fn() -> Operation>;

/// A handle to a database in IndexedDB, shared with every tab of the origin.
pub struct IndexedDbStorage {
    connection: Connection,
    /// So many of the next commits ask for the head first, because others wrote lately.
    wary_count: Rc<Cell<u32>>,
}

impl IndexedDbStorage {
    /// Opens the database of the store of this name, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Unavailable`](crate::storage::FaultKind::Unavailable) where the browser refuses or does not
    /// answer; [`FaultKind::Foreign`](crate::storage::FaultKind::Foreign) where another program has a database of that
    /// name, which is not touched; [`FaultKind::Quota`](crate::storage::FaultKind::Quota).
    pub async fn open(store_name: &str) -> Result<Self, StorageFault> {
        match Connection::open(schema::database_name(store_name)).await {
            Ok(connection) => Ok(Self { connection, wary_count: Rc::default() }),
            Err(fault) => Err(fault::with_estimate(fault).await),
        }
    }

    /// Whether there is a database for a store of this name, whoever made it.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Unavailable`](crate::storage::FaultKind::Unavailable).
    pub async fn exists(store_name: &str) -> Result<bool, StorageFault> {
        opening::exists(&schema::database_name(store_name)).await.map_err(|fault| *fault)
    }

    /// Deletes the database of the store of this name, if there is one. Every open storage of it, in every tab,
    /// is closed first, after its transactions under way.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Unavailable`](crate::storage::FaultKind::Unavailable) where the browser refuses, or where a
    /// tab does not let go in time; the database is deleted as soon as it does.
    pub async fn destroy(store_name: &str) -> Result<(), StorageFault> {
        opening::destroy(&schema::database_name(store_name)).await.map_err(|fault| *fault)
    }

    /// Asks the browser not to evict what the origin keeps. Gives whether it promised.
    pub async fn request_persistence() -> bool {
        let asked = storage_manager().and_then(|manager| manager.persist().ok());
        match asked {
            Some(asked) => settled(asked).await.is_ok_and(|promised| promised.is_truthy()),
            None => false,
        }
    }

    /// Runs a transaction, and once more on a new connection where the first one failed before anything could be
    /// written. Where that may be because of a value that cannot be read, it reads singly from then on, and has an
    /// attempt of its own for that; and so has what follows on one that was taken back. `begin` makes the operation of
    /// each attempt, which leaves what it finds in the slot.
    ///
    /// What is waited for is boxed, and so compiled once for all operations.
    fn transact<T>(&self, areas: Vec<Area>, access: Access, begin: Begin, slot: Slot<T>) -> Answering<'_, T> {
        let transaction = Box::pin(async move {
            let (mut result, mut reads, mut attempts_left) = (Ok(()), Reads::Together, TRANSACTION_ATTEMPTS);
            while 0 < attempts_left {
                let ended = self.attempt(&areas, access, reads, begin()).await;
                if matches!(ended, Ok(Ended::Withdrawn)) {
                    continue;
                }
                result = ended.map(drop);
                attempts_left -= 1;
                match &result {
                    Err(fault) if fault.outcome != NotWritten => break,
                    Err(fault) if fault.kind == FaultKind::Failed && reads == Reads::Together => {
                        (reads, attempts_left) = (Reads::Singly, attempts_left.max(1));
                    }
                    Err(fault) if fault::is_of_connection(fault) => {}
                    _ => break,
                }
            }
            match result {
                Ok(()) => Ok(()),
                Err(fault) => Err(fault::with_estimate(fault).await),
            }
        });
        Answering { transaction, slot }
    }

    async fn attempt(
        &self,
        areas: &[Area],
        access: Access,
        reads: Reads,
        operation: Operation,
    ) -> Result<Ended, Fault> {
        wakefulness::awake().await;
        let handle = self.connection.handle().await?;
        let result = transaction::run(handle.database(), areas, access, reads, operation).await;
        if result.as_ref().is_err_and(|fault| fault::is_of_connection(fault)) {
            self.connection.forget(&handle);
        }
        result
    }
}

#[allow(refining_impl_trait, reason = "another storage may give futures of the same types")]
impl Storage for IndexedDbStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Strict
    }

    fn read(&self, request: Request) -> Answering<'_, Found> {
        let areas = request.areas();
        let (request, found) = (Rc::new(request), Slot::default());
        let slot = Slot::clone(&found);
        self.transact(areas, Access::Read, Box::new(move || reading::read(&request, &slot)), found)
    }

    fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Answering<'_, Outcome>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        let (wary_count, outcome) = (Rc::clone(&self.wary_count), Slot::default());
        let asking = if wary_count.get() == 0 { Asking::AtOnce } else { Asking::HeadFirst };
        let judge = RefCell::new(Box::new(judge) as Judge);
        let commit = Rc::new(Commit { seen, judge, wary_count, outcome: Slot::clone(&outcome) });
        // Whatever the first attempt came to, the next one looks first.
        let next = Cell::new(asking);
        let begin = move || writing::append_judged(&commit, next.replace(Asking::HeadFirst));
        let areas = writing::COMMIT_AREAS.to_vec();
        self.transact(areas, Access::Write(durability), Box::new(begin), outcome)
    }

    fn write(&self, write: GuardedWrite) -> Answering<'_, Written> {
        let (areas, access) = (writing::areas_of(&write), Access::Write(write.durability));
        let (write, written) = (Rc::new(write), Slot::default());
        let slot = Slot::clone(&written);
        self.transact(areas, access, Box::new(move || writing::guarded(&write, &slot)), written)
    }

    fn usage(&self) -> LocalBoxFuture<'_, Result<Usage, StorageFault>> {
        let counted = Slot::default();
        let slot = Slot::clone(&counted);
        let begin = Box::new(move || usage::count(&slot));
        let counting = self.transact(Area::ALL.to_vec(), Access::Read, begin, counted);
        Box::pin(async move {
            let areas = counting.await?;
            let (origin_usage_bytes, origin_quota_bytes) = fault::estimate().await;
            Ok(Usage { areas, origin_usage_bytes, origin_quota_bytes, persisted: persisted().await })
        })
    }

    fn close(&self) -> Ready<()> {
        self.connection.close();
        ready(())
    }
}

/// What an operation finds, once its transaction has ended.
pub struct Answering<'a, T> {
    transaction: LocalBoxFuture<'a, Result<(), StorageFault>>,
    slot: Slot<T>,
}

impl<'a, T> Answering<'a, T> {
    /// What another storage finds, as it puts it there.
    pub fn of(find: impl FnOnce(Slot<T>) -> LocalBoxFuture<'a, Result<(), StorageFault>>) -> Self {
        let slot = Slot::default();
        Self { transaction: find(Rc::clone(&slot)), slot }
    }
}

impl<T> Future for Answering<'_, T> {
    type Output = Result<T, StorageFault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.transaction.as_mut().poll(context).map(|ended| {
            ended?;
            self.slot.take().ok_or_else(|| *fault::unanswered())
        })
    }
}

/// Whether the browser promised not to evict the origin's data, where it says so in time.
async fn persisted() -> Option<bool> {
    resolved_within(storage_manager()?.persisted().ok()?, ROOM_TIMEOUT_MS).await?.as_bool()
}

impl fmt::Debug for IndexedDbStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IndexedDbStorage({:?})", self.connection.database_name())
    }
}
