//! Either storage of a browser as one type, so that the store is compiled once.

use crate::storage::memory::MemoryStorage;
use crate::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};

use super::IndexedDbStorage;

/// Where a store keeps its records.
pub enum BrowserStorage {
    /// On disk.
    IndexedDb(IndexedDbStorage),
    /// In this page, for as long as the store is open.
    Memory(MemoryStorage),
}

impl Storage for BrowserStorage {
    fn strongest_durability(&self) -> Durability {
        match self {
            Self::IndexedDb(storage) => storage.strongest_durability(),
            Self::Memory(storage) => storage.strongest_durability(),
        }
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        match self {
            Self::IndexedDb(storage) => storage.read(request).await,
            Self::Memory(storage) => storage.read(request).await,
        }
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        match self {
            Self::IndexedDb(storage) => storage.commit(seen, durability, judge).await,
            Self::Memory(storage) => storage.commit(seen, durability, judge).await,
        }
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        match self {
            Self::IndexedDb(storage) => storage.write(write).await,
            Self::Memory(storage) => storage.write(write).await,
        }
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        match self {
            Self::IndexedDb(storage) => storage.usage().await,
            Self::Memory(storage) => storage.usage().await,
        }
    }

    async fn close(&self) {
        match self {
            Self::IndexedDb(storage) => storage.close().await,
            Self::Memory(storage) => storage.close().await,
        }
    }
}
