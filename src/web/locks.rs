//! Locks between tabs, by the Web Locks API; and between the stores of one page where there is none.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use crate::answer::Answer;

use super::global::{LockManager, LockOptions, Thenable, lock_manager};
use super::listener::listener;
use super::timer::Timer;

/// Holds a lock until it is dropped, or its tab ends.
///
/// Where the browser has no Web Locks, the lock keeps apart only the holders of one page or worker.
#[derive(Debug)]
#[must_use = "a lock that is dropped is released"]
pub struct BrowserLock {
    holding: Holding,
}

/// How a lock is released.
#[derive(Debug)]
enum Holding {
    /// By settling the promise that the browser waits for.
    OfOrigin { release: Function },
    /// By handing it to the next in line.
    OfPage { name: String },
}

/// What somebody waits for: the lock, or to hear that the browser refuses it. A lock that comes when nobody waits for
/// it any more is dropped, and so released.
type Granted = Answer<Option<BrowserLock>>;

/// Among whom a lock is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The pages and workers of the origin, where the browser has Web Locks.
    Origin,
    /// This page or worker.
    Page,
}

/// Takes the lock, or gives up after `timeout_ms`, or at once where the browser refuses locks to this page.
pub async fn lock(name: String, reach: Reach, timeout_ms: u64) -> Option<BrowserLock> {
    let granted = Rc::<Granted>::default();
    let name = format!("everfold:{name}");
    let _request = match lock_manager().filter(|_| reach == Reach::Origin) {
        Some(manager) => Some(Request::of_origin(&manager, &name, &granted)?),
        None => {
            request_of_page(name, &granted);
            None
        }
    };
    granted.within(&mut Timer::start(timeout_ms)).await.flatten()
}

/// Withdraws a request for a lock when it is dropped; one that was granted is not affected.
struct Request {
    controller: AbortController,
}

impl Request {
    fn of_origin(manager: &LockManager, name: &str, granted: &Rc<Granted>) -> Option<Self> {
        let request = Self { controller: AbortController::new().ok()? };
        let options: LockOptions = Object::new().unchecked_into();
        options.set_signal(&request.controller.signal());
        let waiting = Rc::downgrade(granted);
        let callback = Closure::once_into_js(move |_lock: JsValue| hold(&waiting));
        let waiting = Rc::downgrade(granted);
        let ended = listener(Box::new(move |_| {
            if let Some(granted) = waiting.upgrade() {
                granted.give(None);
            }
        }));
        let ended = ended.into_js_value();
        // The promise settles when the lock is released; before it was granted, that is a refusal.
        manager.request(name, &options, &callback).unchecked_into::<Thenable>().then(&ended, &ended);
        Some(request)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// What the browser calls when the lock is ours: it stays so until the promise is settled.
fn hold(waiting: &Weak<Granted>) -> Promise {
    let mut release = None;
    let held = Promise::new(&mut |resolve, _reject| release = Some(resolve));
    let lock = release.map(|release| BrowserLock { holding: Holding::OfOrigin { release } });
    // Where nobody waits for it any more, it is released here.
    if let Some(granted) = waiting.upgrade() {
        granted.give(lock);
    }
    held
}

/// A lock that is held in this page.
struct Held {
    name: String,
    /// Who comes next is the first.
    waiting: Vec<Weak<Granted>>,
}

thread_local! {
    /// Few: there is one for each store whose writer is at work.
    static HELD_IN_PAGE: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

fn request_of_page(name: String, granted: &Rc<Granted>) {
    let is_free = HELD_IN_PAGE.with_borrow_mut(|locks| {
        let held = locks.iter_mut().find(|held| held.name == name);
        let is_free = held.is_none();
        match held {
            Some(held) => {
                // Who has given up leaves nothing behind, however long the lock is held.
                held.waiting.retain(|waiting| waiting.strong_count() != 0);
                held.waiting.push(Rc::downgrade(granted));
            }
            None => locks.push(Held { name: name.clone(), waiting: Vec::new() }),
        }
        is_free
    });
    if is_free {
        granted.give(Some(BrowserLock { holding: Holding::OfPage { name } }));
    }
}

/// Hands the lock to the first in line that still waits.
fn release_in_page(name: &str) {
    let next = HELD_IN_PAGE.with_borrow_mut(|locks| {
        let place = locks.iter().position(|held| held.name == name)?;
        let waiting = &mut locks.get_mut(place)?.waiting;
        while !waiting.is_empty() {
            if let Some(next) = waiting.remove(0).upgrade() {
                return Some(next);
            }
        }
        locks.remove(place);
        None
    });
    if let Some(next) = next {
        next.give(Some(BrowserLock { holding: Holding::OfPage { name: name.to_owned() } }));
    }
}

impl Drop for BrowserLock {
    fn drop(&mut self) {
        match &self.holding {
            // A function that only settles a promise does not throw.
            Holding::OfOrigin { release } => drop(release.call0(&JsValue::UNDEFINED)),
            Holding::OfPage { name } => release_in_page(name),
        }
    }
}
