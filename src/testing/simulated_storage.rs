//! A database that several simulated tabs share, with the latency, the queues and the accidents of IndexedDB.
//!
//! A transaction belongs to the browser and not to the tab that asked for it: it waits its turn, is decided,
//! and takes effect at one moment, its commit point. A tab that dies before it was sent takes it along; one that
//! dies later leaves it committed, and only the answer is lost.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures_channel::oneshot;

use crate::error::WriteOutcome;
use crate::event::Position;
use crate::storage::records::{Changes, Records};
use crate::storage::{
    Area, Batch, Durability, FaultKind, Found, GuardedWrite, Head, Key, LogRecord, Outcome, Request, Seen,
    Storage, StorageFault, Usage, Written,
};

use super::executor::{Scheduler, TabId};
use super::prng::Prng;

/// How long transactions take, and how many of a thousand fail, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weather {
    /// The longest that each step of a transaction takes: to begin, to commit, to be answered.
    pub step_ms_max: u64,
    /// Transactions that are aborted.
    pub abort_permille: u64,
    /// Writes for which there is no room.
    pub quota_permille: u64,
    /// Transactions during which the connection is lost: before or after their commit point.
    pub disconnect_permille: u64,
}

/// A database in the browser.
#[derive(Clone)]
pub struct SimulatedDatabase {
    scheduler: Scheduler,
    state: Rc<RefCell<DatabaseState>>,
}

/// A tab's handle to a database. Clones are one handle.
#[derive(Clone)]
pub struct SimulatedStorage {
    database: SimulatedDatabase,
    tab: TabId,
    connection: Rc<Connection>,
}

struct DatabaseState {
    records: Records,
    /// Every record of the log that was ever committed: in the log itself they may be compacted.
    journal: Vec<LogRecord>,
    prng: Prng,
    weather: Weather,
    is_destroyed: bool,
    next_transaction: u64,
    /// Those that wait and those that run, in the order in which they were made.
    queue: Vec<Queued>,
    /// Those who wait for a place in the queue to come free.
    wakers: Vec<Waker>,
}

struct Queued {
    transaction: u64,
    areas: Vec<Area>,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
}

#[derive(Default)]
struct Connection {
    is_closed: Cell<bool>,
    /// How often it was lost.
    losses: Cell<u64>,
    under_way: Cell<u64>,
    fuse: RefCell<Option<Fuse>>,
}

/// What happens before an operation.
struct Fuse {
    /// How many operations are spared.
    spared: u64,
    action: Box<dyn FnOnce()>,
}

/// What chance has in store for a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Completes,
    Aborts,
    FindsNoRoom,
    /// The connection is lost before the commit was sent.
    IsCutOff,
    /// The connection is lost after the commit was sent; whether it arrived, only the database knows.
    LosesItsAnswer,
}

impl SimulatedDatabase {
    /// An empty database.
    pub fn new(scheduler: &Scheduler, weather: Weather) -> Self {
        let state = DatabaseState {
            records: Records::default(),
            journal: Vec::new(),
            prng: scheduler.fork_prng(),
            weather,
            is_destroyed: false,
            next_transaction: 0,
            queue: Vec::new(),
            wakers: Vec::new(),
        };
        Self { scheduler: scheduler.clone(), state: Rc::new(RefCell::new(state)) }
    }

    /// A tab's handle.
    pub fn handle(&self, tab: TabId) -> SimulatedStorage {
        SimulatedStorage { database: self.clone(), tab, connection: Rc::default() }
    }

    /// From now on transactions fare like this.
    pub fn set_weather(&self, weather: Weather) {
        self.state.borrow_mut().weather = weather;
    }

    /// The records that were committed after a position up to this moment, be they compacted since or not: no
    /// transaction, and no chance.
    pub fn log_after(&self, position: Position) -> Vec<LogRecord> {
        let state = self.state.borrow();
        let start = state.journal.partition_point(|record| record.first <= position);
        state.journal[start..].to_vec()
    }

    /// What is stored at this moment: no transaction, and no chance.
    pub fn look(&self, request: &Request) -> Result<Found, StorageFault> {
        self.state.borrow().records.read(request)
    }

    /// Replaces a record at this moment, or deletes it: no transaction, and no chance.
    pub fn replace(&self, area: Area, key: Key, value: Option<Vec<u8>>) {
        let mut state = self.state.borrow_mut();
        state.records.apply(Changes::of_record(area, key, value));
    }

    /// Deletes the database: every handle is closed, and what did not reach its commit point is lost.
    pub fn destroy(&self) {
        let mut state = self.state.borrow_mut();
        state.is_destroyed = true;
        state.records = Records::default();
        state.journal.clear();
    }

    fn pause(&self) -> impl Future<Output = ()> + use<> {
        let mut state = self.state.borrow_mut();
        let longest_ms = state.weather.step_ms_max;
        self.scheduler.sleep(state.prng.between(0..=longest_ms))
    }

    fn enqueue(&self, areas: Vec<Area>, mode: Mode) -> u64 {
        let mut state = self.state.borrow_mut();
        let transaction = state.next_transaction;
        state.next_transaction += 1;
        state.queue.push(Queued { transaction, areas, mode });
        transaction
    }

