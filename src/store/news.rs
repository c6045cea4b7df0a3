//! That something has changed which others wait for: the log reaches further, or the store is closed.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Weak;
use std::task::{Poll, Waker};

use crate::error::Detail;
use crate::event::Position;
use crate::host::Host;
use crate::storage::Storage;

use super::{Life, Shared};

/// How often the storage is asked while somebody waits. What other tabs announce comes at once, and may be lost: to a
/// tab that was frozen, or where a browser has no channel between tabs. A timer that is overdue when a tab wakes up ends then.
const WATCH_INTERVAL_MS: u64 = 5_000;

/// Who waits for news, and whether somebody watches for them.
#[derive(Default)]
pub(super) struct News {
    waiting: RefCell<Vec<Waker>>,
    /// How far the log was known to reach when everybody was woken last.
    reached: Cell<Position>,
    is_watched: Cell<bool>,
}

impl News {
    /// Takes note of how far the log is known to reach, and wakes everybody who waits where that is new.
    pub fn reached(&self, position: Position) {
        if self.reached.replace(position) != position {
            self.spread();
        }
    }

    /// Wakes everybody who waits.
    pub fn spread(&self) {
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Waits until there is some.
    pub async fn come(&self) {
        let mut is_first = true;
        poll_fn(|context| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Looks whether others have appended. Where the database was destroyed, the store is closed: who waits is told so.
    pub(super) async fn look_out(&self) {
        // Any other failure shows again in the next operation, which has somebody to tell.
        if self.refresh().await.is_err_and(|error| *error.detail() == Detail::Closed) {
            self.let_go().await;
        }
    }

    /// Sees to it that the log of other tabs is looked after as long as somebody waits. One watch serves all.
    pub(super) fn watch(&self) {
        if !self.host.is_alone() && !self.news.is_watched.replace(true) {
            self.host.spawn(watch(Weak::clone(&self.own), self.host.clone()));
        }
    }
}

async fn watch<S: Storage, H: Host>(shared: Weak<Shared<S, H>>, host: H) {
    loop {
        host.sleep(WATCH_INTERVAL_MS).await;
        let Some(shared) = shared.upgrade() else { return };
        if shared.life.get() == Life::Closed || shared.news.waiting.borrow().is_empty() {
            shared.news.is_watched.set(false);
            return;
        }
        shared.look_out().await;
        // What was written besides the log is looked at by those who wait for it.
        shared.news.spread();
    }
}
