//! The reference storage: records in ordered lists, for as long as the page lives.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::WriteOutcome;

use super::records::Records;
use super::{
    Batch, Durability, FaultKind, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage,
    StorageFault, Usage, Written,
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

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        self.check_open()?;
        self.records.borrow().read(&request)
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
