//! A deterministic executor on one thread, with a clock of its own.
//!
//! Which of the tasks that are ready goes next is drawn from the seed, so that another seed is another
//! interleaving, and the same seed the same one. When nothing is ready, time jumps to the next timer.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::prng::Prng;

/// Most steps that one [`Executor::run_until`] takes: a simulation that needs more goes round in circles.
const STEPS_MAX: u64 = 20_000_000;

/// Runs tasks. Owns them: what is left of them when it goes is dropped.
#[derive(Debug)]
pub struct Executor {
    scheduler: Scheduler,
    /// Keeps alive what the schedulers only point to, so that tasks that hold one do not keep themselves.
    state: Rc<RefCell<State>>,
}

/// Reaches an executor from within its tasks.
#[derive(Debug, Clone)]
pub struct Scheduler {
    state: Weak<RefCell<State>>,
}

/// To whom a task belongs: a crash of a tab drops all its tasks at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TabId(pub u32);

/// A simulation that can go no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The seed that leads here.
    pub seed: u64,
    /// When, on the simulation's clock.
    pub now_ms: u64,
    /// What holds it up.
    pub reason: StuckReason,
}

/// What holds a simulation up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StuckReason {
    /// Nothing is ready and no timer runs; the tabs of the tasks that wait.
    Deadlock(Vec<TabId>),
    /// It took more steps than any simulation should.
    Livelock,
}

struct State {
    seed: u64,
    prng: Prng,
    now_ms: u64,
    /// A running hash of every choice made.
    fingerprint: u64,
    next_id: u64,
    tasks: BTreeMap<TaskId, Task>,
    dead_tabs: BTreeSet<TabId>,
    /// Tabs that do nothing, each with its tasks that were ready meanwhile.
    frozen_tabs: BTreeMap<TabId, Vec<TaskId>>,
    timers: BTreeMap<(u64, u64), Waker>,
    ready: Arc<ReadyTasks>,
}

type TaskId = u64;

/// The future that `run_until` was given.
const MAIN: TaskId = 0;

struct Task {
    tab: TabId,
    /// Empty while it is being polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

/// Wakers must be `Send`, hence the lock, though there is only one thread.
#[derive(Default)]
struct ReadyTasks {
    ids: Mutex<Vec<TaskId>>,
}

struct TaskWaker {
    id: TaskId,
    ready: Arc<ReadyTasks>,
}

impl TabId {
    /// What no crash of a tab ends: the browser itself, and the test.
    pub const BROWSER: Self = Self(u32::MAX);
}

impl Executor {
    /// An executor whose every choice follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let state = State {
            seed,
            prng: Prng::new(seed),
            now_ms: 0,
            fingerprint: 0,
            next_id: MAIN + 1,
            tasks: BTreeMap::new(),
            dead_tabs: BTreeSet::new(),
            frozen_tabs: BTreeMap::new(),
            timers: BTreeMap::new(),
            ready: Arc::default(),
        };
        let state = Rc::new(RefCell::new(state));
        Self { scheduler: Scheduler { state: Rc::downgrade(&state) }, state }
    }

    /// A way to spawn, sleep and crash for those who live in the simulation.
    pub fn scheduler(&self) -> Scheduler {
        self.scheduler.clone()
    }

    /// Runs everything until `future` is ready. What else is under way stays where it is, for the next call.
    pub fn run_until<T>(&self, future: impl Future<Output = T>) -> Result<T, Stuck> {
        let mut future = pin!(future);
        let ready = Arc::clone(&self.state.borrow().ready);
        let main_waker = waker(MAIN, &ready);
        ready.push(MAIN);
        for _ in 0..STEPS_MAX {
            match self.next_ready() {
                None => self.jump_to_next_timer()?,
                Some(MAIN) => {
                    if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&main_waker)) {
                        ready.forget(MAIN);
                        return Ok(value);
                    }
                }
                Some(id) => self.poll_task(id, &waker(id, &ready)),
            }
        }
        Err(self.stuck(StuckReason::Livelock))
    }

    /// Runs until nothing is ready, without moving the clock.
    pub fn run_ready(&self) {
        let ready = Arc::clone(&self.state.borrow().ready);
        while let Some(id) = self.next_ready() {
            self.poll_task(id, &waker(id, &ready));
        }
    }

    /// A hash of every choice made so far: two runs that agree on it were the same.
    pub fn fingerprint(&self) -> u64 {
        self.state.borrow().fingerprint
    }

    fn next_ready(&self) -> Option<TaskId> {
        let state = &mut *self.state.borrow_mut();
        let id = state.ready.take_any(&mut state.prng)?;
        for part in [state.now_ms, id] {
            state.fingerprint = (state.fingerprint ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
        Some(id)
    }

    fn jump_to_next_timer(&self) -> Result<(), Stuck> {
        let state = &mut *self.state.borrow_mut();
        let Some(((due_ms, _), waker)) = state.timers.pop_first() else {
            let waiting: BTreeSet<_> = state.tasks.values().map(|task| task.tab).collect();
            return Err(state.stuck(StuckReason::Deadlock(waiting.into_iter().collect())));
        };
        state.now_ms = state.now_ms.max(due_ms);
        waker.wake();
        while let Some(timer) = state.timers.first_entry() {
            if state.now_ms < timer.key().0 {
                break;
            }
            timer.remove().wake();
        }
        Ok(())
    }

    /// Polls a task with nothing borrowed, because it may spawn, sleep, crash tabs, and end others.
    fn poll_task(&self, id: TaskId, waker: &Waker) {
        let taken = self.state.borrow_mut().take_task(id);
        let Some(mut future) = taken else { return };
        let poll = future.as_mut().poll(&mut Context::from_waker(waker));
        let mut state = self.state.borrow_mut();
        match (poll, state.tasks.get_mut(&id)) {
            (Poll::Pending, Some(task)) => {
                task.future = Some(future);
                return;
            }
            // A task that was crashed while it ran has no place to go back to.
            (Poll::Pending, None) => {}
            (Poll::Ready(()), _) => drop(state.tasks.remove(&id)),
        }
        drop(state);
        drop(future);
    }

    fn stuck(&self, reason: StuckReason) -> Stuck {
        self.state.borrow().stuck(reason)
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut self.state.borrow_mut().tasks);
        drop(tasks);
        let timers = std::mem::take(&mut self.state.borrow_mut().timers);
        drop(timers);
    }
}

