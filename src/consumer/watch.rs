//! When to take the lead of a consumer: decided by who does not have it.

use super::standing::{Led, Standing};

/// So many times in a row who leads was found where it was, although there is something to do: it is stuck, or gone
/// without a trace. Who rests before it tries again has said for how many looks more. The looks are [`Watch::LOOK_MS`] apart.
const STUCK_LOOKS: u64 = 3;

/// What one tab sees of who leads a consumer. It reads no clock: it counts its looks, so that a tab that was frozen
/// itself, or whose clock was set, holds nobody for stuck.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// What was seen last while there was something to do.
    seen: Option<Standing>,
    /// How often it was the same again.
    same_count: u64,
}

/// What is known of who leads, besides what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leader {
    /// Nothing.
    Unknown,
    /// Its lock came free: its tab is gone.
    Gone,
}

/// Whether there is something to do for who leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// An event is wanted and not handled, or what is parked is to be tried again.
    Some,
    /// All is handled.
    None,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Take the lead.
    Claim,
    /// Look again in [`Watch::LOOK_MS`].
    Look,
    /// Wait until something comes, or the leader is gone.
    Rest,
}

impl Watch {
    /// How long to wait between two looks while there is something to do. Below a second, which is what browsers round the
    /// timers of hidden pages up to.
    pub const LOOK_MS: u64 = 900;

    /// Takes note of what is stored, and says what to do.
    pub fn look(&mut self, standing: &Standing, leader: Leader, work: Work) -> Verdict {
        if standing.led == Led::No || leader == Leader::Gone {
            return Verdict::Claim;
        }
        if work == Work::None {
            self.seen = None;
            return Verdict::Rest;
        }
        if self.seen.replace(*standing) != Some(*standing) {
            self.same_count = 0;
            return Verdict::Look;
        }
        self.same_count = self.same_count.saturating_add(1);
        let is_stuck = standing.rest_looks.saturating_add(STUCK_LOOKS) <= self.same_count;
        if is_stuck { Verdict::Claim } else { Verdict::Look }
    }
}
