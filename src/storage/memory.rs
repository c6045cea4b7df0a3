//! The reference storage: records in ordered lists, for as long as the page lives.

use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::rc::Rc;

use crate::error::WriteOutcome;

use super::records::{Changes, Records};
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

    /// Whether there is another handle to the same database.
    pub fn is_shared(&self) -> bool {
        1 < Rc::strong_count(&self.records)
    }

    /// What a transaction decided, once its changes are in force.
    fn applied<T>(&self, decided: Result<(T, Changes), StorageFault>) -> Result<T, StorageFault> {
        let (outcome, changes) = decided?;
        self.records.borrow_mut().apply(changes);
        Ok(outcome)
    }

    fn check_open(&self) -> Result<(), StorageFault> {
        if !self.is_closed.get() {
            return Ok(());
        }
        let cause = "the handle was closed".to_owned();
        Err(StorageFault { kind: FaultKind::Closed, outcome: WriteOutcome::NotWritten, cause })
    }
}

/// All is done when a method is called: there is nothing to wait for.
#[allow(refining_impl_trait, reason = "what is ready can be handed on as it is")]
impl Storage for MemoryStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Memory
    }

    fn read(&self, request: Request) -> Ready<Result<Found, StorageFault>> {
        ready(self.check_open().and_then(|()| self.records.borrow().read(&request)))
    }

    fn commit<J>(&self, seen: Seen, _durability: Durability, judge: J) -> Ready<Result<Outcome, StorageFault>>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        let committed = self.check_open().and_then(|()| self.records.borrow().commit(seen, judge));
        ready(self.applied(committed))
    }

    fn write(&self, write: GuardedWrite) -> Ready<Result<Written, StorageFault>> {
        let written = self.check_open().and_then(|()| self.records.borrow().write(write));
        ready(self.applied(written))
    }

    fn usage(&self) -> Ready<Result<Usage, StorageFault>> {
        ready(self.check_open().map(|()| self.records.borrow().usage()))
    }

    fn close(&self) -> Ready<()> {
        self.is_closed.set(true);
        ready(())
    }
}
