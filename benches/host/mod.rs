//! A host for benchmarks.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use everfold::error::Error;
use everfold::event::{Position, UnixMillis};
use everfold::host::Host;
use everfold::supplement::Supplement;
use everfold::testing::prng::Prng;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A host with the clock of the machine, whose tasks run while somebody waits.
#[derive(Clone, Default)]
pub struct BenchHost {
    tasks: Rc<RefCell<Vec<Task>>>,
    pub slices: Rc<Slices>,
}

/// The longest time between two moments at which something else could run.
#[derive(Default)]
pub struct Slices {
    is_watching: Cell<bool>,
    last: Cell<Option<Instant>>,
    longest: Cell<Duration>,
}

impl Slices {
    /// Begins anew.
    pub fn begin(&self) {
        self.is_watching.set(true);
        self.longest.set(Duration::ZERO);
        self.go_on();
    }

    pub fn longest(&self) -> Duration {
        self.longest.get()
    }

    pub fn end(&self) {
        self.pause();
        self.is_watching.set(false);
    }

    fn go_on(&self) {
        self.last.set(self.is_watching.get().then(Instant::now));
    }

    fn pause(&self) {
        if let Some(last) = self.last.take() {
            self.longest.set(self.longest.get().max(last.elapsed()));
        }
    }
}

impl Host for BenchHost {
    type Lock = ();

    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        UnixMillis(since.as_millis() as i64)
    }

    fn random(&self, bytes: &mut [u8]) {
        Prng::new(self.now().0 as u64).fill(bytes);
    }

    async fn sleep(&self, _duration_ms: u64) {
        self.yield_now().await;
    }

    fn may_oversleep(&self) -> bool {
        false
    }

    async fn yield_now(&self) {
        self.slices.pause();
        let mut has_yielded = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut has_yielded, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        self.slices.go_on();
    }

    async fn lock(&self, _name: &str, _timeout_ms: u64) -> Option<()> {
        Some(())
    }

    fn has_locks(&self) -> bool {
        true
    }

    fn announce(&self, _position: Position) {}

    async fn heard(&self) -> Option<Position> {
        None
    }

    fn is_alone(&self) -> bool {
        true
    }

    async fn supply(&self, _supplement: Supplement) -> Result<(), Error> {
        Ok(())
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.tasks.borrow_mut().push(Box::pin(task));
    }

    fn close(&self) {}
}

impl BenchHost {
    /// Runs everything until a future is ready.
    pub fn run_until<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            self.run_tasks(&mut context);
        }
    }

    /// Runs until no task is left.
    pub fn run_out(&self) {
        let mut context = Context::from_waker(Waker::noop());
        while !self.tasks.borrow().is_empty() {
            self.run_tasks(&mut context);
        }
    }

    fn run_tasks(&self, context: &mut Context<'_>) {
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        for mut task in tasks {
            if task.as_mut().poll(context).is_pending() {
                self.tasks.borrow_mut().push(task);
            }
        }
    }
}
