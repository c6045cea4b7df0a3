//! The storage port over IndexedDB.
//!
//! One operation is one transaction, and one transaction is one crossing: see [`transaction`]. What can happen
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

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use crate::error::WriteOutcome::NotWritten;
use crate::storage::{
    Area, Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage,
    StorageFault, Usage, Written,
};
use crate::web::global::storage_manager;
use crate::web::promise::settled;

use connection::Connection;
use fault::Fault;
use patience::TRANSACTION_ATTEMPTS;
use transaction::{Access, Operation, Slot};
use writing::Judge;

/// A handle to a database in IndexedDB, shared with every tab of the origin.
pub struct IndexedDbStorage {
    connection: Connection,
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
            Ok(connection) => Ok(Self { connection }),
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

    /// Runs a transaction, and once more on a new connection where the first one failed before anything could be
    /// written. `begin` makes the operation of each attempt, if another can be made.
    ///
    /// What it returns is boxed, and so compiled once for all operations.
    fn transact<'a>(
        &'a self,
        areas: &'a [Area],
        access: Access,
        begin: &'a dyn Fn() -> Option<Operation>,
    ) -> LocalBoxFuture<'a, Result<(), StorageFault>> {
        Box::pin(async move {
            let mut result = Ok(());
            for _ in 0..TRANSACTION_ATTEMPTS {
                let Some(operation) = begin() else { break };
                result = self.attempt(areas, access, operation).await;
                match &result {
                    Err(fault) if fault::is_of_connection(fault) && fault.outcome == NotWritten => {}
                    _ => break,
                }
            }
            match result {
                Ok(()) => Ok(()),
                Err(fault) => Err(fault::with_estimate(fault).await),
            }
        })
    }

    async fn attempt(&self, areas: &[Area], access: Access, operation: Operation) -> Result<(), Fault> {
        let handle = self.connection.handle().await?;
        let result = transaction::run(handle.database(), areas, access, operation).await;
        if result.as_ref().is_err_and(|fault| fault::is_of_connection(fault)) {
            self.connection.forget(&handle);
        }
        result
    }
}

impl Storage for IndexedDbStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Strict
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        let areas = request.areas();
        let request = Rc::new(request);
        let found = Slot::default();
        let begin = || Some(reading::read(&request, &found));
        self.transact(&areas, Access::Read, &begin).await?;
        taken(&found)
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        let judge: Judge = Box::new(judge);
        let judge = Rc::new(RefCell::new(Some(judge)));
        let outcome = Slot::default();
        let begin = || judge.borrow().is_some().then(|| writing::commit(seen, &judge, &outcome));
        self.transact(&writing::COMMIT_AREAS, Access::Write(durability), &begin).await?;
        taken(&outcome)
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        let areas = writing::areas_of(&write);
        let access = Access::Write(write.durability);
        let write = Rc::new(write);
        let written = Slot::default();
        let begin = || Some(writing::guarded(&write, &written));
        self.transact(&areas, access, &begin).await?;
        taken(&written)
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        let counted = Slot::default();
        self.transact(&Area::ALL, Access::Read, &|| Some(usage::count(&counted))).await?;
        let areas = taken(&counted)?;
        let (origin_usage_bytes, origin_quota_bytes) = fault::estimate().await;
        Ok(Usage { areas, origin_usage_bytes, origin_quota_bytes, persisted: persisted().await })
    }

    async fn close(&self) {
        self.connection.close();
    }
}

/// What an operation has left behind, once it is done.
fn taken<T>(slot: &Slot<T>) -> Result<T, StorageFault> {
    slot.take().ok_or_else(|| *fault::unanswered())
}

/// Whether the browser promised not to evict the origin's data, where it says.
async fn persisted() -> Option<bool> {
    settled(storage_manager()?.persisted().ok()?).await.ok()?.as_bool()
}

impl fmt::Debug for IndexedDbStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IndexedDbStorage({:?})", self.connection.database_name())
    }
}