    /// Waits until no earlier transaction stands in the way.
    async fn turn(&self, transaction: u64) {
        poll_fn(|context| {
            let mut state = self.state.borrow_mut();
            if state.has_turn(transaction) {
                return Poll::Ready(());
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn dequeue(&self, transaction: u64) {
        let mut state = self.state.borrow_mut();
        state.queue.retain(|queued| queued.transaction != transaction);
        for waker in std::mem::take(&mut state.wakers) {
            waker.wake();
        }
    }
}

impl SimulatedStorage {
    /// Loses the connection: what is under way fails, and later calls make a new one.
    pub fn disconnect(&self) {
        self.connection.losses.set(self.connection.losses.get() + 1);
    }

    /// Has something happen once, before the operation that comes after so many others.
    pub fn light_fuse(&self, spared: u64, action: impl FnOnce() + 'static) {
        *self.connection.fuse.borrow_mut() = Some(Fuse { spared, action: Box::new(action) });
    }

    /// Has nothing happen any more.
    pub fn put_fuse_out(&self) {
        self.connection.fuse.take();
    }

    /// Runs one transaction in the browser, and waits for its answer.
    async fn transact<T: 'static>(
        &self,
        areas: Vec<Area>,
        mode: Mode,
        decide: impl FnOnce(&Records) -> Result<(T, Changes), StorageFault> + 'static,
    ) -> Result<T, StorageFault> {
        if self.connection.is_closed.get() || self.database.state.borrow().is_destroyed {
            return Err(closed());
        }
        if let Some(action) = self.connection.burn() {
            action();
        }
        let (sender, receiver) = oneshot::channel();
        let connection = Rc::clone(&self.connection);
        connection.under_way.set(connection.under_way.get() + 1);
        let run = Run {
            database: self.database.clone(),
            tab: self.tab,
            losses_before: connection.losses.get(),
            connection,
            fate: self.database.state.borrow_mut().draw_fate(mode),
            mode,
        };
        let transaction = self.database.enqueue(areas, mode);
        self.database.scheduler.spawn(TabId::BROWSER, async move {
            run.database.turn(transaction).await;
            let decided = run.until_commit_point(decide).await;
            run.database.dequeue(transaction);
            run.database.pause().await;
            run.connection.under_way.set(run.connection.under_way.get() - 1);
            // A tab that is gone, or no longer listens, is not told.
            let _ = sender.send(decided.and_then(|value| run.answer(value)));
        });
        match receiver.await {
            Ok(answer) => answer,
            // The simulation is over.
            Err(oneshot::Canceled) => std::future::pending().await,
        }
    }
}

impl Connection {
    /// What is to happen before this operation.
    fn burn(&self) -> Option<Box<dyn FnOnce()>> {
        let mut fuse = self.fuse.borrow_mut();
        match fuse.as_mut()? {
            Fuse { spared: 0, .. } => Some(fuse.take()?.action),
            Fuse { spared, .. } => {
                *spared -= 1;
                None
            }
        }
    }
}

/// A transaction on its way.
struct Run {
    database: SimulatedDatabase,
    tab: TabId,
    connection: Rc<Connection>,
    losses_before: u64,
    fate: Fate,
    mode: Mode,
}

impl Run {
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
        state.records.apply(changes);
        state.take_down();
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
        if self.database.state.borrow().is_destroyed {
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

impl DatabaseState {
    /// Takes down what the log has that the journal has not.
    fn take_down(&mut self) {
        let last = self.journal.last().map_or(Position::START, |record| record.first);
        self.journal.extend(self.records.log_after(last));
    }

    fn has_turn(&self, transaction: u64) -> bool {
        let Some(place) = self.queue.iter().position(|queued| queued.transaction == transaction) else {
            return true;
        };
        !self.queue[..place].iter().any(|earlier| earlier.excludes(&self.queue[place]))
    }

    fn draw_fate(&mut self, mode: Mode) -> Fate {
        let weather = self.weather;
        if self.prng.chance(weather.abort_permille) {
            Fate::Aborts
        } else if mode == Mode::Write && self.prng.chance(weather.quota_permille) {
            Fate::FindsNoRoom
        } else if self.prng.chance(weather.disconnect_permille) {
            if self.prng.chance(500) { Fate::IsCutOff } else { Fate::LosesItsAnswer }
        } else {
            Fate::Completes
        }
    }
}

impl Queued {
    /// Transactions that write exclude all others that share an area with them.
    fn excludes(&self, later: &Self) -> bool {
        let writes = self.mode == Mode::Write || later.mode == Mode::Write;
        writes && self.areas.iter().any(|area| later.areas.contains(area))
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

    async fn commit<J>(&self, seen: Seen, _durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
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

fn closed() -> StorageFault {
    fault(FaultKind::Closed, "the handle was closed, or its database deleted")
}

fn disconnected(outcome: WriteOutcome) -> StorageFault {
    StorageFault { outcome, ..fault(FaultKind::Disconnected, "the connection was lost") }
}

fn fault(kind: FaultKind, cause: &str) -> StorageFault {
    StorageFault { kind, outcome: WriteOutcome::NotWritten, cause: cause.to_owned() }
}
