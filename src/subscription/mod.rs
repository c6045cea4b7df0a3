//! What a subscription does next: a machine without a clock, a storage or a consumer.
//!
//! There is no seam between what stands in the log and what comes: everything is read from the log, after the position
//! that was looked at last. That something came only says that it is time to read. So nothing can be missed or come
//! twice, whatever others append meanwhile, and whatever becomes of the news.
//!
//! ```text
//!               newest known         reached it: told once         fell behind by more than a page
//!   Unsure ─────────────▶ CatchingUp ─────────────▶ Live ─────────────▶ CatchingUp ...
//! ```
//!
//! A page is read when the consumer asks, and none before: a slow consumer delays itself alone, and holds one page.

#[cfg(test)]
mod tests;

use crate::position::Position;

/// The pause after the first failure that may pass; it doubles with each that follows.
const PAUSE_MS: u64 = 100;
/// The longest pause between two attempts.
const PAUSE_MS_MAX: u64 = 5_000;

/// Where a subscription is in the log, and in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// To where the log was read.
    read_to: Position,
    /// To where the consumer has looked at it: the page that was given last is not among it.
    looked_at: Position,
    phase: Phase,
    /// The last pause since something went well.
    pause_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// How far the log reaches is not known: others may have appended.
    Unsure,
    /// As before, and what was tried last failed.
    Failed,
    /// There may be more than was looked at.
    CatchingUp,
    /// All was looked at that was known to be there.
    Live,
    Stopped,
}

/// What is to be done for a consumer that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Find out how far the log reaches.
    Ask,
    /// Read a page of what comes after a position, in the state of the log as of another.
    Read {
        /// The last position that was looked at.
        after: Position,
        /// How far the log reaches.
        as_of: Position,
    },
    /// Wait until the log may reach further.
    Wait,
    /// Wait so long, because something failed.
    Pause {
        /// How long.
        duration_ms: u64,
    },
    /// Nothing, any more.
    End,
}

/// How far a page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// To this position, behind which there may be more.
    Before(Position),
    /// To the end of the log as it was, at this position.
    End(Position),
}

/// Who is told of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// The consumer.
    Consumer,
    /// Nobody: there is nothing in it that is wanted, and nothing has changed.
    Nobody,
}

impl Subscription {
    /// A subscription to what comes after a position.
    pub fn new(after: Position) -> Self {
        Self { read_to: after, looked_at: after, phase: Phase::Unsure, pause_ms: 0 }
    }

    /// The last position that the consumer has looked at, be it of an event that is wanted or not: who subscribes anew
    /// after it goes on here. A page counts as looked at when the next one is asked for.
    pub fn looked_at(&self) -> Position {
        self.looked_at
    }

    /// What to do for a consumer that asks, where the log is known to reach to `head`.
    pub fn next(&mut self, head: Position) -> Step {
        self.looked_at = self.read_to;
        match self.phase {
            Phase::Stopped => Step::End,
            Phase::Unsure => Step::Ask,
            Phase::Failed => {
                self.phase = Phase::Unsure;
                Step::Pause { duration_ms: self.pause_ms }
            }
            Phase::Live if head <= self.read_to => Step::Wait,
            Phase::Live | Phase::CatchingUp => Step::Read { after: self.read_to, as_of: head },
        }
    }

    /// Takes note that it is known how far the log reaches.
    pub fn asked(&mut self) {
        if self.phase == Phase::Unsure {
            self.phase = Phase::CatchingUp;
        }
    }

    /// Takes note of a page that was read, with so many events.
    pub fn read(&mut self, reached: Reached, event_count: usize) -> Tell {
        if self.phase == Phase::Stopped {
            return Tell::Nobody;
        }
        let (Reached::Before(position) | Reached::End(position)) = reached;
        // Who subscribes to what comes after a position that the log has not reached yet has looked at all before it.
        self.read_to = self.read_to.max(position);
        self.pause_ms = 0;
        let phase = match reached {
            Reached::Before(_) => Phase::CatchingUp,
            Reached::End(_) => Phase::Live,
        };
        let before = std::mem::replace(&mut self.phase, phase);
        let has_caught_up = before != Phase::Live && phase == Phase::Live;
        if 0 < event_count || has_caught_up { Tell::Consumer } else { Tell::Nobody }
    }

    /// Takes note of a failure that may pass: nothing was looked at.
    pub fn failed(&mut self) {
        if self.phase != Phase::Stopped {
            self.phase = Phase::Failed;
            self.pause_ms = (2 * self.pause_ms).clamp(PAUSE_MS, PAUSE_MS_MAX);
        }
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.phase = Phase::Stopped;
    }
}
