//! The reference storage: records in ordered lists, for as long as the page lives.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::WriteOutcome;

use super::records::Records;
use super::{
    Area, Batch, Direction, Durability, FaultKind, Fetched, GuardedWrite, Head, Key, KeyRange, LogRecord,
    Outcome, Page, Seen, Storage, StorageFault, Usage, Written,
};

/// A handle to a database in memory, which lives as long as any handle to it.
///
/// It never fails but for being closed, and acknowledges every write as [`Durability::Memory`].
#[derive(Debug, Default)]
pub struct MemoryStorage {
    records: Rc<RefCell<Records>>,
    is_closed: Cell<bool>,
}

impl MemoryStorage {
    /// A handle to a new, empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle to the same database, as another tab has one: it is closed on its own.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self { records: Rc::clone(&self.records), is_closed: Cell::new(false) }
    }

    fn check_open(&self) -> Result<(), StorageFault> {
        if !self.is_closed.get() {
            return Ok(());
        }
        let cause = "the handle was closed".to_owned();
        Err(StorageFault { kind: FaultKind::Closed, outcome: WriteOutcome::NotWritten, cause })
    }
}

impl Storage for MemoryStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Memory
    }

    async fn get(&self, area: Area, keys: &[Key]) -> Result<Fetched, StorageFault> {
        self.check_open()?;
        self.records.borrow().get(area, keys)
    }

    async fn page(
        &self,
        area: Area,
        range: KeyRange,
        direction: Direction,
        count_max: usize,
    ) -> Result<Page, StorageFault> {
        self.check_open()?;
        self.records.borrow().page(area, &range, direction, count_max)
    }

    async fn commit<J>(&self, seen: Seen, _durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.check_open()?;
        let (outcome, changes) = self.records.borrow().commit(seen, judge)?;
        self.records.borrow_mut().apply(changes);
        Ok(outcome)
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.check_open()?;
        let (written, changes) = self.records.borrow().write(write)?;
        self.records.borrow_mut().apply(changes);
        Ok(written)
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.check_open()?;
        Ok(self.records.borrow().usage())
    }

    async fn close(&self) {
        self.is_closed.set(true);
    }
}
