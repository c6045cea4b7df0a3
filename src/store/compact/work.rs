//! Work that does not wait: what a step of a compaction computes, apart from reading, writing and time.
//!
//! ```text
//! Work::advance -> Continue     a little is done; or it needs what it put down in `Desk::wanted`
//!               -> Break        all is done, and what it came to lies on the desk
//! ```

use std::ops::ControlFlow;

use crate::layout::keys::tied;
use crate::storage::{Area, Found, GuardedWrite, Key, Request};

use super::Halt;
use super::claim::Stored;
use super::swap::Swap;

/// What one transaction comes to, in bytes.
const TRANSACTION_BYTES: usize = 256 * 1024;

/// Work that is done a little at a time: for a few milliseconds at most.
pub(super) trait Work {
    /// Goes on. `Break` where all is done.
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt>;
}

/// What lies between work and those who read and write for it.
pub(super) struct Desk {
    /// What has to be read before the work can go on.
    pub wanted: Option<Request>,
    /// What was found of it.
    pub found: Option<Found>,
    /// What the work came to, where it changes the root.
    pub swap: Option<Swap>,
    /// A write of nothing, which holds to the bytes of the root.
    empty: GuardedWrite,
    /// Records that wait to be written, where nobody looks before the swap.
    puts: Vec<(Area, Key, Vec<u8>)>,
    size_bytes: usize,
}

impl Desk {
    pub fn new(stored: &Stored) -> Self {
        let (puts, size_bytes) = (Vec::new(), 0);
        Self { wanted: None, found: None, swap: None, empty: stored.write(), puts, size_bytes }
    }

    /// Puts down a record that is to be written, of a unit or of a run.
    pub fn put(&mut self, area: Area, key: Key, bytes: Vec<u8>) {
        self.size_bytes += bytes.len();
        let bytes = tied(&key, bytes);
        self.puts.push((area, key, bytes));
    }

    /// Whether enough waits for a transaction.
    pub fn is_full(&self) -> bool {
        TRANSACTION_BYTES <= self.size_bytes
    }

    /// The write of all that waits. `None` where nothing does.
    pub fn take_write(&mut self) -> Option<GuardedWrite> {
        self.size_bytes = 0;
        let puts = std::mem::take(&mut self.puts);
        (!puts.is_empty()).then(|| GuardedWrite { puts, ..self.empty.clone() })
    }
}

#[cfg(test)]
mod tests;
