//! Either storage of a browser as one type, so that the store is compiled once.

use std::future::Future;

use futures_util::FutureExt;

use crate::storage::memory::MemoryStorage;
use crate::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};

use super::indexed_db::{Answering, IndexedDbStorage};

/// Where a store keeps its records.
pub enum BrowserStorage {
    /// On disk.
    IndexedDb(IndexedDbStorage),
    /// In this page, for as long as the store is open.
    Memory(MemoryStorage),
}

/// Each method hands on a future of either, and is none of its own.
impl Storage for BrowserStorage {
    fn strongest_durability(&self) -> Durability {
        match self {
            Self::IndexedDb(storage) => storage.strongest_durability(),
            Self::Memory(storage) => storage.strongest_durability(),
        }
    }

    fn read(&self, request: Request) -> impl Future<Output = Result<Found, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.read(request),
            Self::Memory(storage) => Answering::at_once(storage.read(request).into_inner()),
        }
    }

    fn commit<J>(
        &self,
        seen: Seen,
        durability: Durability,
        judge: J,
    ) -> impl Future<Output = Result<Outcome, StorageFault>>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        match self {
            Self::IndexedDb(storage) => storage.commit(seen, durability, judge),
            Self::Memory(storage) => Answering::at_once(storage.commit(seen, durability, judge).into_inner()),
        }
    }

    fn write(&self, write: GuardedWrite) -> impl Future<Output = Result<Written, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.write(write),
            Self::Memory(storage) => Answering::at_once(storage.write(write).into_inner()),
        }
    }

    fn usage(&self) -> impl Future<Output = Result<Usage, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.usage(),
            Self::Memory(storage) => storage.usage().boxed_local(),
        }
    }

    fn close(&self) -> impl Future<Output = ()> {
        match self {
            Self::IndexedDb(storage) => storage.close(),
            Self::Memory(storage) => storage.close(),
        }
    }
}
