//! A transaction on its way: it is decided in the browser, and its tab may never hear of it.

use std::rc::Rc;

use crate::error::WriteOutcome;
use crate::storage::records::{Changes, Records};
use crate::storage::{FaultKind, StorageFault};
use crate::testing::executor::TabId;

use super::connection::Connection;
use super::database::SimulatedDatabase;

/// A transaction on its way.
pub(super) struct Transaction {
    database: SimulatedDatabase,
    tab: TabId,
    connection: Rc<Connection>,
    losses_before: u64,
    fate: Fate,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

/// What chance has in store for a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Completes,
    Aborts,
    FindsNoRoom,
    /// The connection is lost before the commit was sent.
    IsCutOff,
    /// The connection is lost after the commit was sent; whether it arrived, only the database knows.
    LosesItsAnswer,
}

impl Transaction {
    /// One of a tab, with its fate.
    pub fn begin(database: &SimulatedDatabase, tab: TabId, connection: &Rc<Connection>, mode: Mode) -> Self {
        connection.under_way.set(connection.under_way.get() + 1);
        Self {
            database: database.clone(),
            tab,
            losses_before: connection.losses.get(),
            connection: Rc::clone(connection),
            fate: database.state.borrow_mut().draw_fate(mode),
            mode,
        }
    }

    /// Runs it when it has its turn in the queue, and gives what its tab is told.
    pub async fn run<T>(
        self,
        number: u64,
        decide: impl FnOnce(&Records) -> Result<(T, Changes), StorageFault>,
    ) -> Result<T, StorageFault> {
        self.database.turn(number).await;
        let decided = self.until_commit_point(decide).await;
        self.database.dequeue(number);
        self.database.pause().await;
        self.connection.under_way.set(self.connection.under_way.get() - 1);
        decided.and_then(|value| self.answer(value))
    }

    async fn until_commit_point<T>(
        &self,
        decide: impl FnOnce(&Records) -> Result<(T, Changes), StorageFault>,
    ) -> Result<T, StorageFault> {
        self.database.pause().await;
        self.check_connected()?;
        if self.fate == Fate::IsCutOff && self.flip() {
            return Err(disconnected(WriteOutcome::NotWritten));
        }
        let (value, changes) = decide(&self.database.state.borrow().records)?;
        match self.fate {
            Fate::Completes | Fate::LosesItsAnswer => {}
            Fate::Aborts => return Err(fault(FaultKind::Failed, "the transaction was aborted")),
            Fate::FindsNoRoom => {
                let kind = FaultKind::Quota { usage_bytes: None, quota_bytes: None };
                return Err(fault(kind, "QuotaExceededError: there is no room"));
            }
            Fate::IsCutOff => return Err(disconnected(WriteOutcome::NotWritten)),
        }
        if self.mode == Mode::Write {
            self.commit(changes).await?;
        }
        Ok(value)
    }

    /// Between the last request of a transaction and its commit point lies a moment in which its tab can die.
    async fn commit(&self, changes: Changes) -> Result<(), StorageFault> {
        let is_sent = self.flip();
        self.database.pause().await;
        if !is_sent {
            self.check_connected()?;
        }
        if self.fate == Fate::LosesItsAnswer && self.flip() {
            return Err(disconnected(WriteOutcome::Unknown));
        }
        let mut state = self.database.state.borrow_mut();
        if state.is_destroyed {
            return Err(closed());
        }
        state.apply(changes);
        Ok(())
    }

    /// What the tab is told of a transaction that was decided, and written where it writes.
    fn answer<T>(&self, value: T) -> Result<T, StorageFault> {
        let is_lost = self.fate == Fate::LosesItsAnswer || self.losses_before != self.connection.losses.get();
        match (is_lost, self.mode) {
            (false, _) => Ok(value),
            (true, Mode::Read) => Err(disconnected(WriteOutcome::NotWritten)),
            (true, Mode::Write) => Err(disconnected(WriteOutcome::Unknown)),
        }
    }

    fn check_connected(&self) -> Result<(), StorageFault> {
        if self.database.is_destroyed() {
            return Err(closed());
        }
        let is_connected = self.losses_before == self.connection.losses.get();
        let is_alive = self.database.scheduler.is_alive(self.tab);
        if is_connected && is_alive { Ok(()) } else { Err(disconnected(WriteOutcome::NotWritten)) }
    }

    fn flip(&self) -> bool {
        self.database.state.borrow_mut().prng.chance(500)
    }
}

pub(super) fn closed() -> StorageFault {
    fault(FaultKind::Closed, "the handle was closed, or its database deleted")
}

fn disconnected(outcome: WriteOutcome) -> StorageFault {
    StorageFault { outcome, ..fault(FaultKind::Disconnected, "the connection was lost") }
}

fn fault(kind: FaultKind, cause: &str) -> StorageFault {
    StorageFault { kind, outcome: WriteOutcome::NotWritten, cause: cause.to_owned() }
}
