//! Telling other tabs how far the log reaches.

use std::cell::Cell;
use std::rc::Weak;

use crate::event::{Position, UnixMillis};
use crate::host::Host;
use crate::storage::Storage;

use super::Shared;

/// So long after an announcement the next one gives way to the append that comes behind it. Each costs about a tenth of an
/// append, and a loop of appends would make one for each, of which only the newest matters to anybody.
const ANNOUNCEMENT_PAUSE_MS: i64 = 10;

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

    /// Tells other tabs of what was written: at once, or, where they were told a moment ago, as soon as no append is under way.
    ///
    /// No timer is set: where nobody looks at a page, it may come a minute late. Each append that is under way ends here.
    #[inline(never)]
    pub(super) fn tell_others(&self) {
        let announcing = &self.announcing;
        if announcing.unsaid.get().is_none() || self.host.is_alone() {
            return;
        }
        // After a clock was set back, it was not a moment ago.
        let elapsed_ms = self.host.now().0 - announcing.said_at.get().0;
        if !(0..ANNOUNCEMENT_PAUSE_MS).contains(&elapsed_ms) {
            self.say_the_rest();
        } else if !announcing.is_waiting.replace(true) {
            self.host.spawn(say_when_idle(Weak::clone(&self.own), self.host.clone()));
        }
    }

    /// Says what is left to say.
    pub(super) fn say_the_rest(&self) {
        if let Some(position) = self.announcing.unsaid.take() {
            self.announcing.said_at.set(self.host.now());
            self.host.announce(position);
        }
    }
}

/// A loop that awaits its appends has queued the next one by the time that this gets its turn.
async fn say_when_idle<S: Storage, H: Host>(shared: Weak<Shared<S, H>>, host: H) {
    host.yield_now().await;
    let Some(shared) = shared.upgrade() else { return };
    shared.announcing.is_waiting.set(false);
    if !shared.queue.borrow().is_writing() {
        shared.say_the_rest();
    }
}
