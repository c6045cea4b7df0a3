//! Stores in memory, and what becomes of them in the world of a test.

use std::cell::RefCell;
use std::future::Ready;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::storage::memory::MemoryStorage;
use crate::storage::{
    Durability, Found, GuardedWrite, Outcome, Request, Seen, Storage, StorageFault, Usage, Written,
};
use crate::supplement::{Memory, Supplied, entered};
use crate::web::indexed_db::{Judge, Slot};
use crate::web::storage::{Doing, InMemory};
use crate::web::world::{Access, World};

thread_local! {
    /// What stores of tests keep, by their names, as long as one of them is there.
    static MEMORIES: RefCell<Vec<(String, MemoryStorage)>> = const { RefCell::new(Vec::new()) };
}

/// A storage in memory. In the world of a test, those of one name share what they keep.
#[inline(never)]
pub fn gate_memory_storage(_: Supplied<Memory>, name: &str, world: Option<World>) -> Box<dyn InMemory> {
    let storage = if world.is_some() { memory_of(name) } else { MemoryStorage::new() };
    entered(Box::new(Admitted { storage, world }) as Box<dyn InMemory>)
}

/// The memory that all stores of this name share.
fn memory_of(name: &str) -> MemoryStorage {
    MEMORIES.with_borrow_mut(|memories| {
        memories.retain(|(_, memory)| memory.is_shared());
        if let Some((_, memory)) = memories.iter().find(|(known, _)| known == name) {
            return memory.handle();
        }
        let memory = MemoryStorage::new();
        memories.push((name.to_owned(), memory.handle()));
        memory
    })
}

/// A storage in memory, of which a world may decide.
struct Admitted {
    storage: MemoryStorage,
    world: Option<World>,
}

impl Admitted {
    /// Does something with what is in memory, once the world lets it.
    fn act<'a, T: 'a>(
        &'a self,
        access: Access,
        found: Slot<T>,
        act: impl FnOnce() -> Ready<Result<T, StorageFault>> + 'a,
    ) -> Doing<'a> {
        Box::pin(async move {
            let answer = match &self.world {
                Some(world) => world.admit(access).await?,
                None => Ok(()),
            };
            found.set(Some(act().into_inner()?));
            answer
        })
    }
}

impl InMemory for Admitted {
    fn read(&self, request: Request, found: Slot<Found>) -> Doing<'_> {
        self.act(Access::Read, found, || self.storage.read(request))
    }

    fn commit(&self, seen: Seen, durability: Durability, judge: Judge, outcome: Slot<Outcome>) -> Doing<'_> {
        self.act(Access::Write, outcome, move || self.storage.commit(seen, durability, judge))
    }

    fn write(&self, write: GuardedWrite, written: Slot<Written>) -> Doing<'_> {
        self.act(Access::Write, written, || self.storage.write(write))
    }

    fn usage(&self) -> LocalBoxFuture<'_, Result<Usage, StorageFault>> {
        self.storage.usage().boxed_local()
    }

    fn close(&self) {
        drop(self.storage.close());
    }
}
