//! Running futures: whoever was woken is polled in the next microtask.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use super::global::queue_microtask;
use super::listener::{Listener, listener};

/// A future that runs by itself.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// The tasks that wait, by their places. A place is empty while its task is polled, and after its end.
    static WAITING: RefCell<Vec<Option<Task>>> = const { RefCell::new(Vec::new()) };
    static FREE_PLACES: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// Who is to be polled in the microtask that was asked for, if there is anybody.
    static WOKEN: RefCell<Vec<Arc<Woken>>> = const { RefCell::new(Vec::new()) };
    static TURN: Cell<Option<Listener>> = const { Cell::new(None) };
}

/// Wakes the task at a place. One that comes after the task's end wakes who took its place, to whom that does
/// no harm.
struct Woken {
    place: usize,
    is_queued: AtomicBool,
}

/// Runs a task, from the next microtask on.
pub fn spawn(task: Task) {
    let place = FREE_PLACES.with_borrow_mut(Vec::pop).unwrap_or_else(|| {
        WAITING.with_borrow_mut(|waiting| {
            waiting.push(None);
            waiting.len() - 1
        })
    });
    put(place, task);
    Arc::new(Woken { place, is_queued: AtomicBool::new(false) }).wake();
}

fn put(place: usize, task: Task) {
    WAITING.with_borrow_mut(|waiting| {
        if let Some(place) = waiting.get_mut(place) {
            *place = Some(task);
        }
    });
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if self.is_queued.swap(true, Ordering::Relaxed) {
            return;
        }
        let is_first = WOKEN.with_borrow_mut(|woken| {
            woken.push(self);
            woken.len() == 1
        });
        if is_first {
            let turn = TURN.take().unwrap_or_else(|| listener(Box::new(|_| run())));
            queue_microtask(turn.as_ref());
            TURN.set(Some(turn));
        }
    }
}

/// Polls those who were woken. Whoever is woken meanwhile has to wait for another microtask.
fn run() {
    for woken in WOKEN.take() {
        woken.is_queued.store(false, Ordering::Relaxed);
        let place = woken.place;
        let task = WAITING.with_borrow_mut(|waiting| waiting.get_mut(place).and_then(Option::take));
        let Some(mut task) = task else { continue };
        let waker = Waker::from(woken);
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            FREE_PLACES.with_borrow_mut(|places| places.push(place));
        } else {
            put(place, task);
        }
    }
}
