//! Locks between tabs, by the Web Locks API; and between the stores of one page where there is none.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::pin;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::global::{LockManager, LockOptions, lock_manager};
use super::promise::settled;
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

/// Takes the lock, or gives up after `timeout_ms`, or at once where the browser refuses locks to this page.
pub async fn lock(name: &str, timeout_ms: u64) -> Option<BrowserLock> {
    let name = format!("everfold:{name}");
    match lock_manager() {
        Some(manager) => lock_in_origin(&manager, &name, timeout_ms).await,
        None => lock_in_page(name, timeout_ms).await,
    }
}

async fn lock_in_origin(manager: &LockManager, name: &str, timeout_ms: u64) -> Option<BrowserLock> {
    let request = Request { controller: AbortController::new().ok()? };
    let options: LockOptions = Object::new().unchecked_into();
    options.set_signal(&request.controller.signal());
    let (sender, granted) = oneshot::channel();
    let callback = Closure::once_into_js(move |_lock: JsValue| hold(sender));
    // The promise settles when the lock is released; before it was granted, that is a refusal.
    let ended = pin!(settled(manager.request(name, &options, &callback)));
    let given_up = pin!(select(ended, Timer::start(timeout_ms)));
    match select(granted, given_up).await {
        Either::Left((granted, _)) => granted.ok(),
        Either::Right(_) => None,
    }
}

/// Withdraws a request for a lock when it is dropped; one that was granted is not affected.
struct Request {
    controller: AbortController,
}

impl Drop for Request {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// What the browser calls when the lock is ours: it stays so until the promise is settled. Where nobody waits
/// for it any more, the lock comes back, and dropping it releases it.
fn hold(sender: oneshot::Sender<BrowserLock>) -> Promise {
    let mut release = None;
    let held = Promise::new(&mut |resolve, _reject| release = Some(resolve));
    if let Some(release) = release {
        drop(sender.send(BrowserLock { holding: Holding::OfOrigin { release } }));
    }
    held
}

/// A lock that is held in this page.
struct Held {
    name: String,
    waiting: VecDeque<oneshot::Sender<BrowserLock>>,
}

thread_local! {
    /// Few: there is one for each store whose writer is at work.
    static HELD_IN_PAGE: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

async fn lock_in_page(name: String, timeout_ms: u64) -> Option<BrowserLock> {
    let waiting =
        HELD_IN_PAGE.with_borrow_mut(|locks| match locks.iter_mut().find(|held| held.name == name) {
            Some(held) => {
                let (sender, granted) = oneshot::channel();
                held.waiting.push_back(sender);
                Some(granted)
            }
            None => {
                locks.push(Held { name: name.clone(), waiting: VecDeque::new() });
                None
            }
        });
    let Some(granted) = waiting else {
        return Some(BrowserLock { holding: Holding::OfPage { name } });
    };
    match select(granted, Timer::start(timeout_ms)).await {
        Either::Left((granted, _)) => granted.ok(),
        Either::Right(((), _)) => None,
    }
}

/// Hands the lock to the first in line that still waits.
fn release_in_page(name: &str) {
    let next = HELD_IN_PAGE.with_borrow_mut(|locks| {
        let held = locks.iter_mut().find(|held| held.name == name)?;
        let next = std::iter::from_fn(|| held.waiting.pop_front()).find(|sender| !sender.is_canceled());
        if next.is_none() {
            locks.retain(|held| held.name != name);
        }
        next
    });
    if let Some(sender) = next {
        drop(sender.send(BrowserLock { holding: Holding::OfPage { name: name.to_owned() } }));
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