impl Scheduler {
    /// The simulation's clock, in milliseconds since its beginning.
    pub fn now_ms(&self) -> u64 {
        self.with_state(|state| state.now_ms).unwrap_or_default()
    }

    /// A generator of its own, drawn from the seed.
    pub fn fork_prng(&self) -> Prng {
        self.with_state(|state| state.prng.fork()).unwrap_or(Prng::new(0))
    }

    /// Runs a task for a tab. One of a dead tab is dropped at once.
    pub fn spawn(&self, tab: TabId, task: impl Future<Output = ()> + 'static) {
        if !self.is_alive(tab) {
            return;
        }
        self.with_state(|state| {
            let id = state.next_id();
            state.tasks.insert(id, Task { tab, future: Some(Box::pin(task)) });
            state.ready.push(id);
        });
    }

    /// Waits for the clock to move on by so much.
    pub fn sleep(&self, duration_ms: u64) -> Sleep {
        Sleep { scheduler: self.clone(), due_ms: self.now_ms().saturating_add(duration_ms), timer: None }
    }

    /// Lets anything else that is ready go first, perhaps.
    pub fn yield_now(&self) -> impl Future<Output = ()> + use<> {
        let mut is_first = true;
        std::future::poll_fn(move |context| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Ends a tab: its tasks are gone between two polls, as if the process were.
    pub fn crash(&self, tab: TabId) {
        assert!(tab != TabId::BROWSER, "the browser outlives its tabs");
        let dropped = self.with_state(|state| {
            state.dead_tabs.insert(tab);
            state.tasks.extract_if(.., |_, task| task.tab == tab).collect::<Vec<_>>()
        });
        drop(dropped);
    }

    /// Freezes a tab: from now on none of its tasks gets a turn, whatever becomes ready. It keeps what it holds.
    pub fn freeze(&self, tab: TabId) {
        assert!(tab != TabId::BROWSER, "the browser does not freeze");
        self.with_state(|state| {
            state.frozen_tabs.entry(tab).or_default();
        });
    }

    /// Lets a frozen tab go on where it was.
    pub fn thaw(&self, tab: TabId) {
        self.with_state(|state| {
            for id in state.frozen_tabs.remove(&tab).unwrap_or_default() {
                state.ready.push(id);
            }
        });
    }

    /// Whether the tab has not crashed.
    pub fn is_alive(&self, tab: TabId) -> bool {
        self.with_state(|state| !state.dead_tabs.contains(&tab)).unwrap_or(false)
    }

    /// `None` once the executor is gone.
    fn with_state<T>(&self, action: impl FnOnce(&mut State) -> T) -> Option<T> {
        let state = self.state.upgrade()?;
        let mut state = state.borrow_mut();
        Some(action(&mut state))
    }
}

/// Ready when the clock has come so far.
#[derive(Debug)]
pub struct Sleep {
    scheduler: Scheduler,
    due_ms: u64,
    timer: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let due_ms = self.due_ms;
        let previous = self.timer.take();
        let polled = self.scheduler.with_state(|state| {
            if let Some(previous) = previous {
                state.timers.remove(&previous);
            }
            if due_ms <= state.now_ms {
                return None;
            }
            let timer = (due_ms, state.next_id());
            state.timers.insert(timer, context.waker().clone());
            Some(timer)
        });
        match polled {
            Some(None) => Poll::Ready(()),
            Some(Some(timer)) => {
                self.timer = Some(timer);
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let timer = self.timer.take();
        self.scheduler.with_state(|state| timer.and_then(|timer| state.timers.remove(&timer)));
    }
}

impl State {
    /// Takes a task to be polled; none where it is gone, or its tab is frozen.
    fn take_task(&mut self, id: TaskId) -> Option<Pin<Box<dyn Future<Output = ()>>>> {
        let task = self.tasks.get_mut(&id)?;
        if let Some(ready) = self.frozen_tabs.get_mut(&task.tab) {
            ready.push(id);
            return None;
        }
        task.future.take()
    }

    fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn stuck(&self, reason: StuckReason) -> Stuck {
        Stuck { seed: self.seed, now_ms: self.now_ms, reason }
    }
}

impl ReadyTasks {
    fn push(&self, id: TaskId) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }

    fn take_any(&self, prng: &mut Prng) -> Option<TaskId> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.is_empty() {
            return None;
        }
        let index = prng.index(ids.len());
        Some(ids.swap_remove(index))
    }

    fn forget(&self, id: TaskId) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).retain(|ready| *ready != id);
    }
}

fn waker(id: TaskId, ready: &Arc<ReadyTasks>) -> Waker {
    Waker::from(Arc::new(TaskWaker { id, ready: Arc::clone(ready) }))
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.id);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "State {{ seed: {}, now_ms: {}, tasks: {} }}",
            self.seed,
            self.now_ms,
            self.tasks.len()
        )
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, now_ms, reason } = self;
        write!(formatter, "seed {seed}: stuck after {now_ms} ms: {reason:?}")
    }
}

impl std::error::Error for Stuck {}
