//! The host of a simulated tab: virtual time, seeded chance, and locks and announcements among its tabs.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use crate::error::{Detail, Error};
use crate::event::{Position, UnixMillis};
use crate::host::Host;
use crate::supplement::Supplement;

use super::executor::{Scheduler, TabId};
use super::prng::Prng;

/// What the wall clock of a tab shows when the simulation begins.
const EPOCH_MS: i64 = 1_700_000_000_000;

/// The browser around the tabs: it holds their locks and carries their announcements.
#[derive(Clone)]
pub struct SimulatedOrigin {
    scheduler: Scheduler,
    state: Rc<RefCell<OriginState>>,
}

/// How announcements travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcements {
    /// How many of a thousand never arrive.
    pub lost_permille: u64,
    /// The longest that one takes. They overtake each other.
    pub delay_ms_max: u64,
}

/// Whether the code of supplements can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supplements {
    /// All of it.
    There,
    /// None of it.
    Missing,
}

/// The host of one tab.
#[derive(Clone)]
pub struct SimulatedHost {
    tab: TabId,
    scheduler: Scheduler,
    origin: SimulatedOrigin,
    prng: Rc<RefCell<Prng>>,
    skew_ms: Rc<Cell<i64>>,
    may_oversleep: Rc<Cell<bool>>,
    ear: Rc<Ear>,
}

struct OriginState {
    prng: Prng,
    announcements: Announcements,
    next_tab: u32,
    next_holder: u64,
    locks: BTreeMap<String, LockState>,
    /// Whether locks lock nothing, as in a browser that has none.
    lacks_locks: bool,
    /// Whether no supplement can be had, as without a network.
    lacks_supplements: bool,
    ears: Vec<(String, TabId, Weak<Ear>)>,
}

/// Where announcements for one host arrive.
struct Ear {
    name: String,
    is_closed: Cell<bool>,
    heard: RefCell<VecDeque<Position>>,
    wakers: RefCell<Vec<Waker>>,
}

#[derive(Default)]
struct LockState {
    holder: Option<(u64, TabId)>,
    waiting: VecDeque<(TabId, oneshot::Sender<SimulatedLock>)>,
}

/// Holds a lock until it is dropped, or its tab ends.
pub struct SimulatedLock {
    name: String,
    holder: u64,
    origin: SimulatedOrigin,
}

impl SimulatedOrigin {
    /// An origin without tabs.
    pub fn new(scheduler: &Scheduler, announcements: Announcements) -> Self {
        let state = OriginState {
            prng: scheduler.fork_prng(),
            announcements,
            next_tab: 1,
            next_holder: 1,
            locks: BTreeMap::new(),
            lacks_locks: false,
            lacks_supplements: false,
            ears: Vec::new(),
        };
        Self { scheduler: scheduler.clone(), state: Rc::new(RefCell::new(state)) }
    }

    /// From now on everybody has the lock that they ask for, as in a browser without locks between tabs.
    pub fn take_locks_away(&self) {
        self.state.borrow_mut().lacks_locks = true;
    }

    /// From now on no supplement can be had, as without a network; or all of them can.
    pub fn set_supplements(&self, supplements: Supplements) {
        self.state.borrow_mut().lacks_supplements = supplements == Supplements::Missing;
    }

    /// Opens a tab.
    pub fn tab(&self) -> TabId {
        let mut state = self.state.borrow_mut();
        let tab = TabId(state.next_tab);
        state.next_tab += 1;
        tab
    }

    /// A host in this tab. Those of one name hear each other.
    pub fn host(&self, tab: TabId, name: &str) -> SimulatedHost {
        let ear = Rc::new(Ear {
            name: name.to_owned(),
            is_closed: Cell::new(false),
            heard: RefCell::default(),
            wakers: RefCell::default(),
        });
        self.state.borrow_mut().ears.push((name.to_owned(), tab, Rc::downgrade(&ear)));
        SimulatedHost {
            tab,
            scheduler: self.scheduler.clone(),
            origin: self.clone(),
            prng: Rc::new(RefCell::new(self.scheduler.fork_prng())),
            skew_ms: Rc::default(),
            may_oversleep: Rc::default(),
            ear,
        }
    }

    /// Ends a tab in the middle of what it does: its tasks are dropped, and its locks go to who waits for them.
    pub fn crash(&self, tab: TabId) {
        self.scheduler.crash(tab);
        let mut state = self.state.borrow_mut();
        state.ears.retain(|(_, owner, _)| *owner != tab);
        let held: Vec<_> = state
            .locks
            .iter()
            .filter_map(|(name, lock)| {
                lock.holder.filter(|(_, owner)| *owner == tab).map(|(id, _)| (name.clone(), id))
            })
            .collect();
        drop(state);
        for (name, holder) in held {
            self.release(&name, holder);
        }
    }

