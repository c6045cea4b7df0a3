//! A database that several simulated tabs share, with the latency, the queues and the accidents of IndexedDB.
//!
//! A transaction belongs to the browser and not to the tab that asked for it: it waits its turn, is decided,
//! and takes effect at one moment, its commit point. A tab that dies before it was sent takes it along; one that
//! dies later leaves it committed, and only the answer is lost.

mod connection;
mod database;
mod transaction;

use std::rc::Rc;

use futures_channel::oneshot;

use crate::storage::records::{Changes, Records};
use crate::storage::{
    Area, Batch, Durability, Found, GuardedWrite, Head, LogRecord, Outcome, Request, Seen, Storage,
    StorageFault, Usage, Written,
};

use super::executor::TabId;

use connection::Connection;
use transaction::{Mode, Transaction, closed};

pub use database::{SimulatedDatabase, Weather};

/// A tab's handle to a database. Clones are one handle.
#[derive(Clone)]
pub struct SimulatedStorage {
    database: SimulatedDatabase,
    tab: TabId,
    connection: Rc<Connection>,
}

impl SimulatedDatabase {
    /// A tab's handle.
    pub fn handle(&self, tab: TabId) -> SimulatedStorage {
        SimulatedStorage { database: self.clone(), tab, connection: Rc::default() }
    }
}

impl SimulatedStorage {
    /// Loses the connection: what is under way fails, and later calls make a new one.
    pub fn disconnect(&self) {
        self.connection.lose();
    }

    /// Has something happen once, before the operation that comes after so many others.
    pub fn light_fuse(&self, spared: u64, action: impl FnOnce() + 'static) {
        self.connection.light_fuse(spared, Box::new(action));
    }

    /// Has nothing happen any more.
    pub fn put_fuse_out(&self) {
        self.connection.put_fuse_out();
    }

    /// Runs one transaction in the browser, and waits for its answer.
    async fn transact<T: 'static>(
        &self,
        areas: Vec<Area>,
        mode: Mode,
        decide: impl FnOnce(&Records) -> Result<(T, Changes), StorageFault> + 'static,
    ) -> Result<T, StorageFault> {
        if self.connection.is_closed.get() || self.database.is_destroyed() {
            return Err(closed());
        }
        if let Some(action) = self.connection.burn() {
            action();
        }
        let (sender, receiver) = oneshot::channel();
        let transaction = Transaction::begin(&self.database, self.tab, &self.connection, mode);
        let number = self.database.enqueue(areas, mode);
        self.database.scheduler.spawn(TabId::BROWSER, async move {
            // A tab that is gone, or no longer listens, is not told.
            let _ = sender.send(transaction.run(number, decide).await);
        });
        match receiver.await {
            Ok(answer) => answer,
            // The simulation is over.
            Err(oneshot::Canceled) => std::future::pending().await,
        }
    }
}

impl Storage for SimulatedStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Strict
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        let areas = request.areas();
        let read = move |records: &Records| Ok((records.read(&request)?, Changes::default()));
        self.transact(areas, Mode::Read, read).await
    }

    /// A commit to a head at an even position asks beforehand what would be written, as a storage may, and throws it away.
    async fn commit<J>(
        &self,
        seen: Seen,
        _durability: Durability,
        mut judge: J,
    ) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        if seen.head.position.0.is_multiple_of(2) {
            drop(judge(seen.head, &[]));
        }
        let decide = move |records: &Records| records.commit(seen, judge);
        self.transact(vec![Area::Meta, Area::Log], Mode::Write, decide).await
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.transact(write.areas(), Mode::Write, move |records: &Records| records.write(write)).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        let read = |records: &Records| Ok((records.usage(), Changes::default()));
        self.transact(Area::ALL.to_vec(), Mode::Read, read).await
    }

    async fn close(&self) {
        self.connection.is_closed.set(true);
        while self.connection.under_way.get() != 0 {
            self.database.scheduler.sleep(1).await;
        }
    }
}
