//! A storage that counts what is read of it.

use std::cell::Cell;
use std::rc::Rc;

use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage, StorageFault,
    Usage, Written,
};

/// A handle to a database in memory, and how many records were read through all handles.
#[derive(Default)]
pub struct CountedStorage {
    storage: MemoryStorage,
    read_count: Rc<Cell<u64>>,
}

impl CountedStorage {
    pub fn handle(&self) -> Self {
        Self { storage: self.storage.handle(), read_count: Rc::clone(&self.read_count) }
    }

    /// How many records were read since it was asked last.
    pub fn take_read_count(&self) -> u64 {
        self.read_count.take()
    }
}

impl Storage for CountedStorage {
    fn strongest_durability(&self) -> Durability {
        self.storage.strongest_durability()
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        let found = self.storage.read(request).await?;
        let record_count = found.values.iter().flatten().count() + found.pages.iter().flatten().count();
        self.read_count.set(self.read_count.get() + record_count as u64);
        Ok(found)
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.storage.commit(seen, durability, judge).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.storage.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.storage.usage().await
    }

    async fn close(&self) {
        self.storage.close().await;
    }
}