    /// Takes the lock, or stands in line for it.
    fn request(&self, name: &str, tab: TabId) -> oneshot::Receiver<SimulatedLock> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.borrow_mut();
        if state.lacks_locks {
            drop(state);
            // Nobody holds it under this number, so that dropping it releases nothing.
            let lock = SimulatedLock { name: name.to_owned(), holder: 0, origin: self.clone() };
            let _ = sender.send(lock);
            return receiver;
        }
        state.locks.entry(name.to_owned()).or_default().waiting.push_back((tab, sender));
        drop(state);
        self.grant_next(name);
        receiver
    }

    fn release(&self, name: &str, holder: u64) {
        let mut state = self.state.borrow_mut();
        let Some(lock) = state.locks.get_mut(name) else { return };
        // The lock of a crashed tab went on to another: what the tab left behind no longer releases it.
        if lock.holder.is_some_and(|(current, _)| current == holder) {
            lock.holder = None;
            drop(state);
            self.grant_next(name);
        }
    }

    /// Gives a free lock to the first in line that still waits. One that gave up drops what it is sent, which
    /// releases it again.
    fn grant_next(&self, name: &str) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let Some(lock) = state.locks.get_mut(name) else { return };
        while lock.holder.is_none() {
            let Some((tab, sender)) = lock.waiting.pop_front() else { return };
            if sender.is_canceled() || !self.scheduler.is_alive(tab) {
                continue;
            }
            let holder = state.next_holder;
            state.next_holder += 1;
            lock.holder = Some((holder, tab));
            let unsent = sender.send(SimulatedLock { name: name.to_owned(), holder, origin: self.clone() });
            assert!(unsent.is_ok(), "a receiver that was there a moment ago is gone");
        }
    }

    fn announce(&self, from: &Rc<Ear>, position: Position) {
        let mut state = self.state.borrow_mut();
        state.ears.retain(|(_, _, ear)| ear.strong_count() != 0);
        let Announcements { lost_permille, delay_ms_max } = state.announcements;
        let others: Vec<_> = state
            .ears
            .iter()
            .filter(|(name, _, ear)| *name == from.name && !std::ptr::eq(ear.as_ptr(), Rc::as_ptr(from)))
            .map(|(_, _, ear)| ear.clone())
            .collect();
        for ear in others {
            if state.prng.chance(lost_permille) {
                continue;
            }
            let arrival = self.scheduler.sleep(state.prng.between(0..=delay_ms_max));
            self.scheduler.spawn(TabId::BROWSER, async move {
                arrival.await;
                if let Some(ear) = ear.upgrade() {
                    ear.hear(position);
                }
            });
        }
    }
}

impl SimulatedHost {
    /// The tab that it is the host of.
    pub fn tab(&self) -> TabId {
        self.tab
    }

    /// Nobody looks at this tab from now on: it says that it may oversleep, and never does.
    pub fn hide(&self) {
        self.may_oversleep.set(true);
    }

    /// Sets this tab's wall clock forward or back.
    pub fn shift_clock(&self, by_ms: i64) {
        self.skew_ms.set(self.skew_ms.get() + by_ms);
    }
}

impl Host for SimulatedHost {
    type Lock = SimulatedLock;

    fn now(&self) -> UnixMillis {
        UnixMillis(EPOCH_MS + self.scheduler.now_ms() as i64 + self.skew_ms.get())
    }

    fn random(&self, bytes: &mut [u8]) {
        self.prng.borrow_mut().fill(bytes);
    }

    async fn sleep(&self, duration_ms: u64) {
        self.scheduler.sleep(duration_ms).await;
    }

    fn may_oversleep(&self) -> bool {
        self.may_oversleep.get()
    }

    async fn yield_now(&self) {
        self.scheduler.yield_now().await;
    }

    async fn lock(&self, name: &str, timeout_ms: u64) -> Option<SimulatedLock> {
        let granted = self.origin.request(name, self.tab);
        let timeout = pin!(self.scheduler.sleep(timeout_ms));
        match select(granted, timeout).await {
            Either::Left((granted, _)) => granted.ok(),
            Either::Right(((), _)) => None,
        }
    }

    fn has_locks(&self) -> bool {
        !self.origin.state.borrow().lacks_locks
    }

    fn announce(&self, position: Position) {
        if self.scheduler.is_alive(self.tab) {
            self.origin.announce(&self.ear, position);
        }
    }

    async fn heard(&self) -> Option<Position> {
        poll_fn(|context| {
            if self.ear.is_closed.get() {
                return Poll::Ready(None);
            }
            if let Some(position) = self.ear.heard.borrow_mut().pop_front() {
                return Poll::Ready(Some(position));
            }
            self.ear.wakers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn is_alone(&self) -> bool {
        false
    }

    async fn supply(&self, supplement: Supplement) -> Result<(), Error> {
        if self.origin.state.borrow().lacks_supplements {
            let (supplement, cause) = (supplement.name(), "there is no network".to_owned());
            return Err(Error::new(Detail::SupplementUnavailable { supplement, cause }));
        }
        Ok(())
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.scheduler.spawn(self.tab, task);
    }

    fn close(&self) {
        self.ear.is_closed.set(true);
        self.ear.wake();
    }
}

impl Ear {
    fn hear(&self, position: Position) {
        self.heard.borrow_mut().push_back(position);
        self.wake();
    }

    fn wake(&self) {
        for waker in self.wakers.take() {
            waker.wake();
        }
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.origin.release(&self.name, self.holder);
    }
}

impl fmt::Debug for SimulatedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SimulatedOrigin")
    }
}

impl fmt::Debug for SimulatedHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimulatedHost({:?})", self.tab)
    }
}

impl fmt::Debug for SimulatedLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimulatedLock({:?})", self.name)
    }
}
