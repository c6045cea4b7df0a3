//! Either storage of a browser as one type, so that the store is compiled once.

use std::future::{Future, ready};

use futures_util::future::LocalBoxFuture;

use crate::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};

use super::indexed_db::{Answering, IndexedDbStorage, Judge, Slot};

/// Where a store keeps its records.
pub enum BrowserStorage {
    /// On disk.
    IndexedDb(IndexedDbStorage),
    /// In this page, for as long as the store is open.
    Memory(Box<dyn InMemory>),
}

/// What is done in memory: what it finds, it leaves in a slot.
pub type Doing<'a> = LocalBoxFuture<'a, Result<(), StorageFault>>;

/// A storage in memory, whose code may have come later: see [`Storage`], method by method.
pub trait InMemory {
    /// See [`Storage::read`].
    fn read(&self, request: Request, found: Slot<Found>) -> Doing<'_>;

    /// See [`Storage::commit`].
    fn commit(&self, seen: Seen, durability: Durability, judge: Judge, outcome: Slot<Outcome>) -> Doing<'_>;

    /// See [`Storage::write`].
    fn write(&self, write: GuardedWrite, written: Slot<Written>) -> Doing<'_>;

    /// See [`Storage::usage`].
    fn usage(&self) -> LocalBoxFuture<'_, Result<Usage, StorageFault>>;

    /// See [`Storage::close`].
    fn close(&self);
}

/// Each method hands on a future of either, and is none of its own.
impl Storage for BrowserStorage {
    fn strongest_durability(&self) -> Durability {
        match self {
            Self::IndexedDb(storage) => storage.strongest_durability(),
            Self::Memory(_) => Durability::Memory,
        }
    }

    fn read(&self, request: Request) -> impl Future<Output = Result<Found, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.read(request),
            Self::Memory(storage) => Answering::of(|found| storage.read(request, found)),
        }
    }

    fn commit<J>(
        &self,
        seen: Seen,
        durability: Durability,
        judge: J,
    ) -> impl Future<Output = Result<Outcome, StorageFault>>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        match self {
            Self::IndexedDb(storage) => storage.commit(seen, durability, judge),
            Self::Memory(storage) => {
                Answering::of(|outcome| storage.commit(seen, durability, Box::new(judge), outcome))
            }
        }
    }

    fn write(&self, write: GuardedWrite) -> impl Future<Output = Result<Written, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.write(write),
            Self::Memory(storage) => Answering::of(|written| storage.write(write, written)),
        }
    }

    fn usage(&self) -> impl Future<Output = Result<Usage, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.usage(),
            Self::Memory(storage) => storage.usage(),
        }
    }

    fn close(&self) -> impl Future<Output = ()> {
        match self {
            Self::IndexedDb(storage) => storage.close(),
            Self::Memory(storage) => {
                storage.close();
                ready(())
            }
        }
    }
}
