//! The database in the browser: what is stored, and the queue of transactions.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::event::Position;
use crate::storage::records::{Changes, Records};
use crate::storage::{
    Area, Direction, Found, Key, KeyRange, LogRecord, PageRequest, Record, Request, StorageFault,
};
use crate::testing::executor::Scheduler;
use crate::testing::prng::Prng;

use super::transaction::{Fate, Mode};

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

impl Weather {
    /// Whether anything fails in it.
    pub fn fails(self) -> bool {
        self.abort_permille + self.quota_permille + self.disconnect_permille != 0
    }
}

/// A database in the browser.
#[derive(Clone)]
pub struct SimulatedDatabase {
    pub(super) scheduler: Scheduler,
    pub(super) state: Rc<RefCell<DatabaseState>>,
}

pub(super) struct DatabaseState {
    pub records: Records,
    /// Every record of the log that was ever committed: in the log itself they may be compacted.
    journal: Vec<LogRecord>,
    /// What was stored of projections after each write of it, where somebody wants to know.
    documents: Option<Vec<Vec<Record>>>,
    pub prng: Prng,
    weather: Weather,
    pub is_destroyed: bool,
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

impl SimulatedDatabase {
    /// An empty database.
    pub fn new(scheduler: &Scheduler, weather: Weather) -> Self {
        let state = DatabaseState {
            records: Records::default(),
            journal: Vec::new(),
            documents: None,
            prng: scheduler.fork_prng(),
            weather,
            is_destroyed: false,
            next_transaction: 0,
            queue: Vec::new(),
            wakers: Vec::new(),
        };
        Self { scheduler: scheduler.clone(), state: Rc::new(RefCell::new(state)) }
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
        self.state.borrow_mut().apply(Changes::of_record(area, key, value));
    }

    /// From now on every state of what is stored of projections is remembered.
    pub fn remember_documents(&self) {
        self.state.borrow_mut().documents = Some(Vec::new());
    }

    /// The states of what is stored of projections since this was called last, in their order: all records of each.
    pub fn take_documents(&self) -> Vec<Vec<Record>> {
        self.state.borrow_mut().documents.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Deletes the database: every handle is closed, and what did not reach its commit point is lost.
    pub fn destroy(&self) {
        let mut state = self.state.borrow_mut();
        state.is_destroyed = true;
        state.records = Records::default();
        state.journal.clear();
    }

    pub(super) fn is_destroyed(&self) -> bool {
        self.state.borrow().is_destroyed
    }

    pub(super) fn pause(&self) -> impl Future<Output = ()> + use<> {
        let mut state = self.state.borrow_mut();
        let longest_ms = state.weather.step_ms_max;
        self.scheduler.sleep(state.prng.between(0..=longest_ms))
    }

    pub(super) fn enqueue(&self, areas: Vec<Area>, mode: Mode) -> u64 {
        let mut state = self.state.borrow_mut();
        let transaction = state.next_transaction;
        state.next_transaction += 1;
        state.queue.push(Queued { transaction, areas, mode });
        transaction
    }

    /// Waits until no earlier transaction stands in the way.
    pub(super) async fn turn(&self, transaction: u64) {
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

    pub(super) fn dequeue(&self, transaction: u64) {
        let mut state = self.state.borrow_mut();
        state.queue.retain(|queued| queued.transaction != transaction);
        for waker in std::mem::take(&mut state.wakers) {
            waker.wake();
        }
    }
}

impl DatabaseState {
    /// Has changes take effect, and takes down what they do to the log and to projections.
    pub fn apply(&mut self, changes: Changes) {
        let is_of_documents = changes.concern(Area::Documents);
        self.records.apply(changes);
        if is_of_documents && let Some(documents) = &mut self.documents {
            let all = PageRequest {
                area: Area::Documents,
                range: KeyRange::default(),
                direction: Direction::Forwards,
                count_max: usize::MAX,
            };
            let found = self.records.read(&all.into());
            documents.extend(found.ok().and_then(|mut found| found.pages.pop()));
        }
        let last = self.journal.last().map_or(Position::START, |record| record.first);
        self.journal.extend(self.records.log_after(last));
    }

    fn has_turn(&self, transaction: u64) -> bool {
        let Some(place) = self.queue.iter().position(|queued| queued.transaction == transaction) else {
            return true;
        };
        !self.queue[..place].iter().any(|earlier| earlier.excludes(&self.queue[place]))
    }

    pub fn draw_fate(&mut self, mode: Mode) -> Fate {
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
