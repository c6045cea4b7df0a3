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
mod transaction;
mod usage;
mod writing;

use std::fmt;
use std::rc::Rc;

use wasm_bindgen_futures::JsFuture;

use crate::error::WriteOutcome::NotWritten;
use crate::storage::{
    Area, Batch, Direction, Durability, Fetched, GuardedWrite, Head, Key, KeyRange, LogRecord, Outcome, Page,
    Seen, Storage, StorageFault, Usage, Written,
};
use crate::web::global::global;

use connection::Connection;
use record::Query;
use transaction::{Access, Scope, Step};
use writing::Pending;

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
        opening::exists(&schema::database_name(store_name)).await
    }

    /// Deletes the database of the store of this name, if there is one. Every open storage of it, in every tab,
    /// is closed first, after its transactions under way.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Unavailable`](crate::storage::FaultKind::Unavailable) where the browser refuses, or where a
    /// tab does not let go in time; the database is deleted as soon as it does.
    pub async fn destroy(store_name: &str) -> Result<(), StorageFault> {
        opening::destroy(&schema::database_name(store_name)).await
    }

    /// Runs a transaction, and once more on a new connection where the first one failed before anything could be
    /// written. `begin` makes the step function of each attempt.
    async fn transact<T, S>(
        &self,
        areas: &[Area],
        access: Access,
        begin: impl Fn() -> S,
        can_repeat: impl Fn() -> bool,
    ) -> Result<T, StorageFault>
    where
        T: 'static,
        S: FnMut(&Scope<'_>) -> Result<Step<T>, StorageFault> + 'static,
    {
        let first = self.attempt(areas, access, begin()).await;
        let result = match first {
            Err(fault) if fault::is_of_connection(&fault) && fault.outcome == NotWritten && can_repeat() => {
                self.attempt(areas, access, begin()).await
            }
            first => first,
        };
        match result {
            Err(fault) => Err(fault::with_estimate(fault).await),
            answer => answer,
        }
    }

    async fn attempt<T, S>(&self, areas: &[Area], access: Access, step: S) -> Result<T, StorageFault>
    where
        T: 'static,
        S: FnMut(&Scope<'_>) -> Result<Step<T>, StorageFault> + 'static,
    {
        let handle = self.connection.handle().await?;
        let result = transaction::run(handle.database(), areas, access, step).await;
        if result.as_ref().is_err_and(fault::is_of_connection) {
            self.connection.forget(&handle);
        }
        result
    }
}

impl Storage for IndexedDbStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Strict
    }

    async fn get(&self, area: Area, keys: &[Key]) -> Result<Fetched, StorageFault> {
        let begin = || reading::get(area, keys.to_vec());
        self.transact(&reading::areas_with_head(area), Access::Read, begin, || true).await
    }

    async fn page(
        &self,
        area: Area,
        range: KeyRange,
        direction: Direction,
        count_max: usize,
    ) -> Result<Page, StorageFault> {
        let query = Query::new(area, &range)?;
        let count_max = u32::try_from(count_max).unwrap_or(u32::MAX);
        let begin = || reading::page(area, query.clone(), direction, count_max);
        self.transact(&reading::areas_with_head(area), Access::Read, begin, || true).await
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        let judge = Pending::new(judge);
        let begin = || writing::commit(seen, judge.clone());
        self.transact(&writing::COMMIT_AREAS, Access::Write(durability), begin, || judge.is_uncalled()).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        let areas = writing::areas_of(&write);
        if areas.is_empty() {
            // There is nothing to begin a transaction for, but a closed storage is closed.
            return self.connection.handle().await.map(|_| Written::Yes);
        }
        let access = Access::Write(write.durability);
        let write = Rc::new(write);
        self.transact(&areas, access, || writing::guarded(Rc::clone(&write)), || true).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        let areas = self.transact(&Area::ALL, Access::Read, usage::count, || true).await?;
        let (origin_usage_bytes, origin_quota_bytes) = fault::estimate().await;
        Ok(Usage { areas, origin_usage_bytes, origin_quota_bytes, persisted: persisted().await })
    }

    async fn close(&self) {
        self.connection.close();
    }
}

/// Whether the browser promised not to evict the origin's data, where it says.
async fn persisted() -> Option<bool> {
    let promise = global().navigator()?.storage()?.persisted().ok()?;
    JsFuture::from(promise).await.ok()?.as_bool()
}

impl fmt::Debug for IndexedDbStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IndexedDbStorage({:?})", self.connection.database_name())
    }
}
