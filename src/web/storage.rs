//! Either storage of a browser as one type, so that the store is compiled once.

use std::future::{Future, Ready};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::storage::memory::MemoryStorage;
use crate::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};

use super::indexed_db::{Answering, IndexedDbStorage, Slot};
use super::world::{Access, World};

/// Where a store keeps its records.
pub enum BrowserStorage {
    /// On disk.
    IndexedDb(IndexedDbStorage),
    /// In this page, for as long as the store is open.
    Memory(MemoryStorage, Option<World>),
}

/// Does something with what is in memory, once the world lets it.
fn memory<'a, T: 'a>(
    world: &'a Option<World>,
    access: Access,
    found: Slot<T>,
    act: impl FnOnce() -> Ready<Result<T, StorageFault>> + 'a,
) -> LocalBoxFuture<'a, Result<(), StorageFault>> {
    Box::pin(async move {
        let answer = match world {
            Some(world) => world.admit(access).await?,
            None => Ok(()),
        };
        found.set(Some(act().into_inner()?));
        answer
    })
}

/// Each method hands on a future of either, and is none of its own.
impl Storage for BrowserStorage {
    fn strongest_durability(&self) -> Durability {
        match self {
            Self::IndexedDb(storage) => storage.strongest_durability(),
            Self::Memory(storage, _) => storage.strongest_durability(),
        }
    }

    fn read(&self, request: Request) -> impl Future<Output = Result<Found, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.read(request),
            Self::Memory(storage, world) => {
                Answering::of(|found| memory(world, Access::Read, found, || storage.read(request)))
            }
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
            Self::Memory(storage, world) => Answering::of(|found| {
                memory(world, Access::Write, found, move || storage.commit(seen, durability, judge))
            }),
        }
    }

    fn write(&self, write: GuardedWrite) -> impl Future<Output = Result<Written, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.write(write),
            Self::Memory(storage, world) => {
                Answering::of(|found| memory(world, Access::Write, found, || storage.write(write)))
            }
        }
    }

    fn usage(&self) -> impl Future<Output = Result<Usage, StorageFault>> {
        match self {
            Self::IndexedDb(storage) => storage.usage(),
            Self::Memory(storage, _) => storage.usage().boxed_local(),
        }
    }

    fn close(&self) -> impl Future<Output = ()> {
        match self {
            Self::IndexedDb(storage) => storage.close(),
            Self::Memory(storage, _) => storage.close(),
        }
    }
}
