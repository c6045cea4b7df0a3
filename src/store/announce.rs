//! Telling other tabs how far the log reaches.

use std::cell::Cell;
use std::rc::Weak;

use crate::event::{Position, UnixMillis};
use crate::host::Host;
use crate::storage::Storage;

use super::Shared;

/// So long after an announcement what comes next waits, and what comes behind that is said with it. An announcement costs
/// about a tenth of an append, and a loop of appends would make one for each, of which only the newest matters to anybody.
const ANNOUNCEMENT_PAUSE_MS: u64 = 10;

/// What other tabs were told, and what they were not told yet.
#[derive(Default)]
pub(super) struct Announcing {
    unsaid: Cell<Option<Position>>,
    said_at: Cell<UnixMillis>,
    /// Whether a task waits that says what is left to say.
    is_waiting: Cell<bool>,
}

impl<S: Storage, H: Host> Shared<S, H> {
    /// Takes note that the log reaches to a position. [`Shared::tell_others`] tells of it.
    pub(super) fn announce(&self, position: Position) {
        self.announcing.unsaid.set(Some(position));
    }

    /// Tells other tabs of what was written: at once, or, where they were told a moment ago, once that is no longer so. A host
    /// that may oversleep tells at once.
    ///
    /// To ask whether another append follows would take a turn of the event loop after each, during which the storage gets nothing done.
    #[inline(never)]
    pub(super) fn tell_others(&self) {
        let announcing = &self.announcing;
        if announcing.unsaid.get().is_none() || self.host.is_alone() {
            return;
        }
        if announcing.is_waiting.get() {
            return;
        }
        // After a clock was set back, it was not a moment ago.
        let elapsed_ms = u64::try_from(self.host.now().0 - announcing.said_at.get().0).unwrap_or(u64::MAX);
        let left_ms = ANNOUNCEMENT_PAUSE_MS.saturating_sub(elapsed_ms);
        if left_ms == 0 || self.host.may_oversleep() {
            return self.say_the_rest();
        }
        announcing.is_waiting.set(true);
        self.host.spawn(say_later(Weak::clone(&self.own), self.host.clone(), left_ms));
    }

    /// Says what is left to say.
    pub(super) fn say_the_rest(&self) {
        if let Some(position) = self.announcing.unsaid.take() {
            self.announcing.said_at.set(self.host.now());
            self.host.announce(position);
        }
    }
}

async fn say_later<S: Storage, H: Host>(shared: Weak<Shared<S, H>>, host: H, delay_ms: u64) {
    host.sleep(delay_ms).await;
    let Some(shared) = shared.upgrade() else { return };
    shared.announcing.is_waiting.set(false);
    shared.say_the_rest();
}
